"""Search for routes (kernels/ruin.c), a seed a thread; the best of them."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from solvers.arrays import Flags, Floats, Ints
from solvers.assignment.deadline import Deadline, Stop
from solvers.kernels.layouts import ROUTES, ROUTING
from solvers.kernels.library import Struct, library
from solvers.routing.checker import Route, check
from solvers.routing.problem import RoutingProblem

_FEWER: Final = 0.5  #: share of the time for fewer vehicles
_HOT, _COLD = 0.5, 0.005  #: temperatures, in travel a request
_ROUNDS: Final = 20_000  #: a request; small problems are done before their time is
_CLOSE: Final = 400  #: nodes near each that are looked at
_SLICE: Final = 1 << 14  #: nodes by rounds between two looks at the clock


@dataclass(frozen=True, slots=True)
class RoutingResult:
    """Routes without the depot, one a vehicle that is used; what they are worth by the checker."""

    routes: tuple[tuple[int, ...], ...]
    vehicles: int
    travel: float
    left_out: int


def solve(
    problem: RoutingProblem,
    *,
    time_limit_s: float,
    seed: int,
    workers: int = 1,
    rounds: int | None = None,
    stop: Stop = None,
) -> RoutingResult:
    """Routes that pass the checker. With `rounds` the same input gives the same routes, at any speed."""

    if not problem.requests:
        return RoutingResult((), 0, 0.0, 0)

    def one(number: int) -> RoutingResult:
        return _Search(problem, seed * workers + number).run(Deadline(time_limit_s, stop, rounds))

    with ThreadPoolExecutor(workers) as pool:
        found = list(pool.map(one, range(workers)))
    return min(found, key=lambda each: _worth(problem, each))


@dataclass(frozen=True, slots=True)
class Standing:
    """What a plan begins from and keeps, in arrays by vehicle and request."""

    routes: Sequence[Route]  #: of every vehicle
    leave: Floats  #: the depot, at the earliest
    fixed: Ints  #: stops that stand, the depot being the first
    held: Flags  #: requests that their vehicle keeps


def search(problem: RoutingProblem, standing: Standing, *, seed: int, rounds: int) -> list[Route] | None:
    """Every vehicle's route, all requests served, from a plan that stands in part; None if none is met."""
    found = _Search(problem, seed, standing)
    found.improve(Deadline(np.inf, None, rounds))
    return None if found.missing else found.best()


def result_of(problem: RoutingProblem, routes: Sequence[Route]) -> RoutingResult:
    """Routes with what they are worth. RuntimeError where the checker refuses them."""
    report = check(problem, routes)
    if not report.ok:
        raise RuntimeError(f"the search found routes that break a rule: {report.violations[0]}")
    return RoutingResult(tuple(map(tuple, routes)), report.vehicles, report.travel, report.left_out)


def _worth(problem: RoutingProblem, result: RoutingResult) -> tuple[int, int, float]:
    return result.left_out, result.vehicles if problem.few_vehicles else 0, result.travel


