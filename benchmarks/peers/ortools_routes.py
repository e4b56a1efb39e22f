"""OR-Tools' routing library on a routing problem, in thousandths of its unit, rounded up: plans stay true."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from ortools.constraint_solver import pywrapcp, routing_enums_pb2

from solvers.routing.problem import RoutingProblem

_SCALE: Final = 1_000
_LEFT_OUT: Final = 10**9  #: far more than any route costs
_VEHICLE: Final = 10**7


def solve(problem: RoutingProblem, seconds: float) -> list[tuple[int, ...]]:
    """Routes by parallel insertion and guided local search; none where it finds none."""
    manager = pywrapcp.RoutingIndexManager(problem.nodes, problem.vehicles, 0)
    routing = pywrapcp.RoutingModel(manager)
    times = _times(problem, manager, routing)
    _loads(problem, manager, routing)
    for start, end in zip(problem.pickup.tolist(), problem.delivery.tolist(), strict=True):
        _pair(problem, routing, times, (manager.NodeToIndex(start), manager.NodeToIndex(end)), start)
    found = routing.SolveWithParameters(_parameters(seconds))
    if not found:
        return []
    return [
        route for vehicle in range(problem.vehicles) if (route := _route(manager, routing, found, vehicle))
    ]


def _times(problem: RoutingProblem, manager: Any, routing: Any) -> Any:
    travel = np.ceil(problem.travel * _SCALE - 1e-6).astype(np.int64).tolist()
    service = np.ceil(problem.service * _SCALE).astype(np.int64).tolist()
    far = math.ceil(float(problem.latest.max()) * _SCALE)
    cost = routing.RegisterTransitMatrix(travel)
    taken = routing.RegisterTransitMatrix(
        [[away + service[a] for away in travel[a]] for a in range(problem.nodes)]
    )
    routing.SetArcCostEvaluatorOfAllVehicles(cost)
    if problem.few_vehicles:
        routing.SetFixedCostOfAllVehicles(_VEHICLE)
    routing.AddDimension(taken, far, far, False, "time")
    times = routing.GetDimensionOrDie("time")
    for node in range(1, problem.nodes):
        window = math.ceil(problem.earliest[node] * _SCALE), math.floor(problem.latest[node] * _SCALE)
        times.CumulVar(manager.NodeToIndex(node)).SetRange(*window)
    for vehicle in range(problem.vehicles):
        for index in (routing.Start(vehicle), routing.End(vehicle)):
            times.CumulVar(index).SetRange(
                math.ceil(problem.earliest[0] * _SCALE), math.floor(problem.latest[0] * _SCALE)
            )
        if math.isfinite(problem.route_limit):
            times.SetSpanUpperBoundForVehicle(math.floor(problem.route_limit * _SCALE), vehicle)
    return times


def _loads(problem: RoutingProblem, manager: Any, routing: Any) -> None:
    load = problem.load.tolist()
    taken = routing.RegisterUnaryTransitVector(load)
    routing.AddDimension(taken, 0, problem.capacity, True, "load")


def _pair(problem: RoutingProblem, routing: Any, times: Any, ends: tuple[int, int], pickup: int) -> None:
    start, end = ends
    routing.AddPickupAndDelivery(start, end)
    same = routing.VehicleVar(start) == routing.VehicleVar(end)
    solver = routing.solver()
    solver.Add(same)
    solver.Add(times.CumulVar(start) <= times.CumulVar(end))
    if math.isfinite(problem.ride_limit):
        most = math.floor((problem.ride_limit + float(problem.service[pickup])) * _SCALE)
        solver.Add(times.CumulVar(end) - times.CumulVar(start) <= most)
    routing.AddDisjunction([start], _LEFT_OUT)
    routing.AddDisjunction([end], _LEFT_OUT)


def _parameters(seconds: float) -> Any:
    parameters = pywrapcp.DefaultRoutingSearchParameters()
    parameters.first_solution_strategy = routing_enums_pb2.FirstSolutionStrategy.PARALLEL_CHEAPEST_INSERTION
    parameters.local_search_metaheuristic = routing_enums_pb2.LocalSearchMetaheuristic.GUIDED_LOCAL_SEARCH
    parameters.time_limit.FromMilliseconds(max(1, round(seconds * 1_000)))
    return parameters


def _route(manager: Any, routing: Any, found: Any, vehicle: int) -> tuple[int, ...]:
    nodes, index = [], found.Value(routing.NextVar(routing.Start(vehicle)))
    while not routing.IsEnd(index):
        nodes.append(manager.IndexToNode(index))
        index = found.Value(routing.NextVar(index))
    return tuple(nodes)
