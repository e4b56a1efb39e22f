"""Where fairness changed a choice: for requests whose group lies behind, for vendors short of their share."""

from __future__ import annotations

from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np

from solvers.arrays import Ints
from solvers.formulation import floor_worth
from solvers.insertion import Columns, Entry, StandingPlan, insert
from solvers.posing import Posed
from solvers.rules import fairness
from solvers.rules.base import View
from solvers.sequence import tied

NOBODY: Final = -1
_MOST_SHARED: Final = 256
_MOST: Final = 16  # of either side that are looked at: some hundred places, each some 50 us


def gave_way_to(posed: Posed, choice: Ints) -> Ints:
    """R; the request that has what this one would have had without the floor, -1 for none. Empty: nobody did.

    Verified one for one: with that one, who lies farther behind, out, this one has a place; and as both are
    worth without the floor, the plan is as good or better so. Sequences and bundles are not looked at.
    """
    problem, behind = posed.problem, fairness.behind(posed.screening)
    free = ~tied(problem) & (posed.held < 0)
    ahead = np.flatnonzero((behind > 0) & (choice >= 0) & free)
    able = np.bincount(problem.column_request, minlength=problem.requests) > 0
    left = np.flatnonzero((choice < 0) & able & free)
    if not len(ahead) or not len(left):
        return np.zeros(0, np.int64)
    found = np.full(problem.requests, NOBODY)
    plan, worth = StandingPlan.of(problem, choice), _worth(posed)
    ahead = ahead[np.argsort(-behind[ahead], kind="stable")][:_MOST]
    left = left[np.argsort(behind[left], kind="stable")][:_MOST]
    for one in ahead.tolist():
        booking = plan.release(one)
        saved = worth.penalty[one] - worth.cost[choice[one]]
        for other in left[(found[left] == NOBODY) & (behind[left] < behind[one])].tolist():
            place = insert(plan, Entry(other, Columns.of_request(problem, other)), polish=False)
            if place is not None and worth.penalty[other] - worth.of(other, place.column) >= saved:
                found[other] = one
        plan.add(booking.entry, booking.column)
    return found if (found != NOBODY).any() else np.zeros(0, np.int64)


def for_share(posed: Posed, choice: Ints) -> Ints:
    """Requests that are with a vendor because that is short of its share, and would else be elsewhere.

    Verified one for one: with nothing else changed there is a cheaper place.
    """
    problem = posed.problem
    wanted = problem.vendor_target > 0
    matched = np.flatnonzero((choice >= 0) & ~tied(problem) & (posed.held < 0))
    some = matched[wanted[problem.column_vendor[choice[matched]]]][:_MOST_SHARED]
    if not problem.shortfall_cost or not len(some):
        return np.zeros(0, np.int64)
    plan, found = StandingPlan.of(replace(problem, vendor_target=0 * problem.vendor_target), choice), []
    for one in some.tolist():
        booking = plan.release(one)
        place = insert(plan, Entry(one, booking.entry.columns), polish=False)
        if place is not None and place.cents < problem.column_cost[choice[one]]:
            found.append(one)
        plan.add(booking.entry, booking.column)
    return np.array(found, np.int64)


class _Worth(NamedTuple):
    """Without the floor."""

    penalty: Ints  #: R
    cost: Ints  #: N
    first: Ints  #: R; of each request's columns

    def of(self, request: int, column: int) -> int:
        """Cents of a request's column."""
        return int(self.cost[self.first[request] + column])


def _worth(posed: Posed) -> _Worth:
    problem, screening = posed.problem, posed.screening
    view = View(screening, slice(0, screening.requests), fairness.RULE.code)
    return _Worth(
        penalty=problem.request_penalty - floor_worth(screening),
        cost=problem.column_cost - fairness.RULE.cents(view, posed.screened.candidates),
        first=np.searchsorted(problem.column_request, np.arange(problem.requests)),
    )
