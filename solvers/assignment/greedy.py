"""A first plan within milliseconds: requests in order, each at its cheapest column that still fits."""

from __future__ import annotations

import numpy as np

from solvers.arrays import Ints
from solvers.assignment.dual import Prices
from solvers.assignment.instance import Instance, instance_of
from solvers.assignment.plan import cost_of, pins_of
from solvers.assignment.problem import AssignmentProblem
from solvers.assignment.search import Look, Search, never


def greedy(problem: AssignmentProblem) -> Ints:
    """R; a feasible choice: column as given, or -1."""
    instance = instance_of(problem)
    return greedy_at(Prices(instance), greedy_order(instance), by_price=False, most=len(instance.cost) + 1)


def greedy_at(prices: Prices, order: Ints, *, by_price: bool, most: int, look: Look = never) -> Ints:
    """The same from each request's `most` cheapest columns; `by_price`: the first that fits."""
    problem, instance = prices.instance.problem, prices.instance
    pins = pins_of(problem)
    search = Search(
        prices, instance.from_given(pins), cost_of(problem, pins), width=np.inf, most=most, look=look
    )
    search.fill(order, by_price=by_price)
    prices.spread, prices.spreads = search.spread, search.spreads
    return instance.to_given(search.choice)


def greedy_order(instance: Instance) -> Ints:
    """R: pinned ones by start, then predecessors before successors, then by regret, dearest first."""
    columns, problem = len(instance.cost), instance.problem
    regret = np.zeros(instance.requests, np.int64)
    if columns:
        some = np.diff(instance.first) > 0
        cheapest = np.minimum.reduceat(instance.cost, instance.first[:-1][some])
        regret[some] = instance.penalty[some] - cheapest
    begins = np.full(instance.requests, np.iinfo(np.int64).max)
    begins[problem.column_request[problem.pinned]] = problem.column_start[problem.pinned]
    return np.lexsort((-regret, _depth(problem), begins))


def _depth(problem: AssignmentProblem) -> Ints:
    """Longest chain of predecessors, at most 64: what lies deeper, or on a cycle, goes by regret.

    A bundle goes as one, once all is there that any of it waits for.
    """
    group = np.where(problem.bundle >= 0, problem.requests + problem.bundle, np.arange(problem.requests))
    before, after = group[problem.precedence].T
    apart = before != after
    depth = np.zeros(group.max(initial=0) + 1, np.int64)
    for _ in range(64 if apart.any() else 0):
        deeper = depth.copy()
        np.maximum.at(deeper, after[apart], depth[before[apart]] + 1)
        if (deeper == depth).all():
            break
        depth = deeper
    return depth[group]
