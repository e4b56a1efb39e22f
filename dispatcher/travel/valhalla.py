"""Valhalla's matrix: seconds and metres, with the traffic of the hour where its tiles have traffic.

It looks at the hour only if its configuration lets it (`max_timedep_distance_matrix`, 0 unless set); it names
the algorithm that it took, by which we know. Otherwise one answer stands for all hours, as OSRM's does.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import numpy as np

from contracts.geo import Position
from dispatcher.travel.tiles import Call, Refused, StrangeAnswer, Tile, TooLarge, places, usable
from dispatcher.travel.url import VALHALLA
from solvers.geometry import great_circle_m
from solvers.known_travel import Answer

PATH = "/sources_to_targets"
A_SIDE = 50  # 50 x 50 are the `max_matrix_location_pairs` of its default configuration
ANY_WORKING_DAY = "2027-06-02"  # a Wednesday: what we keep depends on the hour alone
TIMED = "timedistancematrix"
METRES_A_KM = 1_000.0
ABOUT_POINTS = frozenset({154, 170, 171, 441, 442})  # too far, unconnected, no road near, no path
TOO_MANY = frozenset({150, 151})


class _Cell(msgspec.Struct):
    time: float | None = None
    distance: float | None = None


class _Place(msgspec.Struct):
    lon: float
    lat: float


class _Matrix(msgspec.Struct):
    sources_to_targets: list[list[_Cell]] = []
    sources: list[_Place | None] = []
    targets: list[_Place | None] = []
    algorithm: str = ""
    error_code: int = 0


@dataclass(frozen=True)
class Valhalla:
    """See `Server`."""

    kind: str = VALHALLA
    by_hour: bool = True
    largest: int = A_SIDE

    def fits(self, origins: int, destinations: int, most: int) -> bool:
        """Its limit counts pairs: a side squared. Targets are never fewer than sources, see `call`."""
        return origins * max(origins, destinations) <= (most or self.largest) ** 2

    def call(self, tile: Tile) -> Call:
        """One matrix. With fewer targets than sources it ignores the hour: the last then comes again."""
        more = (tile.destinations[-1],) * (len(tile.origins) - len(tile.destinations))
        asked = {
            "sources": _located(tile.origins),
            "targets": _located((*tile.destinations, *more)),
            "costing": "auto",
            "units": "km",
            "verbose": True,
            "date_time": {"type": 1, "value": f"{ANY_WORKING_DAY}T{tile.hour:02}:30"},
        }
        return Call(PATH, asked)

    def read(self, tile: Tile, status: int, body: bytes) -> list[Answer | None]:
        """See `Server.read`."""
        try:
            matrix = msgspec.json.decode(body, type=_Matrix)
        except msgspec.DecodeError:
            raise StrangeAnswer(f"HTTP {status}, no matrix") from None
        if matrix.error_code in TOO_MANY:
            raise TooLarge
        if matrix.error_code in ABOUT_POINTS:
            raise Refused
        if status != 200 or matrix.error_code:
            raise StrangeAnswer(f"HTTP {status}, error {matrix.error_code}")
        cells, columns = matrix.sources_to_targets, max(len(tile.origins), len(tile.destinations))
        if len(cells) != len(tile.origins) or any(len(row) != columns for row in cells):
            raise StrangeAnswer("a matrix of another size")
        return _answers(tile, matrix)


def _answers(tile: Tile, matrix: _Matrix) -> list[Answer | None]:
    origin = {point: at for at, point in enumerate(tile.origins)}
    destination = {point: at for at, point in enumerate(tile.destinations)}
    off_origin = _off_road_m(places(tile.origins), matrix.sources)
    off_destination = _off_road_m(places(tile.destinations), matrix.targets)
    found, timed = [], matrix.algorithm == TIMED
    for pair in tile.pairs:
        row, column = origin[pair.origin], destination[pair.destination]
        cell = matrix.sources_to_targets[row][column]
        metres = None if cell.distance is None else cell.distance * METRES_A_KM
        found.append(usable(cell.time, metres, max(off_origin[row], off_destination[column]), timed))
    return found


def _located(points: tuple[int, ...]) -> list[dict[str, float]]:
    return [{"lon": lon, "lat": lat} for lon, lat in places(points)]


def _off_road_m(asked: list[Position], taken: list[_Place | None]) -> list[float]:
    """How far each point is from where the ride was taken to begin or end; 0 where that is not told."""
    at = [(each.lon, each.lat) if each else place for place, each in zip(asked, taken, strict=False)]
    at += asked[len(at) :]
    found: list[float] = great_circle_m(np.array(asked), np.array(at)).tolist()
    return found
