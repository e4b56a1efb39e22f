"""OSRM's table service: seconds without traffic, and metres.

Asked by POST (osrm-routed 26 and later), so that no patient's door stands in a URL, where proxies log it. An
older server takes only GET; that has to be allowed.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from dispatcher.travel.tiles import Call, Refused, StrangeAnswer, Tile, TooLarge, places, usable
from dispatcher.travel.url import OSRM
from solvers.known_travel import Answer

PATH = "/table/v1/driving"
COORDINATES = 100  # what osrm-routed takes unless started with --max-table-size
ABOUT_POINTS = frozenset({"NoSegment", "NoTable"})
TOO_MANY = "TooBig"
NO_POST = frozenset({400, 404, 405, 411, 501})


class _Waypoint(msgspec.Struct):
    distance: float = 0.0  # metres from the point that was asked for to the road


class _Table(msgspec.Struct):
    code: str
    durations: list[list[float | None]] = []
    distances: list[list[float | None]] = []
    sources: list[_Waypoint | None] = []
    destinations: list[_Waypoint | None] = []


@dataclass(frozen=True)
class Osrm:
    """See `Server`."""

    by_get: bool = False
    kind: str = OSRM
    by_hour: bool = False
    largest: int = COORDINATES

    def fits(self, origins: int, destinations: int, most: int) -> bool:
        """It counts coordinates, or (v26) pairs: a side squared. This is within both."""
        return origins + destinations <= (most or self.largest)

    def call(self, tile: Tile) -> Call:
        """One table; each end of a ride once."""
        points = places((*tile.origins, *tile.destinations))
        first = list(range(len(tile.origins)))
        rest = list(range(len(first), len(points)))
        if self.by_get:
            where = ";".join(f"{lon:.4f},{lat:.4f}" for lon, lat in points)
            ends = f"sources={_listed(first)}&destinations={_listed(rest)}"
            return Call(f"{PATH}/{where}?{ends}&annotations=duration,distance&generate_hints=false")
        asked = {"coordinates": points, "sources": first, "destinations": rest, "generate_hints": False}
        return Call(PATH, {**asked, "annotations": ["duration", "distance"]})

    def read(self, tile: Tile, status: int, body: bytes) -> list[Answer | None]:
        """See `Server.read`."""
        try:
            table = msgspec.json.decode(body, type=_Table)
        except msgspec.DecodeError:
            raise self._strange(status, "no table") from None
        if table.code == TOO_MANY:
            raise TooLarge
        if table.code in ABOUT_POINTS:
            raise Refused
        if status != 200 or table.code != "Ok":
            raise self._strange(status, table.code[:40])
        origins, destinations = len(tile.origins), len(tile.destinations)
        matrices = (table.durations, table.distances)
        if any(len(m) != origins or any(len(row) != destinations for row in m) for m in matrices):
            raise StrangeAnswer("a table of another size")
        return self._answers(tile, table)

    def _answers(self, tile: Tile, table: _Table) -> list[Answer | None]:
        origin = {point: at for at, point in enumerate(tile.origins)}
        destination = {point: at for at, point in enumerate(tile.destinations)}
        found = []
        for pair in tile.pairs:
            row, column = origin[pair.origin], destination[pair.destination]
            off_m = max(_off_road_m(table.sources, row), _off_road_m(table.destinations, column))
            found.append(usable(table.durations[row][column], table.distances[row][column], off_m, False))
        return found

    def _strange(self, status: int, what: str) -> StrangeAnswer:
        hint = "" if self.by_get or status not in NO_POST else "; before v26 it takes only GET"
        return StrangeAnswer(f"HTTP {status}, {what if what.isalnum() else 'no table'}{hint}")


def _off_road_m(waypoints: list[_Waypoint | None], at: int) -> float:
    found = waypoints[at] if at < len(waypoints) else None
    return found.distance if found else 0.0


def _listed(numbers: list[int]) -> str:
    return ";".join(map(str, numbers))
