"""One batch from screening to checked plan: what a solver process runs, and the fallback beside it.

Arrays in, arrays out; the plan says per request which candidate was chosen, which were next best, and what
the rules removed. Of requests that stand already it names those that move, and where to.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from solvers.apart import Apart, apart
from solvers.arrays import Ints, arrays_of, hash_arrays
from solvers.assignment.greedy import greedy
from solvers.assignment.plan import cost_of, least_of
from solvers.assignment.problem import AssignmentProblem
from solvers.candidates import Bytes, Screened, screen
from solvers.checker import check
from solvers.floor import for_share, gave_way_to
from solvers.held_back import NOBODY, forgone, held_back_by
from solvers.posing import Posed, pose
from solvers.rules.base import Candidates
from solvers.screening import Screening
from solvers.sequence import kept_whole

RUNNERS_UP = 3
_FIRST = 2**40  # cents: what stands comes before anything that could be dear

Solver = Callable[[AssignmentProblem], Ints]  #: a choice: R, column or -1


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Of one solve. With `work_limit` it ends by steps of work, on one core: same input, same bytes."""

    time_limit_s: float
    work_limit: int | None = None
    seed: int = 1
    workers: int = 1
    parts: int = 1  #: in which it is solved; see `solvers.split`


def _nobody() -> Ints:
    return np.zeros(0, np.int64)


@dataclass(frozen=True, eq=False)
class BatchPlan:
    """M of R requests matched, or moved where they stood before; who stands and is not among them stays."""

    chosen: Candidates  #: M
    cents: Ints  #: M; sum of all cost terms
    next_best: Ints  #: M x RUNNERS_UP x 3: vendor, start in ms, cents; vendor -1 for none
    candidate_counts: Ints  #: R; how many candidates each request had
    codes: tuple[str, ...]  #: the hard rules in the order in which they ran
    removed: Ints  #: R x rules; vendors that each removed first
    digest: str  #: of everything that the plan was made from
    seconds: float  #: real time that screening and solving took; 0: not measured
    solver: str  #: optimiser | greedy | insertion
    held_back_by: Ints  #: R; for whose sake a request has no match: before it, or in its bundle; -1 for none
    forgone: Ints  #: R x 3: vendor, start in ms, cents of the place it could have by itself; -1 for none
    cost: int = 0  #: cents of the whole: what is matched, moved and left out, as the optimiser counts it
    bound: int = 0  #: no plan costs less, cents
    limits: Limits | None = None  #: of the optimiser, if it was asked
    lost: Bytes | None = None  #: R x V; which rule removed the vendor first (`codes`), -1: none; not saved
    gave_way_to: Ints = field(default_factory=_nobody)  #: R; see `solvers.floor`. Empty: nobody did
    for_share: Ints = field(default_factory=_nobody)  #: rows; who is with a vendor that is short of its share


def plan(
    screening: Screening, solver: Solver | None = None, posed_as: Callable[[Posed], None] = lambda posed: None
) -> BatchPlan:
    """Screen, formulate, solve, check. `solver` None: greedy, which needs milliseconds and no OR-Tools.

    `posed_as` hears what the solver is then given. The greedy moves nobody. A solver's plan that would leave
    a standing request out gives way to its plan.

    Raises ValueError when the solver's plan breaks a constraint: such a plan is never returned.
    """
    began = time.perf_counter()
    screened = screen(screening)
    if solver is None and (found := apart(screening, screened)) is not None:
        return _plan_apart(screening, screened, found, began)
    posed = pose(screening, screened)
    posed_as(posed)
    choice, by = None if solver is None else _planned(posed, posed.priced, solver), "optimiser"
    if choice is None or not posed.places_all(choice):
        choice, by = _planned(posed, posed.unmoved, greedy), "greedy"
    columns = choice[(choice >= 0) & (choice != posed.held)]
    named = digest(screening)
    return plan_of(posed, columns, choice, digest=named, seconds=time.perf_counter() - began, solver=by)


def plan_of(
    posed: Posed, columns: Ints, choice: Ints, *, digest: str, solver: str, seconds: float = 0.0
) -> BatchPlan:
    """The plan that takes these columns (M) of the posed problem; `choice` (R): who then stands where."""
    screened, held_back = posed.screened, held_back_by(posed.problem, choice)
    return BatchPlan(
        **_of_columns(screened, columns, posed.screening.requests),
        digest=digest,
        seconds=seconds,
        solver=solver,
        held_back_by=held_back,
        forgone=forgone(posed.problem, choice, held_back, screened),
        cost=cost_of(posed.priced, choice),
        bound=least_of(posed.priced),
        gave_way_to=gave_way_to(posed, choice),
        for_share=for_share(posed, choice),
    )


