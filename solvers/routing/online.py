"""Requests that become known during the day: each is accepted or refused at once, for good.

A vehicle waits where it is for as long as its next stop's time allows; once it must leave, that stop stands.
All else may be planned anew whenever a request comes: the search that `solve` uses, with what stands held.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from solvers.arrays import Floats, Ints
from solvers.routing.checker import times_of
from solvers.routing.problem import RoutingProblem
from solvers.routing.solve import RoutingResult, Standing, result_of, search

ROUNDS: Final = 1_000  #: of search for each request that comes


@dataclass
class _Vehicle:
    """Where it goes, and of how many stops that is decided."""

    stops: list[int] = field(default_factory=list)
    begins: list[float] = field(default_factory=list)  #: of the stops that stand
    left: float | None = None  #: the depot, when


@dataclass(frozen=True, slots=True)
class OnlineResult:
    """Routes as they were driven, the begin of each stop, and who was refused."""

    routes: RoutingResult
    begins: tuple[tuple[float, ...], ...]
    refused: tuple[int, ...]


def play(problem: RoutingProblem, arrival: Floats, *, seed: int, rounds: int = ROUNDS) -> OnlineResult:
    """The day from its first request to its last; every accepted request is served.

    `arrival`: R; when each becomes known. What is known at the same instant comes in the order of its number.
    """
    day = _Day(problem, seed, rounds)
    for request in np.argsort(arrival, kind="stable").tolist():
        day.advance(float(arrival[request]))
        day.ask(request)
    day.advance(np.inf)
    driven = [vehicle for vehicle in day.vehicles if vehicle.stops]
    routes = result_of(problem, [vehicle.stops for vehicle in driven])
    return OnlineResult(routes, tuple(tuple(each.begins) for each in driven), tuple(day.refused))


class _Day:
    def __init__(self, problem: RoutingProblem, seed: int, rounds: int) -> None:
        self.problem, self._seed, self._rounds = problem, seed, rounds
        self.vehicles = [_Vehicle() for _ in range(max(1, min(problem.vehicles, problem.requests)))]
        self.refused = list[int]()
        self._accepted = list[int]()
        self._now = 0.0

    def advance(self, now: float) -> None:
        """Stops stand that a vehicle must have left for by now."""
        for vehicle in self.vehicles:
            pinned, leave = self._pinned(), self._leave(vehicle)
            times = times_of(pinned, vehicle.stops, leave=leave) if vehicle.stops else []
            if times is None:
                raise RuntimeError("a route that was feasible is so no more")
            for k in range(len(vehicle.begins), len(vehicle.stops)):
                away = times[k + 1] - self._way(vehicle, k)
                if away > now:
                    break
                vehicle.left = away if k == 0 else vehicle.left
                vehicle.begins.append(times[k + 1])
        self._now = now

    def ask(self, request: int) -> None:
        """Accept it where all that was accepted before keeps its place, too."""
        known = [*self._accepted, request]
        pinned = self._pinned()
        start = self.problem.pickup[request]
        pinned.earliest[start] = max(pinned.earliest[start], self._now)  # nobody is picked up before
        part, node_of = _part(pinned, known)
        number = {int(node): k for k, node in enumerate(node_of)}
        held = np.array([int(self.problem.pickup[q]) in self._standing_nodes() for q in known])
        standing = Standing(
            routes=[[number[node] for node in vehicle.stops] for vehicle in self.vehicles],
            fixed=np.array([len(vehicle.begins) + 1 for vehicle in self.vehicles]),
            leave=np.array([self._leave(vehicle) for vehicle in self.vehicles]),
            held=held,
        )
        routes = search(part, standing, seed=self._seed, rounds=self._rounds)
        if routes is None:
            self.refused.append(request)
            return
        self._accepted.append(request)
        for vehicle, route in zip(self.vehicles, routes, strict=True):
            vehicle.stops = [int(node_of[node]) for node in route]

    def _way(self, vehicle: _Vehicle, k: int) -> float:
        """To a stop; to the first of them with what is done at the depot."""
        before = vehicle.stops[k - 1] if k else 0
        at_depot = 0.0 if k else float(self.problem.service[0])
        return at_depot + float(self.problem.travel[before, vehicle.stops[k]])

    def _leave(self, vehicle: _Vehicle) -> float:
        return max(self._now, float(self.problem.earliest[0])) if vehicle.left is None else vehicle.left

    def _home_by(self, vehicle: _Vehicle) -> float:
        """When it must leave its last place, if that is its last stop: then it goes home."""
        back = float(self.problem.travel[vehicle.stops[len(vehicle.begins) - 1], 0])
        return min(float(self.problem.latest[0]), (vehicle.left or 0.0) + self.problem.route_limit) - back

    def _standing_nodes(self) -> set[int]:
        return {node for vehicle in self.vehicles for node in vehicle.stops[: len(vehicle.begins)]}

    def _pinned(self) -> RoutingProblem:
        """What stands at its time; a vehicle leaves its last place no earlier than now."""
        earliest, latest, service = (
            getattr(self.problem, name).copy() for name in ("earliest", "latest", "service")
        )
        delivery = dict(zip(self.problem.pickup.tolist(), self.problem.delivery.tolist(), strict=True))
        for vehicle in self.vehicles:
            for node, begin in zip(vehicle.stops, vehicle.begins, strict=False):
                if node in delivery:
                    ends = begin + float(self.problem.service[node]) + self.problem.ride_limit
                    latest[delivery[node]] = min(latest[delivery[node]], ends)
            for node, begin in zip(vehicle.stops, vehicle.begins, strict=False):
                earliest[node] = latest[node] = begin
            if vehicle.begins and np.isfinite(self._now):
                last = vehicle.stops[len(vehicle.begins) - 1]
                stays = min(self._now, self._home_by(vehicle)) - vehicle.begins[-1]
                service[last] = max(service[last], stays)
        return replace(self.problem, earliest=earliest, latest=latest, service=service)


def _part(problem: RoutingProblem, requests: Sequence[int]) -> tuple[RoutingProblem, Ints]:
    """The problem of some requests only, and which node each of its nodes is."""
    here = np.array(requests)
    nodes = np.concatenate([[0], problem.pickup[here], problem.delivery[here]])
    count = len(here)
    part = replace(
        problem,
        travel=problem.travel[np.ix_(nodes, nodes)],
        **{name: getattr(problem, name)[nodes] for name in ("service", "earliest", "latest", "load")},
        pickup=np.arange(1, count + 1),
        delivery=np.arange(count + 1, 2 * count + 1),
    )
    return part, nodes
