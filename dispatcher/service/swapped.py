"""Positions given as [lat, lon]: refused where the time zone of their market leaves no doubt of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import Final, NamedTuple

from contracts.base import Wire
from contracts.geo import Position
from contracts.problems import InvalidMessage
from contracts.validation_errors import SWAPPED
from dispatcher.runtime.zone_cities import city_of

EARTH_KM: Final = 6_371
FAR_KM: Final = 1_500  #: from the city of its market's zone: what is nearer may be meant
NEARER: Final = 4  #: so many times nearer it is, the other way round
BESIDE_KM: Final = 1_000  #: to each side of the city: a corner of that square is nearer than FAR_KM


class Box(NamedTuple):
    """Degrees, all ends inclusive."""

    west: float = -180.0
    south: float = -90.0
    east: float = 180.0
    north: float = 90.0


def refuse_swapped(message: Wire, zone: str) -> None:
    """Raises InvalidMessage for a door that is in its market as [lat, lon], and as [lon, lat] is far from it.

    Where all is well, which is nearly always, it costs a comparison with a box.
    """
    west, south, east, north = beside(zone)
    for pointer, door in message.named_doors():
        lon, lat = door
        if not (west <= lon <= east and south <= lat <= north) and (wrong := swapped((door,), zone)):
            raise InvalidMessage.at(pointer, wrong)


def swapped(corners: Sequence[Position], zone: str) -> str:
    """What is said where the numbers of all corners stand the wrong way round, beyond doubt; else ""."""
    city = city_of(zone)
    if city is None or not all(_looks_swapped(corner, city) for corner in corners):
        return ""
    lon, lat = corners[0]
    given, other = _km((lon, lat), city), _km((lat, lon), city)
    return (
        f"[{lon:g}, {lat:g}] is {given:,.0f} km from the city of {zone}, [{lat:g}, {lon:g}] {other:,.0f} km\n"
        f"{SWAPPED}"
    )


@cache
def beside(zone: str) -> Box:
    """Where nothing is far from the city of a zone; anywhere, if no city is known."""
    city = city_of(zone)
    if city is None:
        return Box()
    lon, lat = city
    high = math.degrees(BESIDE_KM / EARTH_KM)
    wide = high / math.cos(math.radians(max(abs(lat) - high, 0.0)))  # at its side towards the equator
    return Box(lon - wide, lat - high, lon + wide, lat + high)


def _looks_swapped(corner: Position, city: Position) -> bool:
    lon, lat = corner
    if abs(lon) > 90:
        return False
    given = _km(corner, city)
    return given > FAR_KM and given > NEARER * _km((lat, lon), city)


def _km(one: Position, other: Position) -> float:
    """Along a great circle, on a sphere."""
    (lon_a, lat_a), (lon_b, lat_b) = (map(math.radians, each) for each in (one, other))
    half = math.sin((lat_b - lat_a) / 2) ** 2
    half += math.cos(lat_a) * math.cos(lat_b) * math.sin((lon_b - lon_a) / 2) ** 2
    return 2 * EARTH_KM * math.asin(math.sqrt(min(1.0, half)))
