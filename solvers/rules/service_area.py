"""Both ends of a ride, or the place of a delivery, lie in the vendor's area or within its reach beyond it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise

import numpy as np

from contracts.geo import Area, Circle, Polygon, Position
from contracts.tuning import Parameter
from contracts.vendors import Vendor
from solvers.arrays import Arrays, Flags, Floats, Ints
from solvers.geometry import EARTH_RADIUS_M, METRES_PER_DEGREE
from solvers.rings import JUST_OUTSIDE_M, MICRO, Corner, micro_of, middle, rings, rings_of, turns
from solvers.rules.base import Candidate, Candidates, PairRule, View
from solvers.rules.service_area_arrays import NEAR_BORDER_M, beyond_circle_m, encode, outside_m

ENFORCED = Parameter(
    name="service_area_enforced",
    default=1,
    minimum=0,
    maximum=1,
    unit="switch",
    summary="1: vendors serve their own area and reach only. 0: any place, with the out-of-area surcharge.",
    scope="rules.service_area",
)
SLACK = Parameter(
    name="service_area_slack_m",
    default=0,
    minimum=0,
    maximum=50_000,
    unit="metres",
    summary="Vendors are taken to reach this much further than they say.",
    scope="rules.service_area",
)
PARAMETERS = (ENFORCED, SLACK)
FAR_M = 10_000_000.0  #: a quarter of the way around the earth
ROUNDING_M = 1.0  # the two ways of computing a distance differ by centimetres


class ServiceArea(PairRule):
    """Hard; may be switched off, and relaxed by metres."""

    code = "service_area"
    order = 45
    relaxable = True
    unit = "metres"
    parameters = PARAMETERS

    def of_vendors(self, vendors: Sequence[Vendor]) -> Arrays:
        """Circles and polygons, one after the other, and each vendor's `reach_m`."""
        return encode(vendors)

    def mask(self, view: View) -> Flags:
        """(r, V)."""
        if not ENFORCED.whole(view.values):
            return np.ones((1, 1), np.bool_)
        return np.asarray(beyond_m(view) <= view.vendor["reach_m"] + SLACK.of(view.values))

    def short_by(self, view: View, candidates: Candidates) -> Ints:
        """Metres beyond the reach of the vendor."""
        if not ENFORCED.whole(view.values):
            return np.zeros(len(candidates), np.int64)
        beyond = _beyond_m(view, FAR_M)[candidates.request, candidates.vendor]
        over = np.ceil(beyond - view.vendor["reach_m"][candidates.vendor] - SLACK.of(view.values))
        return np.asarray(np.clip(over, 0, FAR_M), np.int64)

    def permits(self, one: Candidate) -> bool:
        """Whether the further end is within reach of the nearest area."""
        beyond, reach_m = beyond_one_m(one), one.vendor.out_of_area_m + SLACK.of(one.values)
        return not ENFORCED.whole(one.values) or beyond <= (reach_m + ROUNDING_M if reach_m else 0)


def beyond_m(view: View) -> Floats:
    """(r, V); metres by which the further end lies outside the vendor's area; infinite when far away."""
    return view.once("beyond_m", lambda: _beyond_m(view, float(SLACK.of(view.values))))


def _beyond_m(view: View, slack_m: float) -> Floats:
    facts, areas = view.facts, view.screening.of_vendors[ServiceArea.code]
    shapes = view.once_for_all("areas", lambda: rings(areas["edge"], areas["edge_end"].tolist()))
    there = outside_m(facts.pickup, areas, shapes, slack_m)
    rides = np.flatnonzero(facts.is_trip)
    there[rides] = np.maximum(there[rides], outside_m(facts.dropoff[rides], areas, shapes, slack_m))
    return there


@lru_cache(maxsize=8)  # area, price and its term ask for the same candidate
def beyond_one_m(one: Candidate) -> float:
    """Metres by which the further end lies outside, from the messages and by plain trigonometry."""
    doors = [door for door in one.asked.request.doors if door is not None]
    return max(min(_outside_one_m(door, area) for area in one.vendor.service_area) for door in doors)


def _outside_one_m(at: Position, area: Area) -> float:
    if isinstance(area, Circle):
        beyond_m = _distance_m(at, area.centre) - area.radius_m
        near = abs(beyond_m) < NEAR_BORDER_M
        return beyond_circle_m(at, area.centre, float(area.radius_m)) if near else max(0.0, beyond_m)
    around, (outer, *holes) = _closed(area)
    lon, lat = micro_of(at)
    point = (lon + turns(lon, around), lat)
    on_border = any(_goes_through(ring, point) for ring in (outer, *holes))
    if on_border or (_surrounds(outer, point) and not any(_surrounds(hole, point) for hole in holes)):
        return 0.0
    edges = (edge for ring in (outer, *holes) for edge in pairwise(ring))
    return max(JUST_OUTSIDE_M, min(_edge_m(point, *edge) for edge in edges))


@lru_cache(maxsize=1_000)
def _closed(area: Polygon) -> tuple[int, list[list[Corner]]]:
    """The longitude that points are brought near to, and each ring with its first corner again at its end."""
    found = rings_of(area)
    return middle(found[0]), [[*ring, ring[0]] for ring in found]


def _distance_m(a: Position, b: Position) -> float:
    lat_a, lat_b = math.radians(a[1]), math.radians(b[1])
    dlon = math.radians(b[0] - a[0])
    cosine = math.sin(lat_a) * math.sin(lat_b) + math.cos(lat_a) * math.cos(lat_b) * math.cos(dlon)
    across = math.cos(lat_b) * math.sin(dlon)
    along = math.cos(lat_a) * math.sin(lat_b) - math.sin(lat_a) * math.cos(lat_b) * math.cos(dlon)
    return EARTH_RADIUS_M * math.atan2(math.hypot(across, along), cosine)


def _goes_through(ring: Sequence[Corner], at: Corner) -> bool:
    """Whether the point lies on one of the edges: straight between its ends."""
    x, y = at
    return any(
        (y1 <= y <= y2 or y2 <= y <= y1)
        and (x1 <= x <= x2 or x2 <= x <= x1)
        and (x - x1) * (y2 - y1) == (y - y1) * (x2 - x1)
        for (x1, y1), (x2, y2) in pairwise(ring)
    )


def _surrounds(ring: Sequence[Corner], at: Corner) -> bool:
    """Whether the ray to the east meets an odd number of edges, in fractions."""
    x, y = at
    met = [edge for edge in pairwise(ring) if (edge[0][1] > y) != (edge[1][1] > y)]
    return sum(x < x1 + Fraction((y - y1) * (x2 - x1), y2 - y1) for (x1, y1), (x2, y2) in met) % 2 == 1


def _edge_m(at: Corner, a: Corner, b: Corner) -> float:
    shrink, metres = math.cos(math.radians(at[1] / MICRO)), METRES_PER_DEGREE / MICRO
    ax, ay = (a[0] - at[0]) * shrink * metres, (a[1] - at[1]) * metres
    bx, by = (b[0] - at[0]) * shrink * metres, (b[1] - at[1]) * metres
    length2 = (bx - ax) ** 2 + (by - ay) ** 2
    share = 0.0 if length2 == 0 else min(1.0, max(0.0, -(ax * (bx - ax) + ay * (by - ay)) / length2))
    return math.hypot(ax + share * (bx - ax), ay + share * (by - ay))


RULE = ServiceArea()
