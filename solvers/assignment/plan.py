"""What a choice costs, and whether it keeps every constraint: the optimiser's own book-keeping.

The independent judge is `solvers.checker`, which shares no code with this.
"""

from __future__ import annotations

import numpy as np

from solvers.arrays import Flags, Ints
from solvers.assignment.problem import AssignmentProblem


def cost_of(problem: AssignmentProblem, choice: Ints) -> int:
    """Columns + penalties + shortfalls, cents. `choice`: R, column or -1."""
    chosen = choice[choice >= 0]
    total = int(problem.column_cost[chosen].sum()) + int(problem.request_penalty[choice < 0].sum())
    if problem.shortfall_cost:
        counts = np.bincount(problem.column_vendor[chosen], minlength=len(problem.vendor_target))
        total += problem.shortfall_cost * int(np.maximum(problem.vendor_target - counts, 0).sum())
    return total


def pins_of(problem: AssignmentProblem) -> Ints:
    """R; the choice that holds what is pinned, and nothing else: always feasible."""
    choice = np.full(problem.requests, -1, np.int64)
    choice[problem.column_request[problem.pinned]] = problem.pinned
    return choice


def least_of(problem: AssignmentProblem) -> int:
    """Cents below which no plan lies: each request at its cheapest, targets met as far as requests may go."""
    least = problem.request_penalty.copy()
    np.minimum.at(least, problem.column_request, problem.column_cost)
    least[problem.column_request[problem.pinned]] = problem.column_cost[problem.pinned]
    target = problem.vendor_target
    far = np.maximum(target - np.minimum(problem.vendor_cap, problem.requests), 0).sum()
    short = max(int(far), int(target.sum()) - problem.requests)
    return int(least.sum()) + short * problem.shortfall_cost


def is_feasible(problem: AssignmentProblem, choice: Ints) -> bool:
    """Whether `choice` keeps capacity, caps, precedence, bundles and pins."""
    taken = choice >= 0
    chosen = choice[taken]
    if not (problem.column_request[chosen] == np.flatnonzero(taken)).all():
        return False
    if (problem.column_start[chosen] + problem.column_duration[chosen] > problem.capacity.shape[2]).any():
        return False
    if not (choice[problem.column_request[problem.pinned]] == problem.pinned).all():
        return False
    return (
        keeps_caps(problem, choice) and _capacity_holds(problem, chosen) and not len(broken(problem, choice))
    )


def keeps_caps(problem: AssignmentProblem, choice: Ints) -> bool:
    """Whether no vendor has more than its cap."""
    vendors = problem.column_vendor[choice[choice >= 0]]
    counts = np.bincount(vendors, minlength=len(problem.vendor_cap))
    return bool((counts <= problem.vendor_cap).all())


def _capacity_holds(problem: AssignmentProblem, chosen: Ints) -> bool:
    vendors, pools, buckets = problem.capacity.shape
    change = np.zeros((vendors, pools, buckets + 1), np.int64)
    where = problem.column_vendor[chosen], problem.column_resource[chosen]
    start = problem.column_start[chosen]
    np.add.at(change, (*where, start), problem.column_units[chosen])
    np.subtract.at(change, (*where, start + problem.column_duration[chosen]), problem.column_units[chosen])
    return bool((change.cumsum(axis=2)[:, :, :buckets] <= problem.capacity).all())


def broken(problem: AssignmentProblem, choice: Ints) -> Ints:
    """Requests in pairs and bundles that do not hold, ascending."""
    of, taken = problem.bundle, choice >= 0
    halves = (of >= 0) & np.isin(of, of[taken]) & np.isin(of, of[~taken])
    pairs = problem.precedence[_broken_pairs(problem, choice)]
    return np.union1d(np.flatnonzero(halves), pairs)


def _broken_pairs(problem: AssignmentProblem, choice: Ints) -> Flags:
    """P; whose second is matched without the first, or at another time than that allows."""
    first, second = choice[problem.precedence[:, 0]], choice[problem.precedence[:, 1]]
    found, both = second >= 0, (first >= 0) & (second >= 0)
    begin, end = problem.work(first[both])
    after = problem.work(second[both])[0] - np.where(problem.precedence_from_start[both], begin, end)
    least, most = problem.precedence_lag[both], problem.precedence_most[both]
    found[both] = (after < least) | (after > most)
    return np.asarray(found)
