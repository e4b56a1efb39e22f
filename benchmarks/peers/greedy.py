"""Requests by what leaving them costs, each at its cheapest column that still fits: a page of plain Python.

What a team writes first; independent of ours, which is priced and in C.
"""

from __future__ import annotations

import time

import numpy as np

from benchmarks.peers.contender import Outcome
from solvers.assignment.problem import AssignmentProblem


def solve(problem: AssignmentProblem, seconds: float, seed: int, workers: int) -> Outcome:
    """The seed and workers play no part."""
    started = time.monotonic()
    choice = np.full(problem.requests, -1, np.int64)
    free, room = problem.capacity.copy(), problem.vendor_cap.copy()
    first = np.searchsorted(problem.column_request, np.arange(problem.requests + 1))
    before: dict[int, list[tuple[int, int]]] = {}
    for (one, two), lag in zip(problem.precedence.tolist(), problem.precedence_lag.tolist(), strict=True):
        before.setdefault(two, []).append((one, lag))
    end = problem.column_start + problem.column_duration
    # successors after all others, so that each predecessor has its place when they look for theirs
    order = sorted(range(problem.requests), key=lambda r: (r in before, -problem.request_penalty[r]))
    for request in order:
        if time.monotonic() - started > seconds:
            break
        held = [(int(choice[one]), lag) for one, lag in before.get(request, ())]
        if any(column < 0 for column, _ in held):
            continue
        ready = max((int(end[column]) + lag for column, lag in held), default=0)
        columns = np.arange(first[request], first[request + 1])
        for column in columns[np.argsort(problem.column_cost[columns], kind="stable")].tolist():
            vendor, start = problem.column_vendor[column], problem.column_start[column]
            window = free[vendor, problem.column_resource[column], start : end[column]]
            if problem.column_cost[column] >= problem.request_penalty[request]:
                break
            if start < ready or room[vendor] < 1 or (window < problem.column_units[column]).any():
                continue
            if len(window) < problem.column_duration[column] or _breaks_a_successor(
                problem, choice, request, column
            ):
                continue
            window -= problem.column_units[column]
            room[vendor] -= 1
            choice[request] = column
            break
    return Outcome(choice)


def _breaks_a_successor(problem: AssignmentProblem, choice: np.ndarray, request: int, column: int) -> bool:
    """Only where precedence runs in a circle can a successor be placed already."""
    pairs = np.flatnonzero(problem.precedence[:, 0] == request)
    after = choice[problem.precedence[pairs, 1]]
    ready = problem.column_start[column] + problem.column_duration[column] + problem.precedence_lag[pairs]
    return bool(((after >= 0) & (ready > problem.column_start[after])).any())
