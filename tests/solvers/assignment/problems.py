"""Small random problems of every kind, and their optimum by trying everything that could be tried."""

from __future__ import annotations

import numpy as np

from solvers.assignment.problem import AssignmentProblem


def random_problem(seed: int, *, requests: int = 6, most_columns: int = 6) -> AssignmentProblem:
    """Few buckets and units, so that capacity, caps, targets, precedence and pins all bind now and then."""
    rng = np.random.default_rng(seed)
    vendors, pools, buckets = int(rng.integers(1, 4)), int(rng.integers(1, 3)), int(rng.integers(1, 9))
    request = np.sort(rng.integers(0, requests, int(rng.integers(0, requests * most_columns + 1))))
    columns = len(request)
    pairs = rng.integers(0, requests, (int(rng.integers(0, 5)), 2))
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    return AssignmentProblem(
        request_penalty=rng.integers(-5, 100, requests),
        column_request=request,
        column_vendor=rng.integers(0, vendors, columns),
        column_resource=rng.integers(0, pools, columns),
        column_start=rng.integers(0, buckets, columns),
        column_duration=rng.integers(1, max(2, buckets // 2 + 1), columns),
        column_units=rng.integers(0, 4, columns),
        column_cost=rng.integers(-20, 90, columns),
        capacity=rng.integers(0, 5, (vendors, pools, buckets)),
        vendor_cap=rng.integers(0, requests + 1, vendors),
        vendor_target=rng.integers(0, 4, vendors),
        shortfall_cost=int(rng.integers(0, 30)),
        precedence=pairs,
        precedence_lag=rng.integers(-2, 3, len(pairs)),
    )


def optimum(problem: AssignmentProblem) -> int:
    """Least cost of any plan, by depth-first enumeration that shares nothing with the solvers."""
    start, duration = problem.column_start.tolist(), problem.column_duration.tolist()
    vendor, pool = problem.column_vendor.tolist(), problem.column_resource.tolist()
    free, room = problem.capacity.copy(), problem.vendor_cap.copy()
    pinned = {int(problem.column_request[c]): int(c) for c in problem.pinned}
    chosen: list[int] = []
    best = [2**62]

    def finish() -> None:
        cost = 0
        counts = np.zeros(len(room), np.int64)
        for request, column in enumerate(chosen):
            cost += int(problem.request_penalty[request] if column < 0 else problem.column_cost[column])
            if column >= 0:
                counts[vendor[column]] += 1
        for (first, second), lag in zip(problem.precedence.tolist(), problem.precedence_lag, strict=True):
            a, b = chosen[first], chosen[second]
            if b >= 0 and (a < 0 or start[a] + duration[a] + lag > start[b]):
                return
        cost += problem.shortfall_cost * int(np.maximum(problem.vendor_target - counts, 0).sum())
        best[0] = min(best[0], cost)

    def extend(request: int) -> None:
        if request == problem.requests:
            finish()
            return
        options = [-1, *np.flatnonzero(problem.column_request == request).tolist()]
        for column in [pinned[request]] if request in pinned else options:
            if column < 0:
                chosen.append(-1)
                extend(request + 1)
                chosen.pop()
                continue
            v, until = vendor[column], start[column] + duration[column]
            window = free[v, pool[column], start[column] : until]
            if len(window) < duration[column] or room[v] < 1 or (window < problem.column_units[column]).any():
                continue
            window -= problem.column_units[column]
            room[v] -= 1
            chosen.append(column)
            extend(request + 1)
            chosen.pop()
            room[v] += 1
            window += problem.column_units[column]

    extend(0)
    return best[0]
