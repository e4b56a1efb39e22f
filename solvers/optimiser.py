"""The optimiser as `solvers.planning.plan` calls it: within its limits, and it remembers what was proven."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from solvers.arrays import Ints
from solvers.assignment.problem import AssignmentProblem
from solvers.planning import BatchPlan, Limits, part_of, plan
from solvers.posing import Posed
from solvers.screening import Screening

if TYPE_CHECKING:
    from solvers.split import Elsewhere

ENOUGH = 0.0002  #: see `solve`: two cents of a hundred dollars are not worth a core for the whole limit

#: of a part that nothing will change any more, while the others are solved
Told = Callable[[BatchPlan], None]


class Optimiser:
    """A solver for `plan`. `cost` and `bound` (cents) of its last solve; None before."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.settled: Callable[[Ints], None] = lambda columns: None  #: told the columns of each such part
        self.elsewhere: Elsewhere | None = None  #: who solves parts beside this process
        self.cost: int | None = None
        self.bound: int | None = None

    def __call__(self, problem: AssignmentProblem) -> Ints:
        """The choice."""
        found = self._found(problem)
        for why in getattr(
            found, "lacking", ()
        ):  # another solver has its own result, and need not know of any
            warnings.warn(f"planned without an engine, less well than it could be: {why}", stacklevel=2)
        self.cost, self.bound = getattr(found, "cost", None), getattr(found, "lower_bound", None)
        return found.choice  # type: ignore[no-any-return]

    def _found(self, problem: AssignmentProblem) -> Any:
        from solvers.assignment.solve import solve  # noqa: PLC0415  (OR-Tools: 94 MB that the matcher can do without)
        from solvers.split import solve_split  # noqa: PLC0415

        limits = self.limits
        given: dict[str, Any] = {
            "time_limit_s": limits.time_limit_s,
            "seed": limits.seed,
            "workers": limits.workers,
            "work_limit": limits.work_limit,
        }
        if limits.parts > 1:
            given |= {"settled": self.settled, "elsewhere": self.elsewhere}
            return solve_split(problem, parts=limits.parts, **given)
        return solve(problem, enough=ENOUGH, **given)


def optimised(
    screening: Screening,
    limits: Limits,
    told: Told | None = None,
    elsewhere: Elsewhere | None = None,
) -> BatchPlan:
    """Screen, solve within the limits, check. Solved in parts, each is told as soon as it is settled.

    Nothing is told where offers stand that may move: they go first, and are known at the end. Parts may be
    solved `elsewhere`.
    """
    optimiser = Optimiser(limits)
    optimiser.elsewhere = elsewhere

    def tell(posed: Posed) -> None:
        if told is not None and not posed.stands.any():
            optimiser.settled = lambda columns: told(part_of(posed, columns))

    made = plan(screening, optimiser, tell)
    bound = made.bound if optimiser.bound is None else max(made.bound, optimiser.bound)
    return replace(made, bound=bound, limits=limits)
