"""Areas as a vendor sends them: refused with words where they have no inside, or lie elsewhere."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Final

from contracts.geo import Area, Circle, Polygon, Position
from contracts.problems import InvalidMessage
from contracts.validation_errors import SWAPPED
from contracts.vendors import Vendor
from dispatcher.runtime.zone_cities import city_of
from solvers.rings import MICRO, rings_of, unwrapped

_REASON = re.compile(r"(.*)\[(\S+) (\S+)\]$")
REMEDY = "Maybe two corners are in the wrong order, or it is several areas: give each a polygon of its own."


FAR_KM: Final = 1_500  #: from the city of its market's zone: what is nearer may be meant
NEARER: Final = (
    4  #: so many times nearer is an area that is swapped, the other way round: all its corners are
)


def refuse_bad_areas(vendor: Vendor, zone: str) -> None:
    """Raises InvalidMessage for a ring that crosses itself, is flat or goes round a pole; for odd holes.

    And for an area that is as [lat, lon] where the market's time zone is, and as [lon, lat] is not.
    """
    for nth, area in enumerate(vendor.service_area):
        if wrong := _swapped(area, zone) or (_wrong(area) if isinstance(area, Polygon) else ""):
            raise InvalidMessage.at(f"/service_area/{nth}", wrong)


def _swapped(area: Area, zone: str) -> str:
    """What is said of an area whose numbers stand the wrong way round, beyond doubt; else ""."""
    city = city_of(zone)
    corners = (area.centre,) if isinstance(area, Circle) else area.ring
    if city is None or not all(_looks_swapped(corner, city) for corner in corners):
        return ""
    lon, lat = corners[0]
    given, other = _km((lon, lat), city), _km((lat, lon), city)
    return (
        f"[{lon:g}, {lat:g}] is {given:,.0f} km from the city of {zone}, [{lat:g}, {lon:g}] {other:,.0f} km\n"
        f"{SWAPPED}"
    )


def _looks_swapped(corner: Position, city: Position) -> bool:
    lon, lat = corner
    given = _km(corner, city)
    return given > FAR_KM and abs(lon) <= 90 and given > NEARER * _km((lat, lon), city)


def _km(one: Position, other: Position) -> float:
    """Along a great circle, on a sphere."""
    (lon_a, lat_a), (lon_b, lat_b) = (map(math.radians, each) for each in (one, other))
    half = math.sin((lat_b - lat_a) / 2) ** 2
    half += math.cos(lat_a) * math.cos(lat_b) * math.sin((lon_b - lon_a) / 2) ** 2
    return 2 * 6_371 * math.asin(math.sqrt(min(1.0, half)))


def _wrong(area: Polygon) -> str:
    """What is wrong with it, and what may fix that; "" if nothing is."""
    from shapely import Polygon as Shape  # noqa: PLC0415 - takes a tenth of a second, and few vendors need it
    from shapely.validation import explain_validity  # noqa: PLC0415

    if any(_goes_round(ring) for ring in (area.ring, *area.holes)):
        return "the ring goes round a pole\nMaybe use a circle, or cut the area in two at a meridian."
    outer, *holes = rings_of(area)
    shape = Shape(outer, holes)
    if not shape.convex_hull.area:
        return "the ring is flat: it surrounds nothing\nMaybe a corner is missing, or all lie on one line."
    return "" if shape.is_valid else _told(explain_validity(shape))


def _goes_round(ring: Sequence[Position]) -> bool:
    """Whether the way back to its first corner ends a turn away from it, closed or not."""
    way = unwrapped((*ring, ring[0]))
    return way[-1][0] != way[0][0]


def _told(reason: str) -> str:
    """In microdegrees it was asked, in degrees it is told."""
    found = _REASON.match(reason)
    if not found:
        return f"the polygon is not one area: {reason}\n{REMEDY}"
    lon, lat = (float(each) / MICRO for each in found.groups()[1:])
    return f"the polygon is not one area: {found[1].lower()} at [{lon:.6f}, {lat:.6f}]\n{REMEDY}"
