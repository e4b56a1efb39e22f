"""Which part of a split problem a request goes to, and which requests lie along the seams."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from solvers.areas import NEAREST, areas, best_together
from solvers.arrays import Flags, Floats, Ints
from solvers.assignment.problem import AssignmentProblem
from solvers.assignment.result import AssignmentResult

NOWHERE: Final = -1
_MOST: Final = 0.08  #: share of the requests that are along seams at the most


@dataclass(frozen=True, eq=False)
class Split:
    """V vendors and R requests in parts."""

    vendor: Ints  #: V; its part
    request: Ints  #: R; the part that it goes to, or NOWHERE
    seam: Flags  #: R; whether another part would serve it nearly as well
    group: Ints  #: R; those in one sequence or bundle share a number, and the part

    @property
    def sizes(self) -> Ints:
        """Requests of each part."""
        return np.bincount(
            self.request[self.request != NOWHERE], minlength=int(self.vendor.max(initial=0)) + 1
        )

    @property
    def alone(self) -> Flags:
        """R; who is in no sequence and no bundle."""
        return np.asarray(np.bincount(self.group)[self.group] == 1)

    def with_tied(self, some: Flags) -> Flags:
        """R; with all that these are tied to."""
        return np.asarray(np.bincount(self.group, some, len(some))[self.group] > 0)


@dataclass(frozen=True, eq=False)
class _Best:
    """n; of each request and vendor the best candidate at the prices; requests ascending, best first."""

    request: Ints
    vendor: Ints
    cents: Floats
    rank: Ints  #: of the vendor for the request


def split_of(problem: AssignmentProblem, parts: int, first: AssignmentResult) -> Split:
    """The parts; each request goes where its vendor is in a first plan, who has none where it is cheapest.

    Those that are tied to each other go there together; where they stand on both sides of a seam they are of
    no part, and stay where they are until the seams are solved.
    """
    vendors, group, matched = len(problem.vendor_cap), _groups(problem), first.choice >= 0
    best = _best_of_vendors(problem, first.prices)
    near = best.rank < NEAREST
    work = np.bincount(problem.column_vendor[first.choice[matched]], minlength=vendors)
    of = areas(best_together(best.request[near], best.vendor[near], vendors), work, parts)
    costs = _costs(problem, best, of, group)[group]
    there = of[problem.column_vendor[first.choice[matched]]]
    low, high = np.full(problem.requests, parts), np.full(problem.requests, -1)
    np.minimum.at(low, group[matched], there)
    np.maximum.at(high, group[matched], there)
    request = np.where(low == high, low, np.where(high < 0, np.argmin(costs, axis=1), NOWHERE))[group]
    return Split(of, request, _along(costs, request), group)


def _along(costs: Floats, request: Ints) -> Flags:
    """R; who is of no part, or costs least more in the best of the others, with a candidate there."""
    placed = np.flatnonzero(request != NOWHERE)
    own, others = costs[placed, request[placed]], costs.copy()
    others[placed, request[placed]] = np.inf
    more = np.full(len(request), -np.inf)
    more[placed] = others[placed].min(axis=1) - np.where(np.isfinite(own), own, 0.0)
    width = np.sort(more)[: int(_MOST * len(more)) + 1][-1:]
    return np.asarray((more < np.inf) & (more <= width))


def _costs(problem: AssignmentProblem, best: _Best, of: Ints, group: Ints) -> Floats:
    """R x parts; what a group (by its least request) costs in each part, at the prices; infinite: nothing."""
    parts = int(of.max(initial=0)) + 1
    alone = np.full((problem.requests, parts), np.inf)
    np.minimum.at(alone, (best.request, of[best.vendor]), best.cents)
    somewhere = np.isfinite(alone)
    together, anything = np.zeros_like(alone), np.zeros_like(alone)
    np.add.at(together, group, np.where(somewhere, alone, problem.request_penalty[:, None]))
    np.add.at(anything, group, somewhere)
    return np.where(anything > 0, together, np.inf)


def _best_of_vendors(problem: AssignmentProblem, prices: Floats) -> _Best:
    paid = np.concatenate([np.zeros((*prices.shape[:2], 1)), prices.cumsum(axis=2)], axis=2)
    columns = np.flatnonzero(problem.fits_alone)
    request, vendor = problem.column_request[columns], problem.column_vendor[columns]
    where, start = (vendor, problem.column_resource[columns]), problem.column_start[columns]
    used = paid[*where, start + problem.column_duration[columns]] - paid[*where, start]
    cents = problem.column_cost[columns] + problem.column_units[columns] * used
    order = np.lexsort((cents, vendor, request))
    order = order[np.flatnonzero(np.diff((request * len(problem.vendor_cap) + vendor)[order], prepend=-1))]
    order = order[np.lexsort((cents[order], request[order]))]
    of = request[order]
    begins = np.flatnonzero(np.diff(of, prepend=-1))
    rank = np.arange(len(of)) - np.repeat(begins, np.diff(np.append(begins, len(of))))
    return _Best(of, vendor[order], cents[order], rank)


def _groups(problem: AssignmentProblem) -> Ints:
    """R; the least request of those that it is tied to, in sequence or in a bundle."""
    group, bundled = np.arange(problem.requests), np.flatnonzero(problem.bundle >= 0)
    bundled = bundled[np.argsort(problem.bundle[bundled], kind="stable")]
    same = np.diff(problem.bundle[bundled]) == 0
    pairs = np.concatenate([problem.precedence, np.stack([bundled[:-1][same], bundled[1:][same]], axis=1)])
    while True:
        before, least = group.copy(), group[pairs].min(axis=1)
        np.minimum.at(group, pairs.reshape(-1), np.repeat(least, 2))
        if (group == before).all():
            return group
