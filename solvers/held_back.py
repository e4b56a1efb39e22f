"""Who waits for whom: unmatched because something before them is, or something of their bundle.

And what that may cost: the place that each of them could have by itself now, and may not find later.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from solvers.arrays import Flags, Ints
from solvers.assignment.problem import AssignmentProblem
from solvers.candidates import Screened
from solvers.insertion import Columns, Entry, StandingPlan, insert
from solvers.sequence import tied

NOBODY: Final = -1


def held_back_by(problem: AssignmentProblem, choice: Ints) -> Ints:
    """R; of those without a match the request that keeps them from it, -1 for none.

    That is what should come before it, else the one of its bundle that has no candidate, waits itself, or has
    no place in what the plan leaves. One without any candidate is kept by rules, not by others.
    """
    by = np.full(problem.requests, NOBODY)
    some = np.flatnonzero((choice < 0) & tied(problem))
    if not len(some):
        return by
    able = np.bincount(problem.column_request, minlength=problem.requests) > 0
    first, second = problem.precedence[choice[problem.precedence[:, 0]] < 0].T
    by[second] = first
    by[(choice >= 0) | ~able] = NOBODY
    plan = StandingPlan.of(problem, choice)
    for bundle in np.unique(problem.bundle[some][problem.bundle[some] >= 0]).tolist():
        members = np.flatnonzero(problem.bundle == bundle)
        placed = np.array([place_of(problem, plan, each) >= 0 for each in members.tolist()])
        _blame(by, members, able, placed)
    return by


def _blame(by: Ints, members: Ints, able: Flags, placed: Flags) -> None:
    """All of a bundle wait for the one that fails; where all could stand by themselves, for one another."""
    waits = by[members] != NOBODY
    worst = members[np.lexsort((placed, ~waits, able[members]))]
    culprit, other = int(worst[0]), int(worst[min(1, len(worst) - 1)])
    fails = not placed.all() or bool(waits.any())
    for member in members[~waits & able[members]].tolist():
        if member != culprit:
            by[member] = culprit
        elif not fails and other != culprit:
            by[member] = other


def place_of(problem: AssignmentProblem, plan: StandingPlan, request: int) -> int:
    """The cheapest column of a request that fits into what is left, whatever it costs; -1 for none."""
    found = insert(plan, Entry(request, Columns.of_request(problem, request)), polish=False)
    first = int(np.searchsorted(problem.column_request, request))
    return -1 if found is None else first + found.column


def forgone(problem: AssignmentProblem, choice: Ints, by: Ints, screened: Screened) -> Ints:
    """R x 3: vendor, start in ms and cents of the place that who is held back could have now; -1 for none."""
    found = np.full((problem.requests, 3), -1, np.int64)
    waiting = np.flatnonzero(by != NOBODY)
    plan = StandingPlan.of(problem, choice) if len(waiting) else None
    for request in waiting.tolist():
        column = place_of(problem, plan, request) if plan is not None else -1
        if column >= 0:
            one = screened.candidates.at(column)
            found[request] = one.vendor, one.start_ms, screened.cents[column]
    return found
