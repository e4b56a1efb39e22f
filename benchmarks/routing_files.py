"""Public instances of routing problems, as their authors wrote them, and the best values known of each.

- Li and Lim, pick-up and delivery with time windows: `vehicles capacity speed`, then a line for each node:
  number, x, y, demand, window, service, its pick-up, its delivery. Travel is distance, whatever the speed
  (some files say 0). Fewest vehicles, then least travel.
- Cordeau, dial-a-ride: `vehicles requests longest-route capacity longest-ride`, then number, x, y, service,
  load, window; request i is picked up at node i and left at node n + i.
- Dynamic dial-a-ride, JSON: `static_info` and `requests`, each with its `arrival_time`.

Spaces, line ends, blank lines and the order of nodes do not matter; every error names the file and the line.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from dispatcher.runtime.arguments import read_text
from dispatcher.runtime.errors import UserError
from solvers.arrays import Floats
from solvers.routing.problem import RoutingProblem

Line = list[float]
_LI_LIM, _CORDEAU = (3, 9), (5, 7)  #: numbers in the first line and in each other
_HELP: Final = (
    "Maybe it is none of Li and Lim's, Cordeau's or the dynamic dial-a-ride's files: docs/instances.md."
)


@dataclass(frozen=True, slots=True)
class RoutingInstance:
    """A problem with what only some files tell."""

    name: str
    problem: RoutingProblem
    arrival: Floats | None = None  #: R; when each request becomes known; None: all before the day


@dataclass(frozen=True, slots=True)
class BestKnown:
    """Vehicles (None where they are given) and travel."""

    vehicles: int | None
    travel: float


def read_instance(path: Path) -> RoutingInstance:
    """The instance in a file. Raises UserError."""
    text = read_text(path).removeprefix("\ufeff")
    try:
        if text.lstrip().startswith("{"):
            return _from_json(path.stem, json.loads(text))
        first, *rest = _lines(text)
        if len(first) == _LI_LIM[0]:
            return RoutingInstance(path.stem, _li_lim(first, _table(rest, _LI_LIM[1])))
        if len(first) == _CORDEAU[0]:
            return RoutingInstance(path.stem, _cordeau(first, _table(rest, _CORDEAU[1])))
        raise ValueError(f"its first line has {len(first)} numbers, not 3 or 5")
    except KeyError as error:
        raise UserError(f"{path} lacks {error}.", _HELP) from error
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise UserError(f"{path} is no routing problem: {_told(error)}.", _HELP) from error


def _told(error: Exception) -> str:
    """In one line, without the stop at its end."""
    return str(error).replace("\n", " ").rstrip(".")


def best_known(path: Path) -> BestKnown | None:
    """By the folder's `best_known.json` (vehicles and distance by name), or the first number of NAME.res."""
    table, result = path.with_name("best_known.json"), path.with_suffix(".res")
    if table.exists():
        found = json.loads(read_text(table)).get(path.stem)
        if found:
            return BestKnown(found.get("vehicles"), float(found["distance"]))
    if result.exists():
        return BestKnown(None, float(read_text(result).split()[0]))
    return None


def _lines(text: str) -> list[Line]:
    """Numbers of each line that has any. ValueError names the first that holds something else."""
    lines = []
    for number, line in enumerate(text.splitlines(), 1):
        try:
            values = [float(word) for word in line.split()]
        except ValueError:
            raise ValueError(f"line {number} holds {line.strip()[:40]!r}") from None
        if not all(map(math.isfinite, values)):
            raise ValueError(f"line {number} holds a number without end")
        if values:
            lines.append(values)
    if not lines:
        raise ValueError("it is empty")
    return lines


def _table(lines: list[Line], columns: int) -> Floats:
    """Nodes in the order of their numbers, which are 0, 1, ..."""
    for line in lines:
        if len(line) != columns:
            raise ValueError(f"node {line[0]:g} has {len(line)} numbers, not {columns}")
    table = np.array(sorted(lines)).reshape(-1, columns)
    for expected, number in enumerate(table[:, 0]):
        if number != expected:
            raise ValueError(
                f"node {min(expected, number):g} is {'missing' if number > expected else 'there twice'}"
            )
    if not len(table):
        raise ValueError("it has no nodes")
    return table


