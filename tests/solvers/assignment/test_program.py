"""One program for every engine: what it allows is what a plan may be, and all engines find its optimum."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from solvers.assignment.deadline import Deadline
from solvers.assignment.exact import solve_exactly
from solvers.assignment.plan import cost_of, is_feasible
from solvers.assignment.problem import AssignmentProblem
from solvers.assignment.program import Program, program_of
from solvers.assignment.prover import Prover
from solvers.assignment.solve import solve
from tests.solvers.assignment.problems import each_seed, optimum, random_problem, tied_requests


def _pinned(seed: int) -> AssignmentProblem:
    """A random problem; every other one has a pin or two."""
    problem = random_problem(seed)
    if seed % 2:
        return problem
    plan = solve(problem, time_limit_s=2, seed=1, workers=1).choice
    tied = tied_requests(problem)
    free = [int(column) for request, column in enumerate(plan) if column >= 0 and request not in tied]
    return replace(problem, pinned=np.array(free[:2], np.int64))


def _holds(program: Program, values: np.ndarray) -> bool:
    rows = np.repeat(np.arange(len(program.upper)), np.diff(program.start))
    use = np.zeros(len(program.upper), np.int64)
    np.add.at(use, rows, program.value * values[program.index])
    bounds = (program.least <= values) & (values <= program.most)
    return bool(bounds.all() and (use <= program.upper).all())


def _proven_by_highs(problem: AssignmentProblem) -> int:
    bounds: list[int] = []
    prover = Prover(problem, np.full(problem.requests, -1), 30.0, seed=1)
    with prover.telling(lambda choice: None, bounds.append):
        prover.wait()
    return max(bounds)


@each_seed(100)
def test_a_choice_is_feasible_exactly_where_the_program_holds(seed: int) -> None:
    problem, rng = _pinned(seed), np.random.default_rng(seed)
    program = program_of(problem)
    for share in np.linspace(0, 1, 40):
        choice = np.full(problem.requests, -1, np.int64)
        for column in rng.permutation(np.flatnonzero(problem.fits_alone)):
            if rng.random() < share or column in problem.pinned:
                choice[problem.column_request[column]] = column
        assert is_feasible(problem, choice) == _holds(program, program.values(problem, choice))


@each_seed(20)
def test_a_plan_is_a_point_of_the_program_and_back(seed: int) -> None:
    problem = random_problem(seed)
    choice = solve(problem, time_limit_s=1.0, workers=1, work_limit=1_000).choice
    program = program_of(problem)
    values = program.values(problem, choice)
    assert (program.choice(problem, values) == choice).all()
    assert values @ program.objective + program.offset == cost_of(problem, choice)
    assert _holds(program, values)


@pytest.mark.parametrize("seed", range(32))  # each is a process of HiGHS
def test_both_engines_state_the_optimum(seed: int) -> None:
    problem = _pinned(seed)
    start = np.full(problem.requests, -1)
    choice, bound = solve_exactly(problem, start, Deadline(30.0), seed=seed, workers=1)
    assert is_feasible(problem, choice)
    assert cost_of(problem, choice) == bound == _proven_by_highs(problem) == optimum(problem)


def _one_pool(request: list[int], start: int, units: np.ndarray, capacity: list[int]) -> AssignmentProblem:
    columns, zero = len(request), np.zeros(len(request), np.int64)
    return AssignmentProblem(
        request_penalty=np.full(max(request) + 1, 9),
        column_request=np.array(request),
        column_vendor=zero,
        column_resource=zero,
        column_start=np.full(columns, start),
        column_duration=np.full(columns, len(capacity) - start),
        column_units=units,
        column_cost=zero,
        capacity=np.array([[capacity]]),
    )


def test_buckets_that_hold_the_same_columns_are_one_row_the_tightest() -> None:
    program = program_of(_one_pool([0, 1, 2], 1, np.array([1, 2, 1]), [0, 7, 3, 5]))
    assert program.upper.tolist() == [3]
    assert program.value.tolist() == [1, 2, 1]


def test_a_row_that_binds_by_one_unit_in_thousands_of_millions_stands() -> None:
    units = np.append(np.full(2**13, 2**40), 1)
    at_the_limit = _one_pool(list(range(len(units))), 0, units, [2**53 + 1])
    assert len(program_of(at_the_limit).upper) == 0
    above = _one_pool(list(range(len(units))), 0, units, [2**53])
    assert program_of(above).upper.tolist() == [2**53]
