"""A first plan: dearest requests first, each at its cheapest column that still fits."""

from __future__ import annotations

import numpy as np

from solvers.assignment.problem import AssignmentProblem
from solvers.assignment.validation import Ints


def greedy(problem: AssignmentProblem) -> Ints:
    """R; a feasible choice. Pinned columns first, then by regret, predecessors before successors."""
    free, left = problem.capacity.copy(), problem.vendor_cap.copy()
    choice = np.full(problem.requests, -1, np.int64)
    before: dict[int, list[tuple[int, int]]] = {}
    after: dict[int, list[tuple[int, int]]] = {}
    for (first, second), lag in zip(
        problem.precedence.tolist(), problem.precedence_lag.tolist(), strict=True
    ):
        before.setdefault(second, []).append((first, lag))
        after.setdefault(first, []).append((second, lag))
    bounds = np.searchsorted(problem.column_request, np.arange(problem.requests + 1))
    fits = problem.fits_alone

    def take(column: int) -> bool:
        request, vendor = int(problem.column_request[column]), int(problem.column_vendor[column])
        start, duration = int(problem.column_start[column]), int(problem.column_duration[column])
        units = problem.column_units[column]
        window = free[vendor, problem.column_resource[column], start : start + duration]
        if not fits[column] or left[vendor] <= 0 or (window < units).any():
            return False
        for first, lag in before.get(request, ()):
            held = int(choice[first])
            if held < 0 or problem.column_start[held] + problem.column_duration[held] + lag > start:
                return False
        for second, lag in after.get(request, ()):
            held = int(choice[second])
            if held >= 0 and start + duration + lag > problem.column_start[held]:
                return False
        window -= units
        left[vendor] -= 1
        choice[request] = column
        return True

    for first in _pins_in_order(problem):
        take(first)
    for request in _order(problem, bounds):
        if choice[request] >= 0:
            continue
        columns = np.arange(bounds[request], bounds[request + 1])
        for column in columns[np.argsort(problem.column_cost[columns], kind="stable")].tolist():
            if problem.column_cost[column] >= problem.request_penalty[request] or take(column):
                break
    return choice


def _pins_in_order(problem: AssignmentProblem) -> list[int]:
    """Pinned columns by start, so that a predecessor is taken before its successor."""
    return [int(c) for c in problem.pinned[np.argsort(problem.column_start[problem.pinned], kind="stable")]]


def _order(problem: AssignmentProblem, bounds: Ints) -> list[int]:
    cheapest = problem.request_penalty.copy()
    np.minimum.at(cheapest, problem.column_request, problem.column_cost)
    by_regret = np.argsort(cheapest - problem.request_penalty, kind="stable")
    depth = np.zeros(problem.requests, np.int64)
    for _ in range(64):
        deeper = depth.copy()
        np.maximum.at(deeper, problem.precedence[:, 1], depth[problem.precedence[:, 0]] + 1)
        if (deeper == depth).all():
            break
        depth = deeper
    return [int(r) for r in by_regret[np.argsort(depth[by_regret], kind="stable")]]
