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
    if not (_in_order(problem, choice) and _whole(problem, choice)) or any(
        choice[problem.column_request[c]] != c for c in problem.pinned
    ):
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
    for pair, (first, second) in enumerate(problem.precedence):
        if choice[second] < 0:
            continue
        if choice[first] < 0:
            return False
        begins, ends = _times(problem, choice[first])
        after = _times(problem, choice[second])[0] - (begins if problem.precedence_from_start[pair] else ends)
        if after < problem.precedence_lag[pair] or after > problem.precedence_most[pair]:
            return False
    return True


def _whole(problem: AssignmentProblem, choice: list[int]) -> bool:
    for bundle in set(problem.bundle.tolist()) - {-1}:
        if len({choice[r] >= 0 for r in range(problem.requests) if problem.bundle[r] == bundle}) > 1:
            return False
    return True


def _times(problem: AssignmentProblem, column: int) -> tuple[int, int]:
    if len(problem.column_begin):
        return int(problem.column_begin[column]), int(problem.column_end[column])
    start = int(problem.column_start[column])
    return start, start + int(problem.column_duration[column])


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
    """Small adversarial problems: tight capacity, caps, targets, sequence, bundles, columns that cannot."""
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
        precedence_lag=(lag := rng.integers(-1, 3, pairs)),
        precedence_most=np.where(rng.random(pairs) < 0.5, lag + rng.integers(-1, 4, pairs), 2**62),
        precedence_from_start=rng.integers(0, 2, pairs),
        bundle=rng.integers(-1, 2, requests) if draw(st.booleans()) else None,  # type: ignore[arg-type]
        **_work(rng, columns, buckets) if draw(st.booleans()) else {},
    )


def _work(rng: np.random.Generator, columns: int, buckets: int) -> dict[str, np.ndarray]:
    """Times of the work that have little to do with the buckets that it takes."""
    begin = rng.integers(-2, buckets, columns)
    return {"column_begin": begin, "column_end": begin + rng.integers(0, 3, columns)}
