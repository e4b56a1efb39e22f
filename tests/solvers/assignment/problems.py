"""Small random problems of every kind, and their optimum by trying everything that could be tried."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from solvers.assignment.problem import AssignmentProblem


def each_seed(count: int) -> Callable[[Callable[[int], None]], Callable[[], None]]:
    """The test with each of so many seeds, as one: a test for each would cost more than most of them do."""

    def with_each(test: Callable[[int], None]) -> Callable[[], None]:
        def each() -> None:
            for seed in range(count):
                try:
                    test(seed)
                except BaseException as error:
                    error.add_note(f"with the seed {seed}")
                    raise

        each.__name__, each.__doc__, each.__module__ = test.__name__, test.__doc__, test.__module__
        return each

    return with_each


def random_problem(seed: int, *, requests: int = 6, most_columns: int = 6) -> AssignmentProblem:
    """Few buckets and units, so that capacity, caps, targets, precedence and pins all bind now and then."""
    rng = np.random.default_rng(seed)
    vendors, pools, buckets = int(rng.integers(1, 4)), int(rng.integers(1, 3)), int(rng.integers(1, 9))
    request = np.sort(rng.integers(0, requests, int(rng.integers(0, requests * most_columns + 1))))
    columns = len(request)
    pairs = rng.integers(0, requests, (int(rng.integers(0, 5)), 2))
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    problem = AssignmentProblem(
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
    return _tied(problem, seed) if seed % 3 else problem


def _tied(problem: AssignmentProblem, seed: int) -> AssignmentProblem:
    """Both kinds of sequence, some with a most; bundles; times of their own now and then."""
    rng, pairs, columns = np.random.default_rng([seed, 1]), len(problem.precedence), problem.columns
    begin = rng.integers(0, 2 * problem.capacity.shape[2], columns)
    times = {"column_begin": begin, "column_end": begin + rng.integers(0, 4, columns)} if seed % 2 else {}
    most = problem.precedence_lag + rng.integers(-1, 4, pairs)
    return replace(
        problem,
        precedence_most=np.where(rng.random(pairs) < 0.4, most, 2**62),
        precedence_from_start=rng.integers(0, 2, pairs),
        bundle=rng.integers(-1, 3, problem.requests),
        **times,
    )


def tied_requests(problem: AssignmentProblem) -> set[int]:
    """Those in sequence or a bundle, which cannot be pinned by themselves."""
    return {*problem.precedence.ravel().tolist(), *np.flatnonzero(problem.bundle >= 0).tolist()}


def optimum(problem: AssignmentProblem) -> int:
    """Least cost of any plan, by depth-first enumeration that shares nothing with the solvers."""
    pinned = {int(problem.column_request[column]): int(column) for column in problem.pinned}
    options = [
        [pinned[request]]
        if request in pinned
        else [-1, *np.flatnonzero(problem.column_request == request).tolist()]
        for request in range(problem.requests)
    ]
    plans = _plans(problem, options, problem.capacity.copy(), problem.vendor_cap.copy())
    return min(cost for plan in plans if (cost := _cost(problem, plan)) is not None)


def _plans(
    problem: AssignmentProblem, options: list[list[int]], free: np.ndarray, room: np.ndarray
) -> Iterator[tuple[int, ...]]:
    """Every choice of these options that keeps to what is free and to the caps."""
    if not options:
        yield ()
        return
    for column in options[0]:
        if column < 0:
            yield from ((-1, *rest) for rest in _plans(problem, options[1:], free, room))
            continue
        vendor, units, length = (
            int(array[column])
            for array in (problem.column_vendor, problem.column_units, problem.column_duration)
        )
        start = int(problem.column_start[column])
        window = free[vendor, problem.column_resource[column], start : start + length]
        if len(window) < length or room[vendor] < 1 or (window < units).any():
            continue
        window -= units
        room[vendor] -= 1
        yield from ((column, *rest) for rest in _plans(problem, options[1:], free, room))
        window += units
        room[vendor] += 1


def _cost(problem: AssignmentProblem, plan: tuple[int, ...]) -> int | None:
    """None where the plan breaks a sequence or a bundle."""
    begin, end = problem.work(np.arange(problem.columns))
    for pair, (first, second) in enumerate(problem.precedence.tolist()):
        a, b = plan[first], plan[second]
        if b < 0:
            continue
        if a < 0:
            return None
        after = begin[b] - (begin if problem.precedence_from_start[pair] else end)[a]
        if not problem.precedence_lag[pair] <= after <= problem.precedence_most[pair]:
            return None
    for bundle in np.unique(problem.bundle[problem.bundle >= 0]):
        if len({plan[request] >= 0 for request in np.flatnonzero(problem.bundle == bundle)}) > 1:
            return None
    taken = [column for column in plan if column >= 0]
    counts = np.bincount(problem.column_vendor[taken], minlength=len(problem.vendor_cap))
    short = int(np.maximum(problem.vendor_target - counts, 0).sum())
    penalties = sum(
        int(penalty) for penalty, column in zip(problem.request_penalty, plan, strict=True) if column < 0
    )
    return penalties + int(problem.column_cost[taken].sum()) + problem.shortfall_cost * short