def part_of(posed: Posed, columns: Ints) -> BatchPlan:
    """A part of a plan that is still made: these columns, checked by themselves. Raises ValueError."""
    choice = np.full(posed.screening.requests, -1, np.int64)
    choice[posed.problem.column_request[columns]] = columns
    check(posed.problem, choice).require()
    made = plan_of(posed, np.sort(columns), choice, digest=digest(posed.screening), solver="optimiser")
    return replace(made, lost=None)


def _of_columns(screened: Screened, columns: Ints, requests: int) -> dict[str, Any]:
    """What a plan says of its candidates, and of all that there were."""
    return {
        "chosen": screened.candidates.only(columns),
        "cents": screened.cents[columns],
        "next_best": _next_best(screened, columns),
        "candidate_counts": np.bincount(screened.candidates.request, minlength=requests),
        "codes": screened.codes,
        "removed": screened.removed,
        "lost": screened.lost,
    }


def _plan_apart(screening: Screening, screened: Screened, found: Apart, began: float) -> BatchPlan:
    """No request waits for another, nor gave way to one."""
    requests, named = screening.requests, digest(screening)
    return BatchPlan(
        **_of_columns(screened, found.choice[found.choice >= 0], requests),
        digest=named,
        seconds=time.perf_counter() - began,
        solver="greedy",
        held_back_by=np.full(requests, NOBODY),
        forgone=np.full((requests, 3), -1, np.int64),
        cost=found.cents,
        bound=found.cents,
    )


def _planned(posed: Posed, problem: AssignmentProblem, solver: Solver) -> Ints:
    choice = solver(problem)
    check(problem, choice).require()
    return within_caps(posed, choice)


def within_caps(posed: Posed, choice: Ints) -> Ints:
    """Leave out the dearest matches above what a resource takes on a day; those that stand already, last.

    The problem knows one cap per vendor. Where a vendor has several resources or days, theirs are kept here;
    what is left out, with what may not stand without it, is planned again in the next batch, which sees the
    cap reached.
    """
    matched = np.flatnonzero(choice >= 0)
    columns, held = choice[matched], posed.held[matched]
    some = posed.screened.candidates.only(columns)
    day = posed.screening.horizon.day_of(some.start_ms)
    yields = posed.screened.cents[columns] - _FIRST * ((held >= 0).astype(np.int64) + (held == columns))
    beyond = posed.screening.supply.beyond_caps(some.vendor, some.resource, day, yields)
    kept = choice.copy()
    kept[matched[beyond]] = -1
    return kept_whole(posed.problem, kept)


def _next_best(screened: Screened, columns: Ints) -> Ints:
    """For each chosen candidate, the cheapest of the other vendors (candidates are sorted by cost)."""
    candidates = screened.candidates
    found = np.full((len(columns), RUNNERS_UP, 3), -1, np.int64)
    begin = np.searchsorted(candidates.request, candidates.request[columns], side="left").tolist()
    end = np.searchsorted(candidates.request, candidates.request[columns], side="right").tolist()
    for row, column in enumerate(columns.tolist()):
        seen = {int(candidates.vendor[column])}
        for other in range(begin[row], end[row]):
            vendor = int(candidates.vendor[other])
            if vendor not in seen:
                seen.add(vendor)
                found[row, len(seen) - 2] = vendor, candidates.start_ms[other], screened.cents[other]
            if len(seen) > RUNNERS_UP:
                break
    return found


def digest(screening: Screening) -> str:
    """16 hex digits over every array, the tuning, the time and the travel source."""
    state = hashlib.blake2b(digest_size=8)
    parts = [arrays_of(screening.facts), screening.supply.arrays(), arrays_of(screening.horizon)]
    if screening.standing is not None:
        parts.append(arrays_of(screening.standing))
    if screening.sequence is not None:
        parts.append(arrays_of(screening.sequence))
    for arrays in (*parts, *screening.of_requests.values()):
        hash_arrays(state, arrays)
    rest = (
        screening.vendors_digest,
        sorted(screening.values.items()),
        screening.now_ms,
        screening.travel,
        screening.plugins,
    )
    state.update(repr(rest).encode())
    return state.hexdigest()
