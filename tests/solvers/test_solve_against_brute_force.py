"""The optimiser on small adversarial problems: as good as trying every plan, with a bound that holds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from solvers.assignment.problem import AssignmentProblem
from solvers.assignment.result import Status
from solvers.assignment.solve import solve
from solvers.checker import check
from tests.examples import examples
from tests.solvers.slow import best_cost, problems


@given(problems(), st.integers(0, 2**31), st.sampled_from([1, 2]))
@settings(max_examples=examples(40), deadline=None)
def test_a_small_problem_is_solved_to_the_optimum_and_proven(
    problem: AssignmentProblem, seed: int, workers: int
) -> None:
    result = solve(problem, time_limit_s=10, seed=seed, workers=workers)
    assert check(problem, result.choice, claimed_cost=result.cost).ok
    assert result.cost == result.lower_bound == best_cost(problem)
    assert result.status is Status.OPTIMAL
    assert result.trace[-1][1] == result.cost


@given(problems(most_requests=6), st.integers(0, 99))
@settings(max_examples=examples(20), deadline=None)
def test_however_short_the_limit_the_plan_is_sound_and_the_bound_below_every_plan(
    problem: AssignmentProblem, seed: int
) -> None:
    best = best_cost(problem)
    assert best is not None
    for limit in ({"time_limit_s": 1e-6}, {"time_limit_s": 10.0, "work_limit": 1}):
        result = solve(problem, seed=seed, workers=1, **limit)  # type: ignore[arg-type]
        assert check(problem, result.choice, claimed_cost=result.cost).ok
        assert result.lower_bound <= best <= result.cost


@given(problems(), st.integers(0, 99))
@settings(max_examples=examples(20), deadline=None)
def test_pinned_columns_stand_in_every_plan(problem: AssignmentProblem, seed: int) -> None:
    standing = solve(problem, time_limit_s=5, seed=seed, workers=1).choice
    matched = np.flatnonzero(standing >= 0)
    firm = matched[~np.isin(matched, problem.precedence[:, 1]) & (problem.bundle[matched] < 0)]
    pinned = replace(
        problem, pinned=standing[np.random.default_rng(seed).permutation(firm)[:2]].astype(np.int64)
    )
    result = solve(pinned, time_limit_s=5, seed=seed, workers=1)
    assert check(pinned, result.choice, claimed_cost=result.cost).ok
    assert result.cost == best_cost(pinned)


@given(problems(), st.integers(0, 99))
@settings(max_examples=examples(20), deadline=None)
def test_a_warm_start_is_never_made_worse(problem: AssignmentProblem, seed: int) -> None:
    best = solve(problem, time_limit_s=5, seed=seed, workers=1)
    again = solve(problem, time_limit_s=1e-6, seed=seed + 1, workers=1, warm_start=best.choice)
    assert again.cost <= best.cost


@given(problems(most_requests=6), st.integers(0, 99))
@settings(max_examples=examples(20), deadline=None)
def test_the_same_seed_and_work_limit_give_the_same_bytes(problem: AssignmentProblem, seed: int) -> None:
    first, second = (
        solve(problem, time_limit_s=60, seed=seed, workers=1, work_limit=20_000) for _ in range(2)
    )
    assert first.choice.tobytes() == second.choice.tobytes()
    assert (first.cost, first.lower_bound) == (second.cost, second.lower_bound)


@given(problems(), st.integers(2, 5))
@settings(max_examples=examples(20), deadline=None)
def test_scaling_every_cost_scales_the_optimum(problem: AssignmentProblem, times: int) -> None:
    scaled = replace(
        problem,
        request_penalty=problem.request_penalty * times,
        column_cost=problem.column_cost * times,
        shortfall_cost=problem.shortfall_cost * times,
    )
    first, second = (solve(each, time_limit_s=10, seed=1, workers=1) for each in (problem, scaled))
    assert second.cost == times * first.cost
