"""Routes: the search against every order there is, the checker against plans that break a rule."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import permutations

import numpy as np
import pytest

from solvers.routing.checker import check, times_of
from solvers.routing.problem import MalformedRouting, RoutingProblem
from solvers.routing.solve import solve
from tests.solvers.assignment.problems import each_seed


def drawn(seed: int, requests: int = 3, **fields: object) -> RoutingProblem:
    """Windows so tight that not every problem has a plan for all; half with limited rides and routes."""
    rng = np.random.default_rng(seed)
    nodes = 2 * requests + 1
    at = rng.uniform(0, 10, (nodes, 2))
    begin = rng.uniform(0, 30, nodes)
    begin[0] = 0
    width = np.where(np.arange(nodes) == 0, 100, rng.uniform(5, 25, nodes))
    load = rng.integers(0, 3, requests)
    given = RoutingProblem(
        travel=np.hypot(*(at[:, None] - at).transpose(2, 0, 1)), service=rng.uniform(0, 2, nodes),
        earliest=begin, latest=begin + width, load=np.concatenate([[0], load, -load]),
        pickup=np.arange(1, requests + 1), delivery=np.arange(requests + 1, nodes), vehicles=2, capacity=3,
    )  # fmt: skip
    limits = {"ride_limit": 14.0, "route_limit": 45.0} if seed % 2 else {}
    return replace(given, **limits, **fields)  # type: ignore[arg-type]


def _least(problem: RoutingProblem) -> tuple[int, int, float]:
    """Requests left out, vehicles (0 where they do not count), travel: of every plan for two vehicles."""

    @cache
    def alone(members: tuple[int, ...]) -> float:
        stops = [int(node) for q in members for node in (problem.pickup[q], problem.delivery[q])]
        reports = [check(problem, [order]) for order in permutations(stops)]
        return min((each.travel for each in reports if each.ok), default=np.inf)

    found = []
    for code in range(3**problem.requests):
        who = [code // 3**q % 3 for q in range(problem.requests)]
        groups = [tuple(q for q, vehicle in enumerate(who) if vehicle == k) for k in (1, 2)]
        travel = sum(alone(group) for group in groups if group)
        if np.isfinite(travel):
            used = sum(map(bool, groups)) if problem.few_vehicles else 0
            found.append((who.count(0), used, travel))
    return min(found)


@each_seed(16)
def test_a_small_plan_is_the_best_there_is(seed: int) -> None:
    problem = drawn(seed, few_vehicles=seed % 4 > 1)
    left_out, vehicles, travel = _least(problem)
    found = solve(problem, time_limit_s=1e9, seed=seed, rounds=2_000)
    assert found.left_out == left_out
    assert found.travel == pytest.approx(travel)
    assert not problem.few_vehicles or found.vehicles == vehicles


def test_the_same_rounds_give_the_same_routes_and_more_vehicles_harm_nobody() -> None:
    problem = drawn(3, requests=12, vehicles=8)
    one, two = (solve(problem, time_limit_s=1e9, seed=5, rounds=400) for _ in range(2))
    assert one == two
    many = solve(replace(problem, vehicles=10**9), time_limit_s=1e9, seed=5, rounds=400)
    assert check(problem, many.routes).ok or many.vehicles > 8
    assert many.left_out <= one.left_out


def test_a_vehicle_waits_at_the_depot_so_that_a_route_and_a_ride_keep_their_limits() -> None:
    """Leaving at 0 would make the route 60 long, and the pick-up at once the ride 50."""
    line = np.array([0.0, 5, 15])
    problem = RoutingProblem(
        travel=np.abs(line[:, None] - line), service=np.zeros(3), earliest=np.array([0.0, 0, 45]),
        latest=np.array([100.0, 100, 60]), load=np.array([0, 1, -1]),
        pickup=np.array([1]), delivery=np.array([2]), vehicles=1, capacity=1, ride_limit=12, route_limit=31,
    )  # fmt: skip
    assert times_of(problem, [1, 2]) == pytest.approx([29, 34, 45, 60])
    assert solve(problem, time_limit_s=1, seed=1).routes == ((1, 2),)
    assert times_of(replace(problem, route_limit=29), [1, 2]) is None
    assert solve(replace(problem, ride_limit=9), time_limit_s=1, seed=1).left_out == 1


def test_no_requests_need_no_vehicle() -> None:
    assert solve(drawn(0, requests=0), time_limit_s=1, seed=1).routes == ()


@pytest.mark.parametrize(
    ("routes", "told"),
    [
        ([[1, 4], [1, 4]], "node 1 is visited 2 times"),
        ([[4, 1]], "node 4 is before node 1"),
        ([[1], [4]], "of nodes 1 and 4 only one is visited"),
        ([[1, 4], [2, 5], [3, 6]], "3 vehicles are used, 2 are there"),
        ([[1, 2, 3, 4, 5, 6]], "4 are aboard after node 2, 3 may be"),
        ([[1, 4]], "no times keep its windows"),
    ],
)
def test_the_checker_names_the_rule_that_is_broken(routes: list[list[int]], told: str) -> None:
    free = {"earliest": np.zeros(7), "latest": np.full(7, 1e3), "load": np.array([0, 2, 2, 2, -2, -2, -2])}
    late = {"latest": np.array([1e3, 0, 0, 0, 0, 0, 0])} if "times" in told and len(routes) == 1 else {}
    report = check(replace(drawn(2), **(free | late)), routes)
    assert told in " ".join(report.violations)


def test_what_is_no_problem_is_told() -> None:
    given = drawn(2)
    with pytest.raises(MalformedRouting, match=r"load: request 1 takes 5 aboard and leaves 0"):
        replace(given, load=np.array([0, 0, 5, 0, 0, 0, 0]))
    with pytest.raises(MalformedRouting, match=r"earliest\[2\] is nan"):
        replace(given, earliest=np.array([0, 0, np.nan, 0, 0, 0, 0]))
    with pytest.raises(MalformedRouting, match="each node but the depot must be one request's"):
        replace(given, pickup=np.array([1, 1, 3]))
