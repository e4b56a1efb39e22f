"""One batch from screening to checked plan: what a solver process runs, and the fallback beside it.

Arrays in, arrays out; the plan says per request which candidate was chosen, which were next best, and what
the rules removed.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from solvers.arrays import Ints, arrays_of, hash_arrays
from solvers.assignment.greedy import greedy
from solvers.assignment.problem import AssignmentProblem
from solvers.candidates import Screened, screen
from solvers.checker import check
from solvers.formulation import formulate
from solvers.rules.base import Candidates
from solvers.screening import Screening

RUNNERS_UP = 3

Solver = Callable[[AssignmentProblem], Ints]  #: a choice: R, column or -1


@dataclass(frozen=True, eq=False)
class BatchPlan:
    """M of R requests matched, by request ascending."""

    chosen: Candidates  #: M
    cents: Ints  #: M; sum of all cost terms
    next_best: Ints  #: M x RUNNERS_UP x 3: vendor, start in ms, cents; vendor -1 for none
    candidate_counts: Ints  #: R; how many candidates each request had
    codes: tuple[str, ...]  #: the hard rules in the order in which they ran
    removed: Ints  #: R x rules; vendors that each removed first
    digest: str  #: of everything that the plan was made from
    seconds: float  #: real time that screening and solving took
    solver: str  #: optimiser | greedy


def plan(screening: Screening, solver: Solver | None = None) -> BatchPlan:
    """Screen, formulate, solve, check. `solver` None: greedy, which needs milliseconds and no OR-Tools.

    Raises ValueError when the solver's plan breaks a constraint: such a plan is never returned.
    """
    began = time.perf_counter()
    screened = screen(screening)
    problem = formulate(screening, screened)
    choice = greedy(problem) if solver is None else solver(problem)
    check(problem, choice).require()
    choice = _within_caps(screening, screened, choice)
    columns = choice[choice >= 0]
    return BatchPlan(
        chosen=screened.candidates.only(columns),
        cents=screened.cents[columns],
        next_best=_next_best(screened, columns),
        candidate_counts=np.bincount(screened.candidates.request, minlength=screening.requests),
        codes=screened.codes,
        removed=screened.removed,
        digest=digest(screening),
        seconds=time.perf_counter() - began,
        solver="greedy" if solver is None else "optimiser",
    )


def _within_caps(screening: Screening, screened: Screened, choice: Ints) -> Ints:
    """Leave out the dearest matches above what a resource takes on a day.

    The problem knows one cap per vendor. Where a vendor has several resources or days, theirs are kept here;
    what is left out is planned again in the next batch, which sees the cap reached.
    """
    matched = np.flatnonzero(choice >= 0)
    columns = choice[matched]
    some = screened.candidates.only(columns)
    day = screening.horizon.day_of(some.start_ms)
    beyond = screening.supply.beyond_caps(some.vendor, some.resource, day, screened.cents[columns])
    kept = choice.copy()
    kept[matched[beyond]] = -1
    return kept


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