class _Search:
    """One thread's plan and random numbers."""

    def __init__(self, problem: RoutingProblem, seed: int, standing: Standing | None = None) -> None:
        self.problem = problem
        standing = standing or _nothing(problem)
        vehicles = len(standing.routes)
        self._given, self._arrays = _given(problem, vehicles), _empty(problem, vehicles, seed)
        self._struct = Struct(
            ROUTES, open=vehicles, best_missing=problem.requests + 1, **self._arrays,
            leave=standing.leave.astype(np.float64),
            fixed=standing.fixed.astype(np.int32), held=standing.held.astype(np.int32),
        )  # fmt: skip
        self._arrays["cost"][2] = np.inf
        self._begin(standing.routes)

    def run(self, deadline: Deadline) -> RoutingResult:
        """Fewer vehicles first, if they are asked for; then less travel."""
        if self.problem.few_vehicles:
            self._cool(deadline, 0.0, _FEWER, few=1)
            used = [route for route in self.best() if route]
            if not self.missing:
                self._struct.set("open", len(used))
            self._begin(used)
            self._cool(deadline, _FEWER, 1.0, few=0)
        else:
            self.improve(deadline)
        return result_of(self.problem, [route for route in self.best() if route])

    def improve(self, deadline: Deadline) -> None:
        """Fewer requests left out, then less travel."""
        self._cool(deadline, 0.0, 1.0, few=-1)

    @property
    def missing(self) -> int:
        """Requests that the best plan leaves out."""
        return self._struct["best_missing"]

    def _cool(self, deadline: Deadline, begin: float, end: float, *, few: int) -> None:
        """Search from one share of the time (or of the rounds) to another, the temperature falling."""
        most = min(deadline.work_limit or _ROUNDS * self.problem.requests, _ROUNDS * self.problem.requests)
        rounds = max(1, min(_SLICE // self.problem.nodes, most // 8))
        while (share := (max(deadline.fraction, deadline.work / most) - begin) / (end - begin)) < 1:
            heat = self._a_request * _HOT * (_COLD / _HOT) ** max(0.0, share)
            library().routes_search(self._given.address, self._struct.address, rounds, heat, few)
            deadline.work += rounds

    @property
    def _a_request(self) -> float:
        """Travel a request of the plan as it is; before there is one, that of a route of its own."""
        served = self.problem.requests - int(self._struct["missing"])
        return float(self._arrays["cost"][0]) / served if served else 1.0

    def _begin(self, routes: Sequence[Route]) -> None:
        size, stop = self._arrays["size"], self._arrays["stop"]
        size[:] = 2
        stop[:] = 0
        for vehicle, route in enumerate(routes):
            size[vehicle] = len(route) + 2
            stop[vehicle, 1 : len(route) + 1] = route
        library().routes_begin(self._given.address, self._struct.address)

    def best(self) -> list[Route]:
        """Every vehicle's route in the best plan met."""
        stop, size = self._arrays["best_stop"], self._arrays["best_size"]
        return [tuple(row[1 : max(1, many - 1)].tolist()) for row, many in zip(stop, size, strict=True)]


def _nothing(problem: RoutingProblem) -> Standing:
    """No route yet, for no more vehicles than requests."""
    vehicles = max(1, min(problem.vehicles, problem.requests))
    leave = np.full(vehicles, problem.earliest[0])
    return Standing([()] * vehicles, leave, np.ones(vehicles, np.int64), np.zeros(problem.requests, np.bool_))


def _given(problem: RoutingProblem, vehicles: int) -> Struct:
    near = min(problem.nodes, _CLOSE)
    limits = np.array([problem.ride_limit, problem.route_limit], np.float64)
    return Struct(
        ROUTING,
        nodes=problem.nodes, requests=problem.requests, vehicles=vehicles,
        width=2 * problem.requests + 2, capacity=problem.capacity, near=near,
        limited=bool(np.isfinite(limits).any()),
        **{name: np.ascontiguousarray(getattr(problem, name), np.float64) for name in _FLOATS},
        load=np.ascontiguousarray(problem.load, np.int64),
        request=problem.request_of.astype(np.int32),
        pickup=problem.pickup.astype(np.int32), delivery=problem.delivery.astype(np.int32),
        ride_limit=np.full(problem.requests, limits[0]), route_limit=limits[1:],
        close=np.argsort(problem.travel, axis=1, kind="stable")[:, :near].astype(np.int32).copy(),
    )  # fmt: skip


_FLOATS: Final = ("travel", "service", "earliest", "latest")


def _empty(problem: RoutingProblem, vehicles: int, seed: int) -> dict[str, Any]:
    """A plan without a route, of these arrays; all are written before they are read but those of zeros."""
    requests = problem.requests
    width = 2 * requests + 2
    table = (vehicles, width)
    return {
        **{name: np.zeros(table, np.int32) for name in ("stop", "taken_stop", "best_stop")},
        **{name: np.zeros(vehicles, np.int32) for name in ("size", "taken_size", "touched_list")},
        "best_size": np.zeros(vehicles, np.int32),
        **{name: np.zeros(table) for name in ("begin", "last")},
        **{name: np.zeros(requests, np.int32) for name in ("vehicle", "left_out", "taken_out")},
        "aboard": np.zeros(table, np.int64), "absent": np.zeros(requests, np.int64),
        "length": np.zeros(vehicles), "cost": np.zeros(3), "scratch": np.zeros(width),
        "at": np.zeros(problem.nodes + width, np.int32), "key": np.zeros(requests),
        "random": np.random.default_rng(seed).integers(1, 1 << 63, 4, np.uint64),
    }  # fmt: skip
