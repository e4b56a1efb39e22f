"""HiGHS beside the search: its bounds are bounds, its plans are plans, and it ends when it is told to."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.generator import generate
from solvers.assignment import prover as prover_module
from solvers.assignment.plan import cost_of, is_feasible
from solvers.assignment.problem import AssignmentProblem
from solvers.assignment.prover import Prover
from solvers.assignment.result import Status
from solvers.assignment.solve import solve
from solvers.checker import check
from tests.solvers.assignment.problems import optimum, random_problem


def _to_its_end(problem: AssignmentProblem, start: np.ndarray) -> tuple[list[np.ndarray], list[int]]:
    plans: list[np.ndarray] = []
    bounds: list[int] = []
    prover = Prover(problem, start, 30.0, seed=1)
    with prover.telling(plans.append, bounds.append):
        prover.wait()
    return plans, bounds


@pytest.mark.parametrize("seed", range(12))  # many more: tests/solvers/assignment/test_program.py
def test_what_it_proves_is_the_optimum(seed: int) -> None:
    problem = random_problem(seed)
    plans, bounds = _to_its_end(problem, np.full(problem.requests, -1))
    best = optimum(problem)
    assert max(bounds) == best
    assert all(is_feasible(problem, plan) for plan in plans)
    assert min(cost_of(problem, plan) for plan in plans) == best


def test_a_pinned_column_stands() -> None:
    problem = generate(40, "overloaded", 2)
    choice = solve(problem, time_limit_s=1.0, workers=1, work_limit=50_000).choice
    dear = np.flatnonzero(problem.fits_alone & (problem.column_cost > np.median(problem.column_cost)))[:1]
    start = np.full(problem.requests, -1)
    start[problem.column_request[dear]] = dear
    plans, bounds = _to_its_end(replace(problem, pinned=dear), start)
    assert all(plan[problem.column_request[dear]] == dear for plan in plans)
    assert max(bounds) >= cost_of(problem, choice)


def test_told_to_stop_it_offers_nothing_more_and_holds_nobody() -> None:
    problem = generate(600, "overloaded", 1)
    plans: list[np.ndarray] = []
    prover = Prover(problem, np.full(600, -1), 60.0, seed=1)
    with prover.telling(plans.append, lambda bound: None):
        stopped = time.monotonic()
    assert time.monotonic() - stopped < 10
    told = len(plans)
    prover.wait()
    assert len(plans) == told


def test_nothing_of_it_outlives_who_asked() -> None:
    before = threading.active_count()
    prover = Prover(generate(600, "overloaded", 1), np.full(600, -1), 60.0, seed=1)
    with prover.telling(lambda plan: None, lambda bound: None):
        while prover._child is None:
            time.sleep(0.01)
    assert prover._child.returncode is not None
    assert threading.active_count() == before
    assert prover.lacking is None


@pytest.mark.parametrize(
    ("child", "why"),
    [
        ("import sys; sys.path[:] = sys.argv[1:]; sys.modules['highspy'] = None; ", "highspy"),
        ("raise SystemExit(3); ", "broke off"),
    ],
)
def test_highs_that_is_missing_or_breaks_off_is_no_error_but_told(
    child: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prover_module, "_CHILD", child + prover_module._CHILD)
    prover = Prover(generate(30, "normal", 1), np.full(30, -1), 30.0, seed=1)
    with prover.telling(lambda plan: None, lambda bound: None):
        prover.wait()
    assert why in str(prover.lacking)


def test_a_solve_without_highs_keeps_its_plan_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_process() -> None:
        raise OSError("no process left")

    monkeypatch.setattr(prover_module, "_started", no_process)
    problem = generate(220, "overloaded", 1)
    result = solve(problem, time_limit_s=1.5, seed=1, workers=2)
    assert check(problem, result.choice, claimed_cost=result.cost).ok
    assert result.lacking == ("HiGHS: no process for it: no process left",)


def test_what_goes_wrong_in_its_thread_is_raised_where_it_is_waited_for() -> None:
    problem = generate(30, "normal", 1)

    def refuse(_: object) -> None:
        raise ZeroDivisionError

    prover = Prover(problem, np.full(30, -1), 30.0, seed=1)
    with pytest.raises(ZeroDivisionError), prover.telling(refuse, refuse):
        prover.wait()


def test_a_solve_with_time_for_it_is_proven_optimal() -> None:
    problem = generate(220, "normal", 3)
    result = solve(problem, time_limit_s=60.0, seed=1, workers=2)
    assert result.status is Status.OPTIMAL
    assert check(problem, result.choice, claimed_cost=result.cost).ok
