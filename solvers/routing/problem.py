"""The routing problem: vehicles pick up and deliver, each request whole, by one of them.

Every route begins and ends at node 0, the depot. A stop's service begins within its window; a vehicle may
wait. A request's ride, from the end of its pick-up's service to the begin of its delivery's, has a limit, as
has a route, from leaving the depot to being back (J.-F. Cordeau, "A branch-and-cut algorithm for the
dial-a-ride problem", Operations Research 54, 2006). As few requests as can be are left out; then, if
`few_vehicles`, as few vehicles as can be are used; then travel is least.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from solvers.arrays import Floats, Ints

MOST_NODES: Final = 4_096  #: a table of travel of 128 MB
MOST: Final = 1e12  #: of any time or load: sums of them are exact enough


class MalformedRouting(ValueError):
    """An array of a routing problem is not what it must be."""


@dataclass(frozen=True, eq=False)
class RoutingProblem:
    """N nodes (0: the depot), R requests. Times and travel in one unit; travel is also what a route costs.

    Raises `MalformedRouting`, which names the array, the index and the value.
    """

    travel: Floats  #: N x N; obeys the triangle inequality, or routes found may be refused by the checker
    service: Floats  #: N
    earliest: Floats  #: N; begin of service
    latest: Floats  #: N
    load: Ints  #: N; taken aboard at a pick-up, the same negative at its delivery
    pickup: Ints  #: R; node
    delivery: Ints  #: R; node
    vehicles: int
    capacity: int
    ride_limit: float = np.inf
    route_limit: float = np.inf
    few_vehicles: bool = False

    def __post_init__(self) -> None:
        _require(0 < self.nodes <= MOST_NODES, "service", f"it has {self.nodes} nodes, most are {MOST_NODES}")
        _require(self.travel.shape == (self.nodes, self.nodes), "travel", f"its shape is {self.travel.shape}")
        for name in ("travel", "service"):
            _within(name, getattr(self, name), 0.0)
        for name in ("earliest", "latest", "load"):
            _within(name, getattr(self, name), -MOST)
            _require(len(getattr(self, name)) == self.nodes, name, f"it has not {self.nodes} values")
        stops = np.concatenate([self.pickup, self.delivery])
        whole = np.array_equal(np.sort(stops), np.arange(1, self.nodes))
        _require(whole, "pickup, delivery", "each node but the depot must be one request's, once")
        for request, (start, end) in enumerate(zip(self.pickup, self.delivery, strict=True)):
            taken, left = int(self.load[start]), int(self.load[end])
            _require(taken >= 0, "load", f"request {request} takes {taken} aboard")
            _require(left == -taken, "load", f"request {request} takes {taken} aboard and leaves {-left}")
        _require(self.vehicles > 0, "vehicles", f"there are {self.vehicles}")
        _require(not (np.isnan(self.ride_limit) or np.isnan(self.route_limit)), "limits", "one is no number")

    @cached_property
    def nodes(self) -> int:
        """N, depot included."""
        return len(self.service)

    @cached_property
    def requests(self) -> int:
        """R."""
        return len(self.pickup)

    @cached_property
    def request_of(self) -> Ints:
        """N; whose stop a node is, -1 the depot."""
        owner = np.full(self.nodes, -1, np.int64)
        owner[self.pickup] = owner[self.delivery] = np.arange(self.requests)
        return owner


def _within(name: str, values: Floats | Ints, least: float) -> None:
    wrong = np.argwhere(~((values >= least) & (values <= MOST)))
    if len(wrong):
        where = tuple(int(each) for each in wrong[0])
        value = values[where]
        raise MalformedRouting(f"{name}{list(where)} is {value}\nIt must be from {least:g} to {MOST:g}.")


def _require(holds: bool, name: str, told: str) -> None:
    if not holds:
        raise MalformedRouting(f"{name}: {told}")
