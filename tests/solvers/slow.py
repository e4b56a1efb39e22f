"""Slow, obvious versions in plain Python, to hold the fast ones against; and small random problems."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import strategies as st

from solvers.assignment.problem import AssignmentProblem


def slow_cost(problem: AssignmentProblem, choice: list[int]) -> int | None:
    """Cost of the plan in cents, or None if it breaks anything."""
    left, counts = problem.capacity.tolist(), [0] * problem.capacity.shape[0]
    cost = 0
    for request, column in enumerate(choice):
        if column < 0:
            cost += int(problem.request_penalty[request])
            continue
        if not _take(problem, column, left):
            return None
        counts[problem.column_vendor[column]] += 1
        cost += int(problem.column_cost[column])
    for count, cap, target in zip(counts, problem.vendor_cap, problem.vendor_target, strict=True):
        if count > max(cap, 0):
            return None
        cost += max(0, int(target) - count) * problem.shortfall_cost
    if not _in_order(problem, choice) or any(choice[problem.column_request[c]] != c for c in problem.pinned):
        return None
    return cost


def _take(problem: AssignmentProblem, column: int, left: list[list[list[int]]]) -> bool:
    row = left[problem.column_vendor[column]][problem.column_resource[column]]
    first = int(problem.column_start[column])
    for bucket in range(first, first + int(problem.column_duration[column])):
        if bucket >= len(row) or row[bucket] < problem.column_units[column]:
            return False
        row[bucket] -= int(problem.column_units[column])
    return True


def _in_order(problem: AssignmentProblem, choice: list[int]) -> bool:
    for (first, second), lag in zip(problem.precedence, problem.precedence_lag, strict=True):
        if choice[second] < 0:
            continue
        if choice[first] < 0:
            return False
        ends = problem.column_start[choice[first]] + problem.column_duration[choice[first]]
        if ends + lag > problem.column_start[choice[second]]:
            return False
    return True


def best_cost(problem: AssignmentProblem) -> int | None:
    """The cheapest plan by trying all of them; None if no plan is feasible."""
    options = [
        [-1, *np.flatnonzero(problem.column_request == request).tolist()]
        for request in range(problem.requests)
    ]
    costs = (slow_cost(problem, list(choice)) for choice in itertools.product(*options))
    return min((cost for cost in costs if cost is not None), default=None)


@st.composite
def problems(draw: st.DrawFn, most_requests: int = 5, most_each: int = 3) -> AssignmentProblem:
    """Small adversarial problems: tight capacity, caps, targets, precedence, columns that never fit."""
    seed = draw(st.integers(0, 2**32 - 1))
    requests = draw(st.integers(0, most_requests))
    vendors, pools, buckets = (draw(st.integers(1, most)) for most in (3, 2, 6))
    rng = np.random.default_rng(seed)
    per = rng.integers(0, most_each + 1, requests)
    columns, pairs = int(per.sum()), draw(st.integers(0, 2)) if requests > 1 else 0
    ordered = np.array([sorted(rng.permutation(requests)[:2]) for _ in range(pairs)]).reshape(-1, 2)
    return AssignmentProblem(
        request_penalty=rng.integers(0, 60, requests),
        column_request=np.repeat(np.arange(requests), per),
        column_vendor=rng.integers(0, vendors, columns),
        column_resource=rng.integers(0, pools, columns),
        column_start=rng.integers(0, buckets, columns),
        column_duration=rng.integers(1, 4, columns),
        column_units=rng.integers(draw(st.integers(0, 1)), 4, columns),
        column_cost=rng.integers(draw(st.sampled_from([-10, 0])), 50, columns),
        capacity=rng.integers(0, draw(st.integers(1, 4)) + 1, (vendors, pools, buckets)),
        vendor_cap=rng.integers(0, requests + 1, vendors)
        if draw(st.booleans())
        else np.full(vendors, requests),
        vendor_target=rng.integers(0, 3, vendors) * draw(st.integers(0, 1)),
        shortfall_cost=draw(st.sampled_from([0, 3, 30])),
        precedence=ordered.astype(np.int64),
        precedence_lag=rng.integers(-1, 3, pairs),
    )
