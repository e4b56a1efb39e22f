"""An independent judge of routes: it shares no code with the search, and times each route by itself.

A route's times exist if a system of differences has a solution; the longest paths of Bellman and Ford are
one, the earliest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

import numpy as np

from solvers.routing.problem import RoutingProblem

TOLERANCE: Final = 1e-6  #: of a time: what the sums of a route may be off

Route = Sequence[int]  #: nodes between leaving the depot and being back


@dataclass
class RoutesReport:
    """What routes are worth, and what is wrong with them."""

    vehicles: int = 0
    travel: float = 0.0
    left_out: int = 0
    violations: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether every rule holds; a request left out breaks none."""
        return not self.violations


def check(problem: RoutingProblem, routes: Sequence[Route]) -> RoutesReport:
    """Judge the routes; empty ones are no vehicle's."""
    report, served = RoutesReport(), Counter[int]()
    for number, route in enumerate(routes):
        if len(route):
            report.vehicles += 1
            report.travel += sum(float(problem.travel[a, b]) for a, b in _legs(route))
            served.update(int(node) for node in route)
            report.violations += [f"route {number}: {what}" for what in _faults(problem, route)]
    report.violations += [
        f"node {node} is visited {times} times" for node, times in served.items() if times > 1
    ]
    report.left_out = sum(int(node) not in served for node in problem.pickup)
    if report.vehicles > problem.vehicles:
        report.violations.append(f"{report.vehicles} vehicles are used, {problem.vehicles} are there")
    return report


def _faults(problem: RoutingProblem, route: Route) -> list[str]:
    place = {int(node): k for k, node in enumerate(route)}
    faults, aboard = [], 0
    for start, end in zip(problem.pickup, problem.delivery, strict=True):
        first, second = place.get(int(start)), place.get(int(end))
        if (first is None) != (second is None):
            faults.append(f"of nodes {start} and {end} only one is visited")
        elif first is not None and second is not None and first > second:
            faults.append(f"node {end} is before node {start}, where it is picked up")
    for node in route:
        aboard += int(problem.load[node])
        if aboard > problem.capacity:
            faults.append(f"{aboard} are aboard after node {node}, {problem.capacity} may be")
    if not faults and times_of(problem, route) is None:
        faults.append("no times keep its windows and limits")
    return faults


def times_of(problem: RoutingProblem, route: Route, leave: float = -np.inf) -> list[float] | None:
    """Leaving the depot (not before `leave`), the begin of each service, being back; None: no times do."""
    nodes = [0, *(int(node) for node in route), 0]
    times = [float(problem.earliest[node]) for node in nodes]
    times[0] = max(times[0], leave)
    edges = _differences(problem, nodes)
    for _ in range(len(nodes) + 1):
        late = False
        for before, after, least in edges:
            if times[before] + least > times[after] + TOLERANCE / 10:
                times[after], late = times[before] + least, True
        if any(time > problem.latest[node] + TOLERANCE for time, node in zip(times, nodes, strict=True)):
            return None
        if not late:
            return times
    return None


def _differences(problem: RoutingProblem, nodes: list[int]) -> list[tuple[int, int, float]]:
    """(i, j, d): the time of stop j is at least d after that of stop i."""
    found = [
        (k, k + 1, float(problem.service[a] + problem.travel[a, b]))
        for k, (a, b) in enumerate(pairwise(nodes))
    ]
    for start, end in zip(problem.pickup, problem.delivery, strict=True):
        if start in nodes and problem.ride_limit < float("inf"):
            at = nodes.index(start), nodes.index(end)
            found.append((at[1], at[0], -problem.ride_limit - float(problem.service[start])))
    if problem.route_limit < float("inf"):
        found.append((len(nodes) - 1, 0, -problem.route_limit))
    return found


def _legs(route: Route) -> list[tuple[int, int]]:
    nodes = [0, *(int(node) for node in route), 0]
    return list(pairwise(nodes))
