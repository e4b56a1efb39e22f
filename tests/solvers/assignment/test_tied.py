"""Sequence and bundles in each engine by itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from benchmarks.generator import generate
from benchmarks.sequences_bench import shares
from solvers.assignment import dual
from solvers.assignment.anneal import Annealer
from solvers.assignment.deadline import Deadline
from solvers.assignment.dual import Prices
from solvers.assignment.greedy import greedy
from solvers.assignment.incumbent import Incumbent
from solvers.assignment.instance import instance_of
from solvers.assignment.neighbourhood import Neighbourhoods
from solvers.assignment.plan import cost_of, is_feasible
from solvers.assignment.problem import AssignmentProblem
from solvers.assignment.search import Search
from solvers.assignment.solve import solve
from solvers.assignment.subproblem import restrict
from solvers.assignment.validation import MalformedProblem
from solvers.checker import check
from tests.solvers.assignment.problems import each_seed, optimum, random_problem


def forest(seed: int) -> AssignmentProblem:
    """Five requests, each tied to one before it, by a pair or a bundle as well; room for everybody."""
    rng, problem = np.random.default_rng([seed, 2]), random_problem(seed, requests=5, most_columns=3)
    pairs = [sorted((int(rng.integers(second)), second)) for second in range(1, 5) if rng.random() < 0.7]
    turned = [pair[:: int(rng.choice([1, -1]))] for pair in pairs]
    lag = rng.integers(-2, 3, len(turned))
    bundle = np.full(5, -1)
    for first, second in turned:
        if bundle[first] < 0 and rng.random() < 0.5:  # two of a pair, and never round a circle
            bundle[[first, second]] = first if bundle[second] < 0 else bundle[second]
    free = np.ones((len(problem.vendor_cap), problem.capacity.shape[1], 12), np.int64)
    return replace(
        problem, capacity=free * 100, vendor_cap=np.full(len(free), 5),
        vendor_target=0 * problem.vendor_target,
        precedence=np.array(turned).reshape(-1, 2), precedence_lag=lag,
        precedence_most=np.where(rng.random(len(lag)) < 0.5, lag + rng.integers(0, 3, len(lag)), 2**62),
        precedence_from_start=rng.integers(0, 2, len(lag)),
        bundle=bundle,
    )  # fmt: skip


@each_seed(80)
def test_where_nobody_competes_the_prices_prove_the_optimum_of_every_tree(seed: int) -> None:
    problem = forest(seed)
    assert Prices(instance_of(problem)).prove() == optimum(problem)


@each_seed(20)
def test_a_column_s_regret_is_what_its_whole_tree_costs_more_with_it(seed: int) -> None:
    problem = forest(seed)
    instance, best = instance_of(problem), optimum(problem)
    prices = Prices(instance)
    regret, alone = prices.regrets()
    for at, kept in enumerate(prices.ties.columns.tolist()):
        column = instance.original[kept]
        forced = _only(problem, int(problem.column_request[column]), [int(column)])
        assert regret[at] == pytest.approx(optimum(forced) - best) or regret[at] > 10**6 < optimum(forced)
    for request in prices.ties.requests.tolist():
        assert alone[request] == pytest.approx(optimum(_only(problem, request, [])) - best)


def test_prices_climb_alike_whether_tied_requests_see_all_their_columns_or_those_near(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    problem, met = generate(150, "overloaded", 1, **shares()), list[Any]()
    work = list[int]()
    for reach in (dual._REACH, 1e9):
        monkeypatch.setattr(dual, "_REACH", reach)
        prices, deadline = Prices(instance_of(problem)), Deadline(60.0, None, 10**9)
        prices.climb(deadline, rounds=200, share=0.9)
        met.append((prices.value, prices.best.tolist(), prices.prove()))
        work.append(deadline.work)
    assert met[0] == met[1]
    assert work[0] < work[1] / 2


def _only(problem: AssignmentProblem, request: int, columns: list[int]) -> AssignmentProblem:
    """The request stands at one of these columns, or, where there are none, is not matched."""
    kept = np.flatnonzero((problem.column_request != request) | np.isin(np.arange(problem.columns), columns))
    arrays = {
        name: getattr(problem, name)[kept]
        for name in vars(problem)
        if name.startswith("column_") and len(getattr(problem, name))
    }
    penalty = problem.request_penalty.copy()
    penalty[request] += 10**7 if columns else 0
    return replace(problem, request_penalty=penalty, **arrays)


def test_a_bundle_in_sequence_is_priced_in_its_sequence_whatever_the_order_of_its_requests() -> None:
    problem = replace(
        _two(),
        request_penalty=np.array([100, 100, 100]), column_request=np.array([0, 1, 2]),
        column_start=np.array([0, 1, 2]), bundle=np.array([0, 0, 0]), vendor_cap=np.array([3]),
        precedence=np.array([[0, 2], [2, 1]]), precedence_lag=np.array([0, 0]),
        precedence_most=np.full(2, 2**62), precedence_from_start=np.array([0, 0]),
    )  # fmt: skip
    assert Prices(instance_of(problem)).prove() == optimum(problem) == 300


def test_annealing_alone_knows_what_it_costs_and_most_often_finds_the_optimum() -> None:
    found = 0
    for seed in range(24):
        problem = random_problem(seed)
        prices = Prices(instance_of(problem))
        nothing = np.full(problem.requests, -1, np.int32)
        start = cost_of(problem, nothing.astype(np.int64))
        search = Search(prices, nothing, start, width=np.inf, most=50)
        annealer, deadline = Annealer(search, seed), Deadline(60.0, None, 60_000)
        annealer.run(deadline, Incumbent(problem, deadline), hot=30.0, begin=0.0, end=1.0)
        choice = prices.instance.to_given(search.columns_of(annealer.best))
        assert is_feasible(problem, choice) and cost_of(problem, choice) == annealer.best_cost
        found += annealer.best_cost == optimum(problem)
    assert found >= 21


@each_seed(40)
def test_greedy_keeps_sequence_and_bundles(seed: int) -> None:
    problem = random_problem(seed, requests=8)
    assert check(problem, greedy(problem)).ok


def test_greedy_matches_bundles_whole_in_their_order_though_one_of_them_does_not_pay() -> None:
    problem = _two(bundle=[0, 0], request_penalty=[100, 5], precedence=[[1, 0]], precedence_lag=[0])
    assert greedy(problem).tolist() == [1, 2]
    assert greedy(replace(problem, request_penalty=np.array([5, 5]))).tolist() == [-1, -1]


def _two(**changes: Any) -> AssignmentProblem:
    """The first request may begin at 0 or 2, the second at 1; each lasts for one bucket and costs 10."""
    arrays: dict[str, Any] = {
        "request_penalty": [100, 100], "column_request": [0, 0, 1], "column_vendor": [0, 0, 0],
        "column_resource": [0, 0, 0], "column_start": [0, 2, 1], "column_duration": [1, 1, 1],
        "column_units": [1, 1, 1], "column_cost": [9, 10, 10], "capacity": np.ones((1, 1, 4), np.int64),
    }  # fmt: skip
    return AssignmentProblem(**(arrays | changes))


@pytest.mark.parametrize(
    ("least", "most", "from_start", "times", "found"),
    [
        (0, 2**62, 0, None, [0, 2]),
        (0, 0, 0, None, [0, 2]),
        (-2, -1, 0, None, [1, 2]),
        (-1, -1, 0, None, [0, -1]),
        (0, -1, 0, None, [0, -1]),
        (0, 0, 1, None, [0, -1]),
        (0, 1, 1, None, [0, 2]),
        (0, 4, 0, ([0, 0, 10], [5, 6, 11]), [1, 2]),
        (0, 5, 0, ([0, 0, 10], [5, 6, 11]), [0, 2]),
    ],
)
def test_the_second_begins_no_later_than_its_most_after_the_first(
    least: int, most: int, from_start: int, times: tuple[list[int], list[int]] | None, found: list[int]
) -> None:
    work = {} if times is None else dict(zip(("column_begin", "column_end"), times, strict=True))
    problem = _two(
        precedence=[[0, 1]],
        precedence_lag=[least],
        precedence_most=[most],
        precedence_from_start=[from_start],
        **work,
    )
    for engine in (greedy, _solved):
        choice = engine(problem)
        assert check(problem, choice).ok
        assert engine is greedy or choice.tolist() == found


def _solved(problem: AssignmentProblem) -> np.ndarray:
    return solve(problem, time_limit_s=60, seed=1, workers=1).choice


def test_a_bundle_of_one_and_none_at_all_bind_nobody() -> None:
    for bundle in ([0, 1], [-1, -1], None):
        problem = _two(bundle=bundle, request_penalty=[100, 5])
        assert _solved(problem).tolist() == [0, -1]


def test_neighbourhoods_hold_whole_bundles_and_solve_as_problems_of_their_own() -> None:
    problem = generate(300, "overloaded", 2, **shares())
    prices = Prices(instance_of(problem))
    prices.climb(Deadline(5.0), rounds=40, share=1.0)
    choice = greedy(problem)
    standing = prices.instance.from_given(choice)
    near = Neighbourhoods(prices, Search(prices, standing, cost_of(problem, choice), width=1e9, most=32))
    rng = np.random.default_rng(1)
    for seed in np.flatnonzero(problem.bundle >= 0).tolist():
        inside = near.grow(standing, seed, 20, rng)
        outside = np.setdiff1d(np.arange(problem.requests), inside)
        assert not np.intersect1d(problem.bundle[inside], problem.bundle[outside]).max(initial=-1) >= 0
        assert (np.isin(problem.precedence, inside).sum(axis=1) != 1).all()
        part = restrict(problem, choice, inside, prices.instance.original[near.columns(inside)])
        assert is_feasible(problem, part.merged(choice, greedy(part.problem)))


def test_one_bucket_with_bundles_and_sequence_is_planned_too() -> None:
    rng = np.random.default_rng(1)
    requests, vendors = 80, 6
    nothing = np.zeros(requests * vendors, np.int64)
    problem = AssignmentProblem(
        request_penalty=rng.integers(50, 200, requests),
        column_request=np.repeat(np.arange(requests), vendors),
        column_vendor=np.tile(np.arange(vendors), requests), column_resource=nothing, column_start=nothing,
        column_duration=nothing + 1, column_units=rng.integers(1, 9, len(nothing)),
        column_cost=rng.integers(1, 50, len(nothing)),
        capacity=np.full((vendors, 1, 1), 40), bundle=np.arange(requests) // 2,
        precedence=np.array([[0, 3]]), precedence_from_start=np.array([1]),
    )  # fmt: skip
    result = solve(problem, time_limit_s=60, seed=1, workers=1, work_limit=400_000)
    assert check(problem, result.choice, claimed_cost=result.cost).ok
    assert result.gap < 0.02


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"bundle": [0]}, r"bundle has shape \(1,\); it must have \(2,\)"),
        ({"bundle": [0, -2]}, r"bundle\[1\] is -2; it must lie in \[-1, 1048576\]"),
        ({"precedence": [[0, 1]], "precedence_most": [1, 2]}, r"precedence_most has shape \(2,\)"),
        (
            {"precedence": [[0, 1]], "precedence_most": [2**63 - 1]},
            r"precedence_most\[0\] is 9223372036854775807",
        ),
        (
            {"precedence": [[0, 1]], "precedence_from_start": [2]},
            r"precedence_from_start\[0\] is 2; .*\[0, 1\]",
        ),
        (
            {"column_begin": [0, 1, 2]},
            r"column_begin has shape \(3,\) and column_end \(0,\); both must have \(3,\)",
        ),
        ({"column_begin": [0, 1], "column_end": [0, 1]}, r"column_begin has shape \(2,\)"),
        ({"bundle": [4, 4], "pinned": [0]}, r"bundle\[0\] is 4, of requests \[0, 1\].*\nMaybe pin all"),
        (
            {"precedence": [[0, 1]], "precedence_most": [-1], "precedence_lag": [-2], "pinned": [0, 2]},
            r"pinned columns 0, 2 break it",
        ),
    ],
)
def test_what_is_malformed_is_refused_with_the_index_and_the_value(
    changes: dict[str, Any], says: str
) -> None:
    with pytest.raises(MalformedProblem, match=says):
        _two(**changes)


def test_a_column_that_goes_with_nothing_does_not_make_temperatures_infinite() -> None:
    """The second request's earlier column begins before the first has ended; it counts as its penalty."""
    problem = AssignmentProblem(
        request_penalty=np.array([500, 500]),
        column_request=np.array([0, 1, 1]),
        column_vendor=np.zeros(3, np.int64),
        column_resource=np.zeros(3, np.int64),
        column_start=np.array([2, 4, 0]),
        column_duration=np.ones(3, np.int64),
        column_units=np.ones(3, np.int64),
        column_cost=np.array([100, 100, 40]),
        capacity=np.full((1, 1, 5), 9),
        precedence=np.array([[0, 1]]),
    )
    prices = Prices(instance_of(problem))
    search = Search(prices, np.full(2, -1, np.int32), 1_000, width=np.inf, most=9)
    assert search.spread == 500  # without the first the tree costs 800 more; both count as a penalty
