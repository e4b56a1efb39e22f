"""The best plan so far: only feasible and cheaper ones are kept, however many threads offer them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from benchmarks.generator import generate
from solvers.assignment.deadline import Deadline
from solvers.assignment.greedy import greedy
from solvers.assignment.incumbent import Incumbent
from solvers.assignment.plan import cost_of
from solvers.assignment.problem import AssignmentProblem


def test_a_plan_that_breaks_a_rule_or_costs_more_is_not_kept() -> None:
    problem = generate(100, "overloaded", 1)
    best, good = Incumbent(problem, Deadline(60.0)), greedy(problem)
    assert best.offer(good)
    everyone = np.searchsorted(problem.column_request, np.arange(100))  # first columns: far more than fit
    assert cost_of(problem, everyone) < best.cost
    assert not best.offer(everyone)
    assert not best.offer(np.full(100, -1))
    assert (best.choice == good).all()
    assert best.cost == cost_of(problem, good)


def test_it_is_done_once_the_best_plan_is_proven_and_bounds_only_rise() -> None:
    problem = generate(100, "normal", 1)
    best = Incumbent(problem, Deadline(60.0))
    best.offer(greedy(problem))
    for bound in (best.cost - 5, best.cost - 9):
        best.prove(bound)
        assert (best.bound, best.done) == (best.cost - 5, False)
    best.prove(best.cost)
    assert best.done


def test_it_is_done_within_a_share_of_the_cost_of_those_who_fit_somewhere() -> None:
    one, zero = np.ones(1, np.int64), np.zeros(1, np.int64)
    nobody_takes_the_second = np.array([5_000, 10**9])
    problem = AssignmentProblem(
        nobody_takes_the_second, zero, zero, zero, zero, one, one, 1_000 * one, np.ones((1, 1, 1), np.int64)
    )
    best = Incumbent(problem, Deadline(60.0), enough=0.01)
    best.bound = 0
    best.offer(greedy(problem))
    assert (best.cost, best.aim) == (10**9 + 1_000, 10**9 + 990)
    best.prove(10**9 + 989)
    assert (best.done, best.is_enough(10**9 + 998)) == (False, True)
    best.prove(10**9 + 990)
    assert best.done


def test_of_what_many_threads_offer_the_cheapest_stays_and_the_trace_only_falls() -> None:
    problem = generate(100, "normal", 1)
    best, full = Incumbent(problem, Deadline(60.0)), greedy(problem)
    plans = [np.where(np.arange(100) < size, full, -1) for size in range(1, 101)]
    paired = np.isin(np.arange(100), problem.precedence)
    plans = [np.where(paired, -1, plan) for plan in plans]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(best.offer, plans))
    assert best.cost == min(cost_of(problem, plan) for plan in plans)
    best.follow([[(0.0, best.cost - 1), (1e9, best.cost - 2)]])
    costs = [cost for _, cost in best.trace]
    assert costs == sorted(costs, reverse=True)
    assert costs[-1] == best.cost - 2
