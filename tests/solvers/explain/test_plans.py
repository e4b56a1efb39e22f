"""Explanations of whole plans: each unmatched request."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.generator import generate
from solvers.assignment.greedy import greedy
from solvers.assignment.problem import AssignmentProblem
from solvers.assignment.solve import solve
from solvers.assignment.subproblem import restrict
from solvers.checker import check
from solvers.explain import Reason, Relaxation, What, explain_unmatched
from tests.examples import examples
from tests.solvers.slow import problems


@given(problems(), st.integers(0, 99))
@settings(max_examples=examples(50), deadline=None)
def test_explaining_changes_nothing_and_answers_for_each_unmatched_request(
    problem: AssignmentProblem, seed: int
) -> None:
    choice = greedy(problem)
    found = explain_unmatched(problem, choice)
    assert sorted(found) == np.flatnonzero(choice < 0).tolist()
    columns = np.bincount(problem.column_request, minlength=problem.requests)
    assert all((each.reason is Reason.RULES) == (columns[request] == 0) for request, each in found.items())


def test_a_second_whose_first_is_unmatched_says_so() -> None:
    problem = AssignmentProblem(
        request_penalty=np.array([5, 500]), column_request=np.array([0, 1]),
        column_vendor=np.array([0, 0]), column_resource=np.array([0, 0]), column_start=np.array([0, 3]),
        column_duration=np.array([1, 1]), column_units=np.array([1, 1]), column_cost=np.array([10, 10]),
        capacity=np.ones((1, 1, 4), np.int64),
        precedence=np.array([[0, 1]]),
    )  # fmt: skip
    found = explain_unmatched(problem, [-1, -1])
    assert (found[0].reason, found[1].reason) == (Reason.COST, Reason.PREDECESSOR)
    assert explain_unmatched(problem, [0, -1])[1].reason is Reason.FITS_NOW


@given(problems(), st.integers(0, 99))
@settings(max_examples=examples(30), deadline=None)
def test_what_is_told_of_a_bundle_matches_all_of_it_once_it_is_done(
    problem: AssignmentProblem, seed: int
) -> None:
    bundled = replace(problem, bundle=np.arange(problem.requests) // 2)
    choice = greedy(bundled)
    for request, each in explain_unmatched(bundled, choice).items():
        members = np.flatnonzero(bundled.bundle == request // 2)
        if len(members) < 2:
            continue
        assert each.last_rule is None and not any(found.moves for found in each.relaxations)
        for found in each.relaxations:
            own = np.searchsorted(problem.column_request, request) + found.option
            others = np.isin(problem.column_request, members) & (problem.column_request != request)
            columns = np.append(np.flatnonzero(others), own)
            part = restrict(with_steps(bundled, found, request), choice, members, columns).problem
            assert (solve(part, time_limit_s=60, seed=seed, workers=1).choice >= 0).all()


def test_a_bundle_of_which_a_part_has_no_place_says_so() -> None:
    problem = AssignmentProblem(
        request_penalty=np.array([500, 500]), column_request=np.array([0, 1]),
        column_vendor=np.array([0, 0]), column_resource=np.array([0, 0]), column_start=np.array([0, 0]),
        column_duration=np.array([1, 1]), column_units=np.array([1, 1]), column_cost=np.array([10, 10]),
        capacity=np.ones((1, 1, 4), np.int64), bundle=np.array([0, 0]),
    )  # fmt: skip
    found = explain_unmatched(problem, [-1, -1])
    assert [each.reason for each in found.values()] == [Reason.BUNDLE] * 2
    assert not any(each.relaxations for each in found.values())
    wider = replace(problem, capacity=problem.capacity + 1)
    assert explain_unmatched(wider, [-1, -1])[0].reason is Reason.FITS_NOW


def test_on_a_whole_day_the_first_relaxation_gives_a_cheaper_plan_in_the_relaxed_problem() -> None:
    problem = generate(400, "overloaded", 4, peak_use=2.0)
    choice = solve(problem, time_limit_s=60, seed=1, workers=1, work_limit=1_000_000).choice
    before = check(problem, choice).require().cost
    found = explain_unmatched(problem, choice)
    told = {request: each.relaxations[0] for request, each in found.items() if each.relaxations}
    still = {request: each for request, each in told.items() if not each.moves}
    assert len(still) > 5
    for request, relaxation in still.items():
        relaxed = with_steps(problem, relaxation, request)
        after = choice.copy()
        after[request] = np.searchsorted(problem.column_request, request) + relaxation.option
        assert check(relaxed, after).require().cost <= before


def with_steps(problem: AssignmentProblem, relaxation: Relaxation, request: int) -> AssignmentProblem:
    capacity, cap, penalty = (
        problem.capacity.copy(),
        problem.vendor_cap.copy(),
        problem.request_penalty.copy(),
    )
    for step in relaxation.steps:
        if step.what is What.UNITS:
            capacity[step.vendor, step.resource, step.bucket : step.bucket + step.buckets] += step.amount
        elif step.what is What.VENDOR_CAP:
            cap[step.vendor] += step.amount
        else:
            penalty[request] += step.amount
    return replace(problem, capacity=capacity, vendor_cap=cap, request_penalty=penalty)
