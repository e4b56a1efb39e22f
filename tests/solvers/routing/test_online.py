"""Requests that come during the day: nothing is done before it was known; whoever was accepted is served."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from solvers.routing.checker import check
from solvers.routing.online import OnlineResult, play
from solvers.routing.problem import RoutingProblem
from tests.solvers.assignment.problems import each_seed
from tests.solvers.routing.test_routes import drawn

NEAR = 1e-6


def _day(seed: int) -> tuple[RoutingProblem, np.ndarray]:
    problem = drawn(seed, requests=12, vehicles=3)
    rng = np.random.default_rng(seed)
    return problem, np.maximum(0, problem.latest[problem.pickup] - rng.uniform(2, 25, 12))


def _faults(problem: RoutingProblem, arrival: np.ndarray, found: OnlineResult) -> list[str]:
    """What the times that were driven break, stop by stop."""
    faults, owner = [], problem.request_of
    for route, begins in zip(found.routes.routes, found.begins, strict=True):
        at, before, free = dict(zip(route, begins, strict=True)), 0, -np.inf
        for node, begin in at.items():
            left = begin - problem.travel[before, node]
            rules = {
                "known": left >= arrival[owner[node]] - NEAR,
                "after the stop before": left >= free - NEAR,
                "window": problem.earliest[node] - NEAR <= begin <= problem.latest[node] + NEAR,
            }
            faults += [f"node {node}: {name}" for name, holds in rules.items() if not holds]
            before, free = node, begin + problem.service[node]
        rides = [
            at[int(d)] - at[int(p)] - problem.service[p]
            for p, d in zip(problem.pickup, problem.delivery, strict=True)
            if p in at
        ]
        long = (
            free + problem.travel[before, 0] - (begins[0] - problem.travel[0, route[0]] - problem.service[0])
        )
        faults += [f"ride {ride}" for ride in rides if ride > problem.ride_limit + NEAR]
        faults += [f"route {long}"] if long > problem.route_limit + NEAR else []
    return faults


@each_seed(12)
def test_every_stop_is_left_for_after_its_request_was_known_and_keeps_its_limits(seed: int) -> None:
    problem, arrival = _day(seed)
    found = play(problem, arrival, seed=seed, rounds=60)
    assert _faults(problem, arrival, found) == []
    assert check(problem, found.routes.routes).ok
    served = set(problem.request_of[[node for route in found.routes.routes for node in route]].tolist())
    assert served == set(range(12)) - set(found.refused)


def test_the_same_day_is_played_alike() -> None:
    problem, arrival = _day(4)
    one, two = (play(problem, arrival, seed=1, rounds=60) for _ in range(2))
    assert one == two
    assert 0 < len(one.refused) < 12


def test_who_asks_after_the_vehicles_went_home_is_refused_and_nobody_else() -> None:
    problem, arrival = _day(5)
    arrival[3] = 10_000.0
    found = play(replace(problem, route_limit=30.0), arrival, seed=1, rounds=60)
    assert 3 in found.refused
    assert found.routes.vehicles == 3
    assert _faults(replace(problem, route_limit=30.0), arrival, found) == []


def test_what_was_begun_is_kept_though_it_is_a_detour_by_now() -> None:
    """The vehicle left for the far stop at 5; the near one, known at 6, is served after it."""
    line = np.array([0.0, 10, 11, 2, 3])
    problem = RoutingProblem(
        travel=np.abs(line[:, None] - line), service=np.zeros(5), earliest=np.array([0.0, 15, 0, 0, 0]),
        latest=np.array([99.0, 15, 99, 99, 99]), load=np.array([0, 1, -1, 1, -1]),
        pickup=np.array([1, 3]), delivery=np.array([2, 4]), vehicles=1, capacity=1,
    )  # fmt: skip
    known, late = (play(problem, np.array(at), seed=1, rounds=200) for at in ([0.0, 0.0], [0.0, 6.0]))
    assert known.routes.routes == ((3, 4, 1, 2),)
    assert late.routes.routes == ((1, 2, 3, 4),)
    assert late.begins == (pytest.approx((15, 16, 25, 26)),)
    in_time = replace(problem, latest=np.array([99.0, 15, 99, 24, 99]))
    assert play(in_time, np.array([0.0, 6.0]), seed=1, rounds=200).refused == (1,)
