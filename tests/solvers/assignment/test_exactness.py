"""Where numbers are large, what cannot be exact is refused with its limit, or does not prove."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from benchmarks.generator import generate
from solvers.assignment.deadline import Deadline
from solvers.assignment.dual import Prices
from solvers.assignment.exact import solve_exactly
from solvers.assignment.exactness import COST_LIMIT, HUGE, SCALE, believed_margin, most_value
from solvers.assignment.instance import instance_of
from solvers.assignment.knapsack import is_knapsacks
from solvers.assignment.problem import AssignmentProblem
from solvers.assignment.result import Status
from solvers.assignment.solve import solve
from solvers.assignment.validation import MalformedProblem
from solvers.checker import check
from tests.solvers.assignment.problems import each_seed, optimum, random_problem


def one_each(
    requests: int, cost: Any = 1, vendors: int = 1, buckets: int = 4, **more: Any
) -> AssignmentProblem:
    """A column a request, of one unit in bucket 0 of vendor 0, where there is room for one."""
    zero = np.zeros(requests, np.int64)
    parts: dict[str, Any] = {
        "request_penalty": zero + 5, "column_request": np.arange(requests), "column_vendor": zero,
        "column_resource": zero, "column_start": zero, "column_duration": zero + 1, "column_units": zero + 1,
        "column_cost": zero + cost, "capacity": np.ones((vendors, 1, buckets), np.int64),
    }  # fmt: skip
    return AssignmentProblem(**(parts | more))


def test_a_valid_plan_dearer_than_2_to_the_62_is_a_plan() -> None:
    problem = one_each(3, vendors=5_000, vendor_target=np.full(5_000, 2**20), shortfall_cost=2**30)
    result = solve(problem, time_limit_s=1e-6, workers=1)
    assert result.cost == 5_000 * 2**50 - 2**30 + 1 + 2 * 5 > HUGE
    assert check(problem, result.choice, claimed_cost=result.cost).ok
    assert 0 < result.lower_bound <= result.cost


def test_what_64_bits_cannot_sum_is_refused_with_the_value_and_the_limit() -> None:
    with pytest.raises(
        MalformedProblem, match=r"could cost 10133\d+ cents, above the limit of 9223372036854775807"
    ):
        one_each(3, vendors=9_000, vendor_target=np.full(9_000, 2**20), shortfall_cost=2**30)


def test_more_requests_or_cells_than_can_be_counted_are_refused() -> None:
    with pytest.raises(MalformedProblem, match=r"request_penalty has shape \(1048577,\).*above 1048576"):
        one_each(3, request_penalty=np.broadcast_to(np.int64(5), 2**20 + 1))
    with pytest.raises(MalformedProblem, match=r"capacity has shape .*above 2147483647"):
        one_each(3, capacity=np.zeros((2**31, 1, 0), np.int64))


@pytest.mark.parametrize("vendors", [3, 9, 20, 61])
def test_cp_sat_proves_exactly_above_what_a_double_holds(vendors: int) -> None:
    rng = np.random.default_rng(vendors)
    problem = one_each(
        6, rng.integers(0, 40, 6), vendors=vendors, column_start=rng.integers(0, 3, 6),
        vendor_target=np.full(vendors, 2**20), shortfall_cost=2**30 - 1,
    )  # fmt: skip
    _, bound = solve_exactly(problem, np.full(6, -1), Deadline(30.0), seed=1, workers=1)
    assert bound == optimum(problem) > 2**51


def test_what_cp_sat_could_not_sum_it_is_not_given() -> None:
    problem = one_each(3, vendors=5_000, vendor_target=np.full(5_000, 2**20), shortfall_cost=2**30)
    assert solve_exactly(problem, np.full(3, -1), Deadline(30.0), seed=1, workers=1)[1] == -HUGE


@pytest.mark.parametrize(("each", "tied"), [(2, 4_200), (8_400, 1)])
def test_tied_requests_whose_sum_leaves_64_bits_are_bounded(each: int, tied: int) -> None:
    """`tied` chains of so many requests, all of which can be served: the least is known."""
    requests = each * tied
    first = np.setdiff1d(np.arange(requests - 1), np.arange(each - 1, requests, each))
    cost = np.arange(requests) % 3 - COST_LIMIT
    problem = one_each(
        requests, cost, buckets=1, column_units=np.zeros(requests, np.int64),
        precedence=np.stack([first, first + 1], axis=1), precedence_lag=np.full(len(first), -1),
    )  # fmt: skip
    assert int(cost.sum()) * SCALE < -(2**62)
    assert Prices(instance_of(problem)).prove() == cost.sum()


def test_knapsacks_are_left_alone_where_a_row_would_not_add_up() -> None:
    assert is_knapsacks(instance_of(one_each(100, 4, buckets=1)))
    assert most_value(np.array([1]), 100) > COST_LIMIT
    large = one_each(3_000, COST_LIMIT - 1, buckets=1, request_penalty=np.full(3_000, COST_LIMIT))
    assert not is_knapsacks(instance_of(large))


def test_floating_point_is_believed_for_a_day_and_less_the_larger_the_costs() -> None:
    margins = [
        believed_margin(replace(day, request_penalty=day.request_penalty * factor))
        for day in [generate(300, "overloaded", 1)]
        for factor in (1, 50, 10_000)
    ]
    assert margins[2] is None
    assert 0.5 < margins[0] < margins[1] < 1.5  # type: ignore[operator]
    assert believed_margin(one_each(3, column_units=np.array([1, 1, 2**30]))) is not None, "it never fits"
    wide = np.full((1, 1, 4), 2**39)
    assert believed_margin(one_each(3, column_units=np.array([1, 1, 2**39 - 1]), capacity=wide)) is None


def wide(seed: int) -> AssignmentProblem:
    """Small problems with costs of 1, 3 and 10^12 together, of about 10^10, or with units near 2^39."""
    problem, rng = random_problem(seed, most_columns=5), np.random.default_rng(seed)
    costs, penalties = problem.column_cost, problem.request_penalty
    if seed % 3 == 0:
        costs, penalties = (rng.choice([1, 3, 10**12], size) for size in (problem.columns, problem.requests))
    elif seed % 3 == 1:
        costs, penalties = costs * 10**9 + rng.integers(-3, 4, problem.columns), penalties * 10**9
    else:
        units = problem.column_units * 2**37 + rng.integers(0, 3, problem.columns)
        return replace(problem, column_units=units, capacity=problem.capacity * 2**37 + 3)
    return replace(problem, column_cost=costs, request_penalty=penalties)


@each_seed(24)
def test_wide_ranges_are_solved_to_the_optimum_with_every_engine(seed: int) -> None:
    problem = wide(seed)
    result = solve(problem, time_limit_s=5, seed=seed, workers=2)
    assert result.cost == result.lower_bound == optimum(problem)
    assert result.status is Status.OPTIMAL
