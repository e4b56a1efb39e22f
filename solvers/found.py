"""A plan that was found elsewhere, as the places alone that it takes; here the whole of it is made again.

Nothing of what the finder says is believed: costs, reasons and what is next best are worked out anew, and the
places pass the checker. So a finder of another version, or a wrong one, gives a plan like any other, or none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from solvers.arrays import Ints
from solvers.assignment.greedy import greedy
from solvers.assignment.subproblem import restrict
from solvers.checker import check
from solvers.planning import BatchPlan, Limits, plan, plan_of, within_caps
from solvers.posing import Posed, pose
from solvers.rules.base import Candidates
from solvers.screening import Screening

SOLVERS = ("optimiser", "greedy")


@dataclass(frozen=True, eq=False)
class Found:
    """M of the requests are matched, or moved where they stood; the others are not, or stay."""

    digest: str  #: of what it was made from
    request: Ints  #: M
    vendor: Ints  #: M
    resource: Ints  #: M
    start_ms: Ints  #: M
    bound: int = 0  #: no plan costs less, as the finder says
    seconds: float = 0.0
    solver: str = SOLVERS[0]

    @classmethod
    def of(cls, plan: BatchPlan) -> Found:
        """The places of a plan."""
        one = plan.chosen
        return cls(
            plan.digest, one.request, one.vendor, one.resource, one.start_ms,
            plan.bound, plan.seconds, plan.solver,
        )  # fmt: skip


def planned_again(
    screening: Screening, found: Found, limits: Limits | None = None, posed: Posed | None = None
) -> BatchPlan:
    """The whole plan; `posed`: the screening, where that was done before.

    Raises ValueError for places that are none of this screening's, or break a rule.
    """
    if found.solver not in SOLVERS:
        raise ValueError(f"a plan is by {found.solver!r}; known: {', '.join(SOLVERS)}")
    posed = posed or pose(screening)
    rows, choice = _rows(found, screening.requests), posed.held.copy()
    choice[rows] = _columns(posed, found)
    check(posed.priced, choice).require()
    if not posed.places_all(choice):
        raise ValueError("a plan leaves out who has an offer")
    choice = within_caps(posed, choice)
    columns = choice[(choice >= 0) & (choice != posed.held)]
    made = plan_of(posed, columns, choice, digest=found.digest, seconds=found.seconds, solver=found.solver)
    bound = min(max(made.bound, found.bound), made.cost)
    return replace(made, bound=bound, limits=limits)


def planned_beside(screening: Screening, told: Sequence[BatchPlan], limits: Limits) -> BatchPlan:
    """The greedy's plan, beside parts that were told before the optimiser broke: those are in it as they are.

    It counts as the optimiser's, within its time and not by steps of work: it is judged when it is replayed.
    """
    if not told:
        return plan(screening)
    posed, found = pose(screening), _together([each.chosen for each in told], told[0].digest)
    choice = posed.held.copy()
    choice[found.request] = _columns(posed, found)
    others = np.flatnonzero(choice < 0)
    columns = np.flatnonzero(np.isin(posed.unmoved.column_request, others))
    rest = restrict(posed.unmoved, choice, others, columns)
    choice = rest.merged(choice, greedy(rest.problem))
    whole = _together([posed.screened.candidates.only(choice[choice != posed.held])], found.digest)
    return planned_again(screening, whole, replace(limits, work_limit=None), posed)


def _together(some: Sequence[Candidates], digest: str) -> Found:
    """The places of all of them."""
    return Found(
        digest,
        request=np.concatenate([each.request for each in some]),
        vendor=np.concatenate([each.vendor for each in some]),
        resource=np.concatenate([each.resource for each in some]),
        start_ms=np.concatenate([each.start_ms for each in some]),
    )


def _rows(found: Found, requests: int) -> Ints:
    arrays = (found.request, found.vendor, found.resource, found.start_ms)
    if any(each.dtype != np.int64 or each.shape != found.request.shape or each.ndim != 1 for each in arrays):
        raise ValueError("a plan's places are no four rows of whole numbers")
    rows = found.request
    if len(rows) and (rows.min() < 0 or rows.max() >= requests or len(np.unique(rows)) < len(rows)):
        raise ValueError(f"a plan names requests that are not among the {requests}, or one twice")
    return rows


def _columns(posed: Posed, found: Found) -> Ints:
    """The candidate that each place is."""
    all_, columns = posed.screened.candidates, np.full(len(found.request), -1, np.int64)
    begins = np.searchsorted(all_.request, found.request, side="left").tolist()
    ends = np.searchsorted(all_.request, found.request, side="right").tolist()
    for row, (begin, end) in enumerate(zip(begins, ends, strict=True)):
        some = slice(begin, end)
        same = (all_.vendor[some] == found.vendor[row]) & (all_.start_ms[some] == found.start_ms[row])
        there = np.flatnonzero(same & (all_.resource[some] == found.resource[row]))
        if not len(there):
            raise ValueError(f"a plan puts request {found.request[row]} where none of its candidates is")
        columns[row] = begin + there[0]
    return columns
