"""The checker catches every kind of violation and shares nothing with the optimiser."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solvers import checker
from solvers.assignment.problem import AssignmentProblem
from solvers.checker import Violation, check
from tests.examples import examples
from tests.solvers.slow import problems, slow_cost


def small() -> AssignmentProblem:
    """Three requests, two vendors, one pool, six buckets; request 0 before request 1, one bucket between."""
    return AssignmentProblem(
        request_penalty=np.array([100, 200, 300]),
        column_request=np.array([0, 0, 1, 1, 2, 2]),
        column_vendor=np.array([0, 1, 0, 0, 0, 1]),
        column_resource=np.zeros(6, np.int64),
        column_start=np.array([0, 3, 3, 1, 0, 5]),
        column_duration=np.array([2, 2, 2, 2, 2, 2]),
        column_units=np.array([1, 1, 1, 1, 2, 1]),
        column_cost=np.array([10, 11, 12, 13, 14, 15]),
        capacity=np.array([[[2, 2, 2, 2, 2, 2]], [[1, 1, 1, 1, 1, 1]]]),
        vendor_cap=np.array([2, 1]),
        vendor_target=np.array([3, 1]),
        shortfall_cost=7,
        precedence=np.array([[0, 1]]),
        precedence_lag=np.array([1]),
    )


def only(problem: AssignmentProblem, choice: list[int]) -> Violation:
    report = check(problem, np.array(choice))
    assert not report.ok
    assert len(report.violations) == 1, report.violations
    return report.violations[0]


def test_a_good_plan_passes_with_its_true_cost() -> None:
    report = check(small(), np.array([0, 2, -1]), claimed_cost=10 + 12 + 300 + 7 + 7)
    assert (report.ok, report.cost, report.matched) == (True, 336, 2)
    assert report.require() is report


def test_a_wrong_claim_of_cost_is_caught() -> None:
    (violation,) = check(small(), np.array([0, 2, -1]), claimed_cost=335).violations
    assert violation == Violation("cost", value=335, limit=336)


def test_over_booked_capacity_names_vendor_pool_bucket_and_limit() -> None:
    first, second = check(small(), np.array([0, -1, 4])).violations
    assert first == Violation("capacity", 3, 2, request=2, vendor=0, resource=0, bucket=0)
    assert second.bucket == 1


def test_a_vendor_over_its_cap_is_caught() -> None:
    problem = replace(small(), vendor_cap=np.array([1, 1]))
    assert only(problem, [0, 2, -1]) == Violation("vendor_cap", 2, 1, vendor=0)


def test_a_second_without_its_first_is_caught() -> None:
    assert only(small(), [-1, 2, -1]).constraint == "precedence_unmatched"


def test_a_second_too_early_after_its_first_is_caught() -> None:
    assert only(small(), [1, 2, -1]) == Violation("precedence", 3, 6, request=1, bucket=3)


def test_a_second_too_late_after_its_first_is_caught() -> None:
    late = replace(small(), precedence_most=np.array([0]), precedence_lag=np.array([-9]))
    assert only(late, [0, 2, -1]) == Violation("precedence_late", 3, 2, request=1, bucket=3)
    from_start = replace(late, precedence_from_start=np.array([1]), precedence_most=np.array([2]))
    assert only(from_start, [0, 2, -1]) == Violation("precedence_late", 3, 2, request=1, bucket=3)
    times = {"column_begin": np.arange(6) * 10, "column_end": np.arange(6) * 10 + 5}
    timed = replace(small(), **times, precedence_most=np.array([14]))
    assert only(timed, [0, 2, -1]) == Violation("precedence_late", 20, 19, request=1, bucket=3)
    assert check(replace(timed, precedence_most=np.array([15])), np.array([0, 2, -1])).ok


def test_a_part_of_a_bundle_is_caught_and_what_is_left_out_is_named() -> None:
    bundled = replace(small(), bundle=np.array([7, -1, 7]))
    assert only(bundled, [0, -1, -1]) == Violation("bundle_broken", 1, 2, request=2)
    assert check(bundled, np.array([-1, -1, -1])).ok and check(bundled, np.array([0, -1, 5 - 1])).violations
    assert check(replace(bundled, bundle=np.array([7, 7, -1])), np.array([0, 2, -1])).ok


def test_a_column_of_another_request_is_caught() -> None:
    assert only(small(), [-1, -1, 0]) == Violation("owner", 0, 2, request=2)


@pytest.mark.parametrize("column", [6, -2, 2**40])
def test_a_column_that_does_not_exist_is_caught(column: int) -> None:
    assert only(small(), [-1, -1, column]) == Violation("column", column, 5, request=2)


def test_a_column_beyond_the_last_bucket_is_caught() -> None:
    assert only(small(), [-1, -1, 5]) == Violation("horizon", 7, 6, request=2, vendor=1)


def test_a_pinned_column_that_moved_is_caught() -> None:
    problem = replace(small(), pinned=np.array([0]))
    assert check(problem, np.array([0, -1, -1])).ok
    assert only(problem, [1, -1, -1]) == Violation("pinned", 1, 0, request=0)


@pytest.mark.parametrize("choice", [[0, 2], [[0, 2, -1]], 3])
def test_a_plan_of_the_wrong_shape_is_caught(choice: object) -> None:
    assert only(small(), choice).constraint == "shape"  # type: ignore[arg-type]


def test_a_plan_that_is_not_of_integers_is_caught() -> None:
    assert only(small(), [0.0, 2.0, float("nan")]).constraint == "type"  # type: ignore[list-item]


def test_require_names_what_is_wrong() -> None:
    with pytest.raises(ValueError, match=r"capacity: request 2, vendor 0, resource 0, bucket 0: 3 .* 2"):
        check(small(), np.array([0, -1, 4])).require()


@given(problems(), st.integers(0, 2**32 - 1))
@settings(max_examples=examples(150), deadline=None)
def test_the_checker_agrees_with_a_slow_and_obvious_one(problem: AssignmentProblem, seed: int) -> None:
    rng = np.random.default_rng(seed)
    choice = np.full(problem.requests, -1)
    for request in range(problem.requests):
        choice[request] = rng.choice([-1, *np.flatnonzero(problem.column_request == request)])
    report, cost = check(problem, choice), slow_cost(problem, choice.tolist())
    assert report.ok == (cost is not None)
    assert cost is None or report.cost == cost


def test_the_checker_shares_no_code_with_the_optimiser() -> None:
    tree = ast.parse(Path(checker.__file__).read_text())
    modules = [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module]
    ours = [module for module in modules if module.startswith(("solvers", "dispatcher"))]
    assert ours == ["solvers.assignment.problem"], "and that one for its type only"
