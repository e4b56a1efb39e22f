"""What every solve promises, on small problems of every kind."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.generator import generate
from benchmarks.sequences_bench import shares
from solvers.assignment import search as searching
from solvers.assignment import solve as solving
from solvers.assignment.anneal import Annealer, anneal
from solvers.assignment.deadline import Deadline, Stopped
from solvers.assignment.dual import Prices
from solvers.assignment.greedy import greedy_at, greedy_order
from solvers.assignment.instance import instance_of
from solvers.assignment.plan import cost_of, is_feasible
from solvers.assignment.result import Status
from solvers.assignment.solve import solve
from solvers.checker import check
from solvers.optimiser import ENOUGH, Optimiser
from solvers.planning import Limits
from tests.solvers.assignment.problems import each_seed, optimum, random_problem, tied_requests


@each_seed(60)
def test_a_small_problem_is_solved_to_its_optimum_and_proven(seed: int) -> None:
    problem = random_problem(seed)
    result = solve(problem, time_limit_s=5, seed=seed, workers=1)
    assert check(problem, result.choice, claimed_cost=result.cost).ok
    assert result.cost == optimum(problem)
    assert result.lower_bound == result.cost
    assert result.status is Status.OPTIMAL


@each_seed(20)
def test_a_plan_that_is_near_enough_is_proven_to_be(seed: int) -> None:
    problem, enough = random_problem(seed), 0.1
    result = solve(problem, time_limit_s=5, seed=seed, workers=1, enough=enough)
    best = optimum(problem)
    assert result.lower_bound <= best <= result.cost
    assert result.cost - result.lower_bound <= enough * abs(result.cost)


def test_near_enough_is_met_with_less_work() -> None:
    problem, work = generate(100, "normal", 1), 30_000_000
    deadlines = [Deadline(1e9, work_limit=work) for _ in range(2)]
    for enough, deadline in zip((0.0, 0.001), deadlines, strict=True):
        run = solving._Run(problem, deadline, np.random.default_rng(1), 1, enough)
        run.solve()
        assert run.best.done
    assert deadlines[1].work < deadlines[0].work / 2


def test_the_service_asks_for_what_is_near_enough() -> None:
    problem, limits = generate(40, "normal", 4), Limits(time_limit_s=1e9, work_limit=20_000_000)
    optimiser = Optimiser(limits)
    optimiser(problem)
    best = solve(problem, time_limit_s=1e9, workers=1, work_limit=limits.work_limit)
    assert optimiser.cost is not None
    assert optimiser.bound is not None
    assert best.cost < optimiser.cost <= optimiser.bound + ENOUGH * optimiser.cost


def test_prices_that_are_worth_what_is_asked_climb_no_further() -> None:
    prices = Prices(instance_of(generate(100, "normal", 1)))
    long, short = Deadline(1e9), Deadline(1e9)
    prices.climb(long, rounds=400, share=1.0)
    most = prices.prove()
    prices = Prices(prices.instance)
    prices.climb(short, rounds=400, share=1.0, aim=most - abs(most) // 100)
    assert prices.prove() >= most - abs(most) // 100
    assert short.work < long.work


@each_seed(300)
def test_the_prices_never_prove_more_than_the_optimum(seed: int) -> None:
    problem = random_problem(seed, requests=5, most_columns=5)
    prices = Prices(instance_of(problem))
    prices.climb(Deadline(10.0), rounds=60, share=1.0)
    best = optimum(problem)
    assert prices.prove() <= best
    rng = np.random.default_rng(seed)
    prices.best[:] = rng.random(prices.best.shape) * 30
    prices.vendor_best[:] = np.maximum(rng.normal(0, 20, prices.vendor_best.shape), -problem.shortfall_cost)
    assert prices.prove() <= best


@pytest.mark.parametrize("load", ["normal", "overloaded", "dense"])
@pytest.mark.parametrize("requests", [1, 40, 400, 2500])
def test_a_day_is_planned_within_its_limit_and_checked(requests: int, load: str) -> None:
    problem = generate(requests, load, 7)
    result = solve(problem, time_limit_s=0.4, seed=1, workers=2)
    assert check(problem, result.choice, claimed_cost=result.cost).ok
    assert result.lower_bound <= result.cost
    assert result.gap < 0.2
    assert all(
        later < earlier for (_, earlier), (_, later) in zip(result.trace, result.trace[1:], strict=False)
    )


@pytest.mark.parametrize("load", ["normal", "overloaded"])
def test_a_fifth_of_a_long_limit_gives_far_more_than_a_greedy_at_prices(load: str) -> None:
    problem, work = generate(600, load, 1), 2_000_000
    deadline = Deadline(1e9, lambda: deadline.work >= work // 5, work)
    run = solving._Run(problem, deadline, np.random.default_rng(1), 1)
    with suppress(Stopped):
        run.solve()
    prices = Prices(instance_of(problem))
    prices.climb(Deadline(1e9), rounds=2_000, share=1.0)
    order, bound = greedy_order(prices.instance), prices.prove()
    priced = cost_of(problem, greedy_at(prices, order, by_price=True, most=48))
    assert run.best.cost - bound < 0.4 * (priced - bound)


def test_however_short_the_limit_there_is_a_checked_plan() -> None:
    problem = generate(1000, "normal", 1)
    result = solve(problem, time_limit_s=0.0, seed=1, workers=2)
    assert check(problem, result.choice, claimed_cost=result.cost).ok


def test_a_wish_to_stop_ends_a_solve() -> None:
    problem, stop = generate(300, "overloaded", 1), threading.Event()
    timer = threading.Timer(0.3, stop.set)
    timer.start()
    started = time.monotonic()
    result = solve(problem, time_limit_s=60, seed=1, workers=2, stop=stop)
    timer.join()
    assert time.monotonic() - started < 10
    assert check(problem, result.choice, claimed_cost=result.cost).ok


def test_who_stops_before_the_last_replica_is_made_has_what_the_others_found() -> None:
    problem, deadline = generate(300, "overloaded", 1), Deadline(1e9, work_limit=20_000)
    run = solving._Run(problem, deadline, np.random.default_rng(1), 2)
    run._enter()
    one = run._annealer(1)

    def late() -> Annealer:
        raise Stopped

    assert anneal([one], deadline, run.best, hot=4.0, until=1.0, late=late) == [one]


def test_work_may_be_counted_of_two_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solving, "_MANY", 300)
    problem = generate(300, "overloaded", 1)
    result = solve(problem, time_limit_s=1e9, workers=2, work_limit=300_000)
    assert check(problem, result.choice, claimed_cost=result.cost).ok


@pytest.mark.parametrize("requests", [30, 600])
def test_the_same_work_and_seed_give_the_same_bytes(requests: int) -> None:
    problem = generate(requests, "overloaded", 3, **shares())
    one, two = (solve(problem, time_limit_s=1e9, seed=5, workers=1, work_limit=300_000) for _ in range(2))
    assert one.choice.tobytes() == two.choice.tobytes()
    assert (one.cost, one.lower_bound) == (two.cost, two.lower_bound)


def test_a_warm_start_is_never_made_worse() -> None:
    problem = generate(500, "overloaded", 2)
    before = solve(problem, time_limit_s=1.0, seed=1, workers=2)
    after = solve(problem, time_limit_s=0.0, seed=2, workers=1, warm_start=before.choice)
    assert after.cost <= before.cost


@each_seed(20)
def test_pinned_columns_stay(seed: int) -> None:
    problem = random_problem(seed)
    plan = solve(problem, time_limit_s=2, seed=1, workers=1).choice
    tied = tied_requests(problem)
    keep = [int(c) for r, c in enumerate(plan) if c >= 0 and r not in tied][:2]
    dearer = problem.column_cost.copy()
    dearer[keep] += 1000
    pinned = replace(problem, column_cost=dearer, pinned=np.array(keep, np.int64))
    result = solve(pinned, time_limit_s=2, seed=1, workers=1)
    assert set(keep) <= set(result.choice.tolist())
    assert result.cost == optimum(pinned)


@each_seed(100)
def test_a_plan_s_own_book_keeping_agrees_with_the_checker(seed: int) -> None:
    problem = random_problem(seed)
    rng = np.random.default_rng(seed)
    choice = np.full(problem.requests, -1, np.int64)
    for column in rng.permutation(problem.columns)[: problem.requests]:
        choice[problem.column_request[column]] = column
    report = check(problem, choice, claimed_cost=cost_of(problem, choice))
    assert is_feasible(problem, choice) == report.ok


@pytest.mark.parametrize("asks", [1, 3, 10, 40])
def test_a_solve_stops_wherever_it_is_asked_to(asks: int) -> None:
    problem, asked = generate(600, "normal", 1), [0]

    def stop() -> bool:
        asked[0] += 1
        return asked[0] >= asks

    result = solve(problem, time_limit_s=600, seed=1, workers=2, stop=stop)
    assert check(problem, result.choice, claimed_cost=result.cost).ok
    assert asked[0] < asks + 50


def test_who_asks_to_stop_beforehand_gets_what_is_pinned_and_nothing_is_begun(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(solving, "instance_of", None)
    problem = generate(50, "normal", 1)
    pinned = np.flatnonzero(problem.fits_alone & ~np.isin(problem.column_request, problem.precedence))[:1]
    problem = replace(problem, pinned=pinned)
    result = solve(problem, time_limit_s=60, stop=lambda: True)
    assert check(problem, result.choice, claimed_cost=result.cost).ok
    assert result.lower_bound <= result.cost
    assert (result.prices == 0).all()


@pytest.mark.parametrize("asks", range(2, 12))
def test_between_two_looks_no_more_than_one_part_of_a_day_is_done(
    asks: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "_STRIDE", 50)
    asked = [0]

    def stop() -> bool:
        asked[0] += 1
        return asked[0] >= asks

    problem = generate(400, "normal", 1)
    result = solve(problem, time_limit_s=60, workers=1, stop=stop)
    assert asked[0] == asks, "the first greedy alone has more parts than that"
    assert check(problem, result.choice, claimed_cost=result.cost).ok
