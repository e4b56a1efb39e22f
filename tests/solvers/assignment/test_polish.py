"""Neighbourhoods: closed under precedence, merged back without breaking anything, and never for the worse."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.generator import generate
from solvers.assignment.deadline import WORK_PER_SECOND, Deadline
from solvers.assignment.dual import Prices
from solvers.assignment.exact import solve_exactly
from solvers.assignment.incumbent import Incumbent
from solvers.assignment.instance import instance_of
from solvers.assignment.neighbourhood import Neighbourhoods
from solvers.assignment.plan import cost_of, is_feasible
from solvers.assignment.polish import Polisher
from solvers.assignment.problem import AssignmentProblem
from solvers.assignment.search import Search
from solvers.assignment.solve import solve
from solvers.assignment.subproblem import restrict
from solvers.checker import check

Plan = tuple[AssignmentProblem, Prices, Search, np.ndarray]


def planned(problem: AssignmentProblem) -> Plan:
    prices = Prices(instance_of(problem))
    prices.climb(Deadline(1e9, work_limit=200_000), rounds=200, share=1.0)
    choice = solve(problem, time_limit_s=1e9, workers=1, work_limit=1).choice
    kept = prices.instance.from_given(choice)
    return problem, prices, Search(prices, kept, cost_of(problem, choice), width=2000.0, most=32), choice


def met(problem: AssignmentProblem, choice: np.ndarray) -> Incumbent:
    best = Incumbent(problem, Deadline(60.0))
    assert best.offer(choice)
    return best


@pytest.fixture(scope="module")
def overloaded() -> Plan:
    return planned(generate(400, "overloaded", 5))


def test_a_spread_is_what_a_third_candidate_costs_more_at_most_a_penalty(overloaded: Plan) -> None:
    _, prices, search, _ = overloaded
    every = Search(prices, search.choice, search.cost, width=np.inf, most=10_000)
    key, first = every.arrays["candidate"]["key"].astype(float), every.arrays["first"]
    own = np.flatnonzero(np.diff(first) > 2)
    dearer = np.minimum(key[first[own] + 2] - key[first[own]], prices.instance.penalty[own])
    assert every.spreads[own] == pytest.approx(dearer)
    assert every.spread == pytest.approx(every.spreads.mean())


def test_candidates_are_within_the_width_of_their_own_request(overloaded: Plan) -> None:
    _, prices, search, _ = overloaded
    none, all_of, half = (
        np.diff(Search(prices, search.choice, search.cost, width=width, most=32).arrays["first"])
        for width in (0.0, 2000.0, np.where(np.arange(400) % 2, 2000.0, 0.0))
    )
    assert half[0::2].tolist() == none[0::2].tolist()
    assert half[1::2].tolist() == all_of[1::2].tolist()
    assert none.sum() < half.sum() < all_of.sum()


@pytest.mark.parametrize("seed", range(10))
def test_a_neighbourhood_holds_its_seed_and_all_that_is_tied_to_it(overloaded: Plan, seed: int) -> None:
    problem, prices, search, choice = overloaded
    rng = np.random.default_rng(seed)
    near, standing = Neighbourhoods(prices, search), prices.instance.from_given(choice)
    first = near.seed(standing, rng)
    inside = near.grow(standing, first, 60, rng)
    assert first in inside
    assert 1 < len(inside) < 70
    both = np.isin(problem.precedence, inside)
    assert (both[:, 0] == both[:, 1]).all()


def test_those_without_a_match_come_in_where_they_would_take_a_place(overloaded: Plan) -> None:
    _, prices, search, choice = overloaded
    near, standing = Neighbourhoods(prices, search), prices.instance.from_given(choice)
    matched = np.flatnonzero(choice >= 0)[:20].tolist()
    grown = [near.grow(standing, seed, 60, np.random.default_rng(seed)) for seed in matched]
    assert max((choice[inside] < 0).sum() for inside in grown) > 2


@pytest.mark.parametrize("size", [400, 4000])
def test_a_neighbourhood_larger_than_all_there_is_ends(overloaded: Plan, size: int) -> None:
    _, prices, search, choice = overloaded
    rng, standing = np.random.default_rng(1), prices.instance.from_given(choice)
    inside = Neighbourhoods(prices, search).grow(standing, 0, size, rng)
    assert len(inside) == len(np.unique(inside)) <= 400


@pytest.mark.parametrize("seed", range(10))
def test_what_a_part_costs_less_the_whole_costs_less(overloaded: Plan, seed: int) -> None:
    problem, prices, search, choice = overloaded
    rng = np.random.default_rng(seed)
    near, standing = Neighbourhoods(prices, search), prices.instance.from_given(choice)
    inside = near.grow(standing, near.seed(standing, rng), 40, rng)
    part = restrict(problem, choice, inside, prices.instance.original[near.columns(inside)])
    assert is_feasible(part.problem, part.start)
    assert (part.merged(choice, part.start) == choice).all()
    found = solve(part.problem, time_limit_s=1e9, workers=1, work_limit=300_000, warm_start=part.start)
    whole = part.merged(choice, found.choice)
    assert check(problem, whole).ok
    assert (
        cost_of(problem, choice) - cost_of(problem, whole) == cost_of(part.problem, part.start) - found.cost
    )


def test_polishing_with_two_threads_keeps_every_rule_and_never_makes_it_worse(overloaded: Plan) -> None:
    problem, prices, search, choice = overloaded
    best = met(problem, choice)
    polisher, deadline = Polisher(prices, search, best), Deadline(1e9, work_limit=WORK_PER_SECOND // 3)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(polisher.run, [deadline, deadline], [1, 2]))
    assert check(problem, best.choice, claimed_cost=best.cost).ok
    assert best.cost < cost_of(problem, choice)


def test_what_is_pinned_or_tied_to_it_stays(overloaded: Plan) -> None:
    problem, _, _, choice = overloaded
    matched = problem.precedence[(choice[problem.precedence] >= 0).all(axis=1)]
    _, prices, search, choice = planned(replace(problem, pinned=choice[matched[:3, 0]]))
    rng, standing = np.random.default_rng(2), prices.instance.from_given(choice)
    inside = Neighbourhoods(prices, search).grow(standing, 0, 4000, rng)
    assert not np.isin(matched[:3], inside).any()


def test_where_all_is_pinned_polishing_ends_at_once(overloaded: Plan) -> None:
    problem, _, _, choice = overloaded
    part = restrict(problem, choice, np.flatnonzero(choice >= 0), np.zeros(0, np.int64))
    pinned, prices, search, kept = planned(replace(part.problem, pinned=part.start))
    deadline = Deadline(60.0)
    Polisher(prices, search, met(pinned, kept)).run(deadline, 1)
    assert deadline.left_s > 50


def test_requests_without_a_candidate_stay_unmatched(overloaded: Plan) -> None:
    problem, _, _, choice = overloaded
    unmatched = np.flatnonzero(choice < 0)
    part = restrict(problem, choice, unmatched, np.zeros(0, np.int64))
    found, bound = solve_exactly(part.problem, part.start, Deadline(5.0), seed=1, workers=1)
    assert (part.merged(choice, found) == choice).all()
    assert bound == cost_of(part.problem, found) == problem.request_penalty[unmatched].sum()


def test_what_is_asked_of_the_engine_counts_as_the_work_that_it_is(overloaded: Plan) -> None:
    """Thousands of small neighbourhoods were no work: solves took ten times as long as they were given."""
    problem, _, _, choice = overloaded
    worked = []
    for inside, columns in ((np.flatnonzero(choice < 0), 0), (np.arange(problem.requests), 1_000)):
        part = restrict(problem, choice, inside, np.arange(columns))
        limit = Deadline(1e9, work_limit=10**9)
        solve_exactly(part.problem, part.start, limit, seed=1, workers=1)
        worked.append(limit.work)
    assert worked[0] >= WORK_PER_SECOND / 1_000  # it takes a millisecond before it has begun
    assert worked[1] > worked[0] + 10 * 1_000  # and some for each column


def test_the_same_work_and_seed_give_the_same_bytes(overloaded: Plan) -> None:
    problem, prices, search, choice = overloaded
    found = []
    for _ in range(2):
        best = met(problem, choice)
        Polisher(prices, search, best).run(Deadline(1e9, work_limit=500_000), 1)
        found.append(best.choice.tobytes())
    assert found[0] == found[1] != choice.tobytes()


def test_a_solve_with_time_for_it_polishes() -> None:
    problem = generate(220, "overloaded", 3)
    result = solve(problem, time_limit_s=2.5, seed=5, workers=2)
    assert check(problem, result.choice, claimed_cost=result.cost).ok