def _li_lim(first: Line, table: Floats) -> RoutingProblem:
    vehicles, capacity, _ = first
    x, y, demand, earliest, latest, service, before, after = table[:, 1:].T
    delivery = after.astype(np.int64)
    pickup = np.flatnonzero(delivery > 0)
    if (delivery > len(table) - 1).any() or not np.array_equal(before[delivery[pickup]], pickup):
        raise ValueError("a pick-up and its delivery do not name each other")
    return RoutingProblem(
        travel=_euclidean(x, y), service=service, earliest=earliest, latest=latest, load=_whole(demand),
        pickup=pickup, delivery=delivery[pickup], vehicles=_count(vehicles), capacity=_count(capacity),
        few_vehicles=True,
    )  # fmt: skip


def _cordeau(first: Line, table: Floats) -> RoutingProblem:
    """Some files count requests, some their nodes; some state the depot once more at the end."""
    vehicles, count, longest, capacity, ride = first
    if len(table) % 2 == 0:
        if not np.array_equal(table[0, 1:3], table[-1, 1:3]) or table[-1, 4]:
            raise ValueError("it has an odd number of stops, and its last node is not the depot")
        table[0, 5:] = max(table[0, 5], table[-1, 5]), min(table[0, 6], table[-1, 6])
        table = table[:-1]
    requests = len(table) // 2
    if count not in (requests, 2 * requests):
        raise ValueError(f"its first line tells of {count:g} requests, and {requests} follow")
    _, x, y, service, load, earliest, latest = table.T
    return RoutingProblem(
        travel=_euclidean(x, y), service=service, earliest=earliest, latest=latest, load=_whole(load),
        pickup=np.arange(1, requests + 1), delivery=np.arange(requests + 1, 2 * requests + 1),
        vehicles=_count(vehicles), capacity=_count(capacity), ride_limit=ride, route_limit=longest,
    )  # fmt: skip


def _from_json(name: str, told: Any) -> RoutingInstance:
    info, requests = told["static_info"], told["requests"]
    depot = [
        info["depot_location"]["x_coord"],
        info["depot_location"]["y_coord"],
        0,
        0,
        0,
        info["planing_horizon"],
    ]
    rows = [depot, *(_stop(each, end) for end in ("pickup", "delivery") for each in requests)]
    x, y, service, load, earliest, latest = np.array(rows, np.float64).T
    count = len(requests)
    problem = RoutingProblem(
        travel=_euclidean(x, y), service=service, earliest=earliest, latest=latest, load=_whole(load),
        pickup=np.arange(1, count + 1), delivery=np.arange(count + 1, 2 * count + 1),
        vehicles=_count(info["number_of_vehicles"]), capacity=_count(info["vehicle_capacity"]),
        ride_limit=float(info.get("max_ride_time", np.inf)),
        route_limit=float(info.get("max_route_time", np.inf)),
        few_vehicles=info["problem"] == "pdptw",
    )  # fmt: skip
    arrival = np.array([each.get("arrival_time", 0) for each in requests], np.float64)
    return RoutingInstance(name, problem, arrival if arrival.any() else None)


def _stop(request: dict[str, Any], end: str) -> Line:
    place, sign = request[f"{end}_location"], 1 if end == "pickup" else -1
    window = [request[f"{end}_lower_tw"], request[f"{end}_upper_tw"]]
    return [
        place["x_coord"],
        place["y_coord"],
        request[f"{end}_service_time"],
        sign * request["load"],
        *window,
    ]


def _euclidean(x: Floats, y: Floats) -> Floats:
    return np.hypot(x[:, None] - x, y[:, None] - y)


def _whole(values: Floats) -> Any:
    if (values % 1).any():
        raise ValueError(f"a load is {values[values % 1 != 0][0]:g}, no whole number")
    return values.astype(np.int64)


def _count(value: float) -> int:
    if value % 1 or not 0 <= value <= 1e12:
        raise ValueError(f"it counts {value:g} vehicles or places")
    return int(value)
