"""One part of a split problem, as it is solved by itself: by a thread here, or on another machine."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from solvers.arrays import Floats, Ints, arrays_of
from solvers.assignment.plan import is_feasible
from solvers.assignment.problem import AssignmentProblem
from solvers.assignment.result import AssignmentResult
from solvers.assignment.solve import solve
from solvers.saved import NotSaved, large, small


@dataclass(frozen=True, eq=False)
class Part:
    """r requests with the candidates, vendors and capacity that are theirs; `start` (r): as they stand."""

    number: int
    problem: AssignmentProblem
    start: Ints
    seed: int
    time_limit_s: float
    work_limit: int | None


@dataclass(frozen=True, eq=False)
class PartPlan:
    """What a part's solver found."""

    choice: Ints  #: r
    prices: Floats  #: V x K x B; see `AssignmentResult`
    lacking: tuple[str, ...] = ()


def solve_part(part: Part, workers: int = 1) -> PartPlan:
    """Within its limits; by steps of work on one thread."""
    found: AssignmentResult = solve(
        part.problem,
        time_limit_s=part.time_limit_s,
        work_limit=part.work_limit,
        seed=part.seed,
        workers=1 if part.work_limit else max(1, workers),
        warm_start=part.start,
    )
    return PartPlan(found.choice, found.prices, found.lacking)


def pack_part(part: Part) -> bytes:
    """As it is sent."""
    told = {each.name: getattr(part, each.name) for each in fields(part)}
    return small(told | {"problem": arrays_of(part.problem)})


def unpack_part(packed: bytes) -> Part:
    """What was packed. Raises NotSaved."""
    told = large(packed)
    try:
        return Part(**told | {"problem": AssignmentProblem(**told["problem"])})
    except (KeyError, TypeError, ValueError) as error:
        raise NotSaved(f"these bytes are no packed part: {error}") from error


def pack_part_plan(found: PartPlan, part: Part) -> bytes:
    """The choice, and the prices of the part's own vendors."""
    vendors = np.unique(part.problem.column_vendor)
    told = {"choice": found.choice, "vendors": vendors, "prices": found.prices[vendors]}
    return small(told | {"lacking": list(found.lacking)})


def unpack_part_plan(packed: bytes, part: Part) -> PartPlan:
    """What was packed, checked: a plan of this part, and prices that are prices. Raises NotSaved."""
    told: Any = large(packed)
    try:
        prices = np.zeros(part.problem.capacity.shape)
        prices[told["vendors"]] = told["prices"]
        found = PartPlan(told["choice"], prices, tuple(map(str, told["lacking"])))
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise NotSaved(f"these bytes are no plan of a part: {error}") from error
    if not _is_choice(found.choice, part.problem) or not is_feasible(part.problem, found.choice):
        raise NotSaved("a plan of a part breaks a constraint")
    if not np.isfinite(prices).all() or prices.min(initial=0) < 0:
        raise NotSaved("prices of a part are none")
    return found


def _is_choice(choice: Any, problem: AssignmentProblem) -> bool:
    """Whether it names a candidate for each request, or none."""
    if not isinstance(choice, np.ndarray) or choice.dtype != np.int64 or choice.shape != (problem.requests,):
        return False
    return bool(choice.min(initial=-1) >= -1 and choice.max(initial=-1) < problem.columns)
