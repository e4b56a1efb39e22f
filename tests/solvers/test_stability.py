"""What is offered stays, unless moving it gains more than it costs; and it is never left out."""

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
from solvers.stability import with_nothing_moved, with_standing
from tests.examples import examples
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
def test_an_offered_match_moves_only_if_that_saves_more_than_the_move_costs(
    move_cents: int, expected: list[int]
) -> None:
    problem = with_standing(two_for_one_place(), [0, -1], move_cents=move_cents)
    result = solve(problem, time_limit_s=5, seed=1, workers=1)
    assert result.choice.tolist() == expected
    assert check(problem, result.choice, claimed_cost=result.cost).ok


def test_where_nothing_moves_it_stays_though_moving_would_be_cheaper() -> None:
    problem = with_nothing_moved(two_for_one_place(), [0, -1])
    assert solve(problem, time_limit_s=5, seed=1, workers=1).choice.tolist() == [0, 3]


def test_no_request_is_worth_leaving_a_standing_one_out() -> None:
    problem = two_for_one_place()
    one_place = AssignmentProblem(
        request_penalty=np.array([500, 400_000]),
        **{
            name: getattr(problem, f"{name}")[[0, 2]]
            for name in vars(problem)
            if name.startswith("column_") and len(getattr(problem, name))
        },
        capacity=np.ones((1, 1, 1), np.int64),
    )
    held = with_standing(one_place, [0, -1], move_cents=1)
    assert solve(one_place, time_limit_s=5, seed=1, workers=1).choice.tolist() == [-1, 1]
    assert solve(held, time_limit_s=5, seed=1, workers=1).choice.tolist() == [0, -1]


@given(problems(most_requests=4), st.integers(0, 99), st.integers(0, 40))
@settings(max_examples=examples(20), deadline=None)
def test_a_re_solve_is_best_with_moves_counted(
    problem: AssignmentProblem, seed: int, move_cents: int
) -> None:
    standing = greedy(problem)
    assert slow_cost(problem, standing.tolist()) is not None
    again = with_standing(problem, standing, move_cents=move_cents)
    result = solve(again, time_limit_s=5, seed=seed, workers=1)
    assert check(again, result.choice, claimed_cost=result.cost).ok
    assert result.cost == best_cost(again)


def test_a_dearer_move_moves_fewer_on_a_whole_day() -> None:
    problem = generate(150, "overloaded", 2)
    standing = greedy(problem)
    counts = []
    for cents in (0, 100_000):
        again = with_standing(problem, standing, move_cents=cents)
        result = solve(again, time_limit_s=60, seed=1, workers=1, warm_start=standing, work_limit=1_000_000)
        counts.append(int(((standing >= 0) & (result.choice != standing)).sum()))
    assert counts[1] < counts[0]


@pytest.mark.parametrize(
    ("standing", "message"),
    [([0], "shape"), ([9, -1], "holds column 9"), ([2, -1], "another request's")],
)
def test_a_standing_plan_of_another_problem_is_refused(standing: list[int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        with_standing(two_for_one_place(), standing, move_cents=1)
