"""What is pinned stays; what is agreed moves only for more than it costs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.generator import generate
from solvers.assignment.greedy import greedy
from solvers.assignment.problem import AssignmentProblem
from solvers.assignment.solve import solve
from solvers.checker import check
from solvers.stability import moved, with_standing
from tests.solvers.slow import best_cost, problems, slow_cost


def two_for_one_place() -> AssignmentProblem:
    """Request 0 stands at vendor 0; request 1 would save 10 if it moved to vendor 1."""
    return AssignmentProblem(
        request_penalty=np.array([500, 500]),
        column_request=np.array([0, 0, 1, 1]),
        column_vendor=np.array([0, 1, 0, 1]),
        column_resource=np.zeros(4, np.int64),
        column_start=np.zeros(4, np.int64),
        column_duration=np.ones(4, np.int64),
        column_units=np.ones(4, np.int64),
        column_cost=np.array([10, 10, 10, 20]),
        capacity=np.ones((2, 1, 1), np.int64),
    )


@pytest.mark.parametrize(("move_cents", "expected"), [(9, [1, 2]), (11, [0, 3])])
def test_an_agreed_match_moves_only_if_that_saves_more_than_the_move_costs(
    move_cents: int, expected: list[int]
) -> None:
    problem = with_standing(two_for_one_place(), [0, -1], move_cents=move_cents)
    result = solve(problem, time_limit_s=5, seed=1, workers=1)
    assert result.choice.tolist() == expected
    assert check(problem, result.choice, claimed_cost=result.cost).ok


def test_a_pinned_match_stays_though_moving_it_is_free_and_cheaper() -> None:
    problem = with_standing(two_for_one_place(), [0, -1], move_cents=0, pinned=[0])
    assert solve(problem, time_limit_s=5, seed=1, workers=1).choice.tolist() == [0, 3]


def test_dropping_an_agreed_match_costs_its_move_too() -> None:
    problem = with_standing(two_for_one_place(), [0, -1], move_cents=7)
    assert problem.request_penalty.tolist() == [507, 500]
    assert problem.column_cost.tolist() == [10, 17, 10, 20]


@given(problems(most_requests=4), st.integers(0, 99), st.integers(0, 40))
@settings(max_examples=40, deadline=None)
def test_a_re_solve_keeps_pins_and_is_best_with_moves_counted(
    problem: AssignmentProblem, seed: int, move_cents: int
) -> None:
    standing = greedy(problem)
    assert slow_cost(problem, standing.tolist()) is not None
    matched = np.flatnonzero(standing >= 0)
    in_pairs = np.isin(matched, problem.precedence)  # a pinned second needs its first pinned too
    pins = np.random.default_rng(seed).permutation(matched[~in_pairs])[:1]
    again = with_standing(problem, standing, move_cents=move_cents, pinned=pins)
    result = solve(again, time_limit_s=5, seed=seed, workers=1)
    assert check(again, result.choice, claimed_cost=result.cost).ok
    assert result.cost == best_cost(again)
    assert not set(pins.tolist()) & set(moved(standing, result.choice).moved)


def test_a_dearer_move_moves_fewer_on_a_whole_day() -> None:
    problem = generate(150, "overloaded", 2)
    standing = greedy(problem)
    counts = []
    for cents in (0, 100_000):
        again = with_standing(problem, standing, move_cents=cents)
        result = solve(again, time_limit_s=60, seed=1, workers=1, warm_start=standing, work_limit=300_000)
        counts.append(len(moved(standing, result.choice).moved))
    assert counts[1] < counts[0]


def test_a_comparison_names_who_moved_was_dropped_and_was_added() -> None:
    difference = moved([3, 4, -1, 6, -1], [3, 5, 7, -1, -1])
    assert (difference.moved, difference.dropped, difference.added, difference.kept) == ((1,), (3,), (2,), 1)


@pytest.mark.parametrize(
    ("standing", "pinned", "message"),
    [
        ([0], (), "shape"),
        ([9, -1], (), "holds column 9"),
        ([2, -1], (), "another request's"),
        ([-1, 2], (0,), "request 0 is pinned"),
    ],
)
def test_a_standing_plan_of_another_problem_is_refused(
    standing: list[int], pinned: tuple[int, ...], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        with_standing(two_for_one_place(), standing, move_cents=1, pinned=pinned)
