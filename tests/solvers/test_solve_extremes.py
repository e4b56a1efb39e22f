"""Values at the edge of what a problem may hold: nothing overflows, nothing is lost."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from solvers.assignment.problem import AssignmentProblem
from solvers.assignment.solve import solve
from solvers.assignment.validation import AMOUNT_LIMIT, COST_LIMIT, HUGE
from solvers.checker import check
from tests.examples import examples
from tests.solvers.slow import best_cost


@st.composite
def extremes(draw: st.DrawFn) -> AssignmentProblem:
    """A few requests with values of 0, 1 and the largest allowed side by side."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    requests, vendors, pools, buckets = (int(rng.integers(1, most)) for most in (5, 4, 3, 5))
    per = rng.integers(0, 4, requests)
    n = int(per.sum())
    costs = [0, 1, 7, COST_LIMIT, COST_LIMIT - 1, -COST_LIMIT, -1]
    return AssignmentProblem(
        request_penalty=rng.choice(costs, requests),
        column_request=np.repeat(np.arange(requests), per),
        column_vendor=rng.integers(0, vendors, n),
        column_resource=rng.integers(0, pools, n),
        column_start=rng.choice([0, 0, 1, AMOUNT_LIMIT], n),
        column_duration=rng.choice([1, 1, 2, AMOUNT_LIMIT], n),
        column_units=rng.choice([0, 1, 2, AMOUNT_LIMIT], n),
        column_cost=rng.choice(costs, n),
        capacity=rng.choice([0, 1, 2, AMOUNT_LIMIT, HUGE], (vendors, pools, buckets)),
        vendor_cap=rng.choice([0, 1, HUGE], vendors),
        vendor_target=rng.choice([0, 1, 2**20], vendors),
        shortfall_cost=int(rng.choice([0, 1, 2**30])),
        precedence=np.array([[0, 1]]) if requests > 1 and rng.random() < 0.5 else np.zeros((0, 2), np.int64),
    )


@given(extremes(), st.integers(0, 99))
@settings(max_examples=examples(75), deadline=None)
def test_the_largest_values_allowed_give_a_checked_optimal_plan(
    problem: AssignmentProblem, seed: int
) -> None:
    result = solve(problem, time_limit_s=10, seed=seed, workers=1)
    best = best_cost(problem)
    assert best is not None
    assert check(problem, result.choice, claimed_cost=result.cost).ok
    assert result.lower_bound <= best == result.cost
