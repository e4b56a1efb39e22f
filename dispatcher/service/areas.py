"""Areas as a vendor sends them: refused with words where they have no inside, or lie elsewhere."""

from __future__ import annotations

import re
from collections.abc import Sequence

from contracts.geo import Polygon, Position
from contracts.problems import InvalidMessage
from contracts.vendors import Vendor
from dispatcher.service.swapped import swapped
from solvers.rings import MICRO, rings_of, unwrapped

_REASON = re.compile(r"(.*)\[(\S+) (\S+)\]$")
REMEDY = "Maybe two corners are in the wrong order, or it is several areas: give each a polygon of its own."


def refuse_bad_areas(vendor: Vendor, zone: str) -> None:
    """Raises InvalidMessage for a ring that crosses itself, is flat or goes round a pole; for odd holes.

    And for an area that is as [lat, lon] where the market's time zone is, and as [lon, lat] is not.
    """
    for nth, area in enumerate(vendor.service_area):
        corners = area.ring if isinstance(area, Polygon) else (area.centre,)
        if wrong := swapped(corners, zone) or (_wrong(area) if isinstance(area, Polygon) else ""):
            raise InvalidMessage.at(f"/service_area/{nth}", wrong)


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
