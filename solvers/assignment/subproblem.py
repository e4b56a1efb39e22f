"""Some requests of a problem as a problem of its own, all others staying where they are.

It has the vendors that matter to them and no others: of a market of 900, a part or a neighbourhood concerns
few, and a plan keeps a dozen arrays of V x K x B.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solvers.arrays import Flags, Ints
from solvers.assignment.problem import AssignmentProblem


@dataclass(frozen=True)
class Subproblem:
    """`inside`: requests, closed under precedence and bundles; `columns`, `vendors`: of the whole.

    All three ascending.
    """

    problem: AssignmentProblem
    inside: Ints
    columns: Ints
    vendors: Ints
    start: Ints  #: how the inside stands now, as a choice of `problem`

    def merged(self, choice: Ints, found: Ints) -> Ints:
        """The whole choice with what was found inside."""
        whole = choice.copy()
        whole[self.inside] = np.append(self.columns, -1)[found]
        return whole


def restrict(
    problem: AssignmentProblem, choice: Ints, inside: Ints, columns: Ints, targets: Flags | None = None
) -> Subproblem:
    """What `inside` may do with what the others leave; `columns`: candidates, its present ones are added.

    `targets`: V; vendors whose targets count; None: all.
    """
    own = choice[inside]
    columns = np.unique(np.concatenate([columns, own[own >= 0]]))
    outside = choice.copy()
    outside[inside] = -1
    taken = outside[outside >= 0]
    counts = np.bincount(problem.column_vendor[taken], minlength=len(problem.vendor_cap))
    target = np.maximum(problem.vendor_target - counts, 0) * (1 if targets is None else targets)
    vendors = np.union1d(problem.column_vendor[columns], np.flatnonzero(target * problem.shortfall_cost))
    part = AssignmentProblem(
        request_penalty=problem.request_penalty[inside],
        column_request=np.searchsorted(inside, problem.column_request[columns]),
        column_vendor=np.searchsorted(vendors, problem.column_vendor[columns]),
        column_resource=problem.column_resource[columns],
        column_start=problem.column_start[columns],
        column_duration=problem.column_duration[columns],
        column_units=problem.column_units[columns],
        column_cost=problem.column_cost[columns],
        column_begin=problem.column_begin[columns if len(problem.column_begin) else slice(0)],
        column_end=problem.column_end[columns if len(problem.column_end) else slice(0)],
        capacity=_left(problem, taken, vendors),
        vendor_cap=(problem.vendor_cap - counts)[vendors],
        vendor_target=target[vendors],
        shortfall_cost=problem.shortfall_cost,
        bundle=problem.bundle[inside],
        **_pairs(problem, inside),
    )
    start = np.where(own >= 0, np.searchsorted(columns, np.maximum(own, 0)), -1)
    return Subproblem(part, inside, columns, vendors, start)


def _pairs(problem: AssignmentProblem, inside: Ints) -> dict[str, Ints]:
    """Those of precedence that lie within."""
    index = np.full(problem.requests, -1)
    index[inside] = np.arange(len(inside))
    pairs = index[problem.precedence]
    within = (pairs >= 0).all(axis=1)
    return {
        "precedence": pairs[within],
        "precedence_lag": problem.precedence_lag[within],
        "precedence_most": problem.precedence_most[within],
        "precedence_from_start": problem.precedence_from_start[within],
    }


def _left(problem: AssignmentProblem, taken: Ints, vendors: Ints) -> Ints:
    """v x K x B; capacity of these vendors without what the columns take."""
    left: Ints = problem.capacity[vendors]
    taken = taken[np.isin(problem.column_vendor[taken], vendors)]
    change = np.zeros((*left.shape[:2], left.shape[2] + 1), np.int64)
    where = np.searchsorted(vendors, problem.column_vendor[taken]), problem.column_resource[taken]
    start, units = problem.column_start[taken], problem.column_units[taken]
    np.add.at(change, (*where, start), units)
    np.subtract.at(change, (*where, start + problem.column_duration[taken]), units)
    left -= change.cumsum(axis=2)[:, :, :-1]
    return left
