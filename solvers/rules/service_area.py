"""Both ends of a ride, or the place of a delivery, lie in the vendor's area or within its reach beyond it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from contracts.geo import Area, Circle, Position
from contracts.tuning import Parameter
from contracts.vendors import Vendor
from solvers.arrays import Arrays, Flags, Floats, Ints
from solvers.geometry import EARTH_RADIUS_M, METRES_PER_DEGREE
from solvers.rules.base import Candidate, Candidates, PairRule, View
from solvers.rules.service_area_arrays import encode, outside_m

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
FAR_M = 10_000_000  #: a quarter of the way around the earth
_ROUNDING_M = 1.0  # the two ways of computing a distance differ by centimetres


class ServiceArea(PairRule):
    """Hard; may be switched off, and relaxed by metres."""

    code = "service_area"
    order = 45
    relaxable = True
    unit = "metres"
    parameters = PARAMETERS

    def of_vendors(self, vendors: Sequence[Vendor]) -> Arrays:
        """Circles and rings, one after the other, and each vendor's `reach_m`."""
        return encode(vendors)

    def mask(self, view: View) -> Flags:
        """(r, V)."""
        if not ENFORCED.whole(view.values):
            return np.ones((1, 1), np.bool_)
        return np.asarray(beyond_m(view) <= view.vendor["reach_m"] + SLACK.of(view.values))

    def short_by(self, view: View, candidates: Candidates) -> Ints:
        """Metres beyond the reach of the vendor; `FAR_M` where the distance was not computed."""
        if not ENFORCED.whole(view.values):
            return np.zeros(len(candidates), np.int64)
        beyond = beyond_m(view)[candidates.request, candidates.vendor]
        over = np.ceil(beyond - view.vendor["reach_m"][candidates.vendor] - SLACK.of(view.values))
        return np.asarray(np.clip(over, 0, FAR_M), np.int64)

    def permits(self, one: Candidate) -> bool:
        """Whether the further end is within reach of the nearest area."""
        if not ENFORCED.whole(one.values):
            return True
        return beyond_one_m(one) <= one.vendor.out_of_area_m + SLACK.of(one.values) + _ROUNDING_M


def beyond_m(view: View) -> Floats:
    """(r, V); metres by which the further end lies outside the vendor's area; infinite when far away."""
    facts, areas = view.facts, view.screening.of_vendors[ServiceArea.code]
    slack = SLACK.of(view.values)

    def make() -> Floats:
        there = outside_m(facts.pickup, areas, slack)
        rides = np.flatnonzero(facts.is_trip)
        there[rides] = np.maximum(there[rides], outside_m(facts.dropoff[rides], areas, slack))
        return there

    return view.once("beyond_m", make)


@lru_cache(maxsize=8)  # area, price and its term ask for the same candidate
def beyond_one_m(one: Candidate) -> float:
    """Metres by which the further end lies outside, from the messages and by plain trigonometry."""
    doors = [door for door in one.asked.request.doors if door is not None]
    return max(min(_outside_one_m(door, area) for area in one.vendor.service_area) for door in doors)


def _outside_one_m(at: Position, area: Area) -> float:
    if isinstance(area, Circle):
        return max(0.0, _distance_m(at, area.centre) - area.radius_m)
    edges = list(zip(area.ring, (*area.ring[1:], area.ring[0]), strict=True))
    crossed = sum(_crosses(at, a, b) for a, b in edges)
    return 0.0 if crossed % 2 else min(_edge_m(at, a, b) for a, b in edges)


def _distance_m(a: Position, b: Position) -> float:
    lat_a, lat_b = math.radians(a[1]), math.radians(b[1])
    dlon = math.radians(b[0] - a[0])
    cosine = math.sin(lat_a) * math.sin(lat_b) + math.cos(lat_a) * math.cos(lat_b) * math.cos(dlon)
    across = math.cos(lat_b) * math.sin(dlon)
    along = math.cos(lat_a) * math.sin(lat_b) - math.sin(lat_a) * math.cos(lat_b) * math.cos(dlon)
    return EARTH_RADIUS_M * math.atan2(math.hypot(across, along), cosine)


def _crosses(at: Position, a: Position, b: Position) -> bool:
    """Whether the ray to the east meets the edge."""
    if (a[1] > at[1]) == (b[1] > at[1]):
        return False
    return at[0] < a[0] + (at[1] - a[1]) * (b[0] - a[0]) / (b[1] - a[1])


def _edge_m(at: Position, a: Position, b: Position) -> float:
    shrink = math.cos(math.radians(at[1]))
    ax, ay = (a[0] - at[0]) * shrink * METRES_PER_DEGREE, (a[1] - at[1]) * METRES_PER_DEGREE
    bx, by = (b[0] - at[0]) * shrink * METRES_PER_DEGREE, (b[1] - at[1]) * METRES_PER_DEGREE
    length2 = (bx - ax) ** 2 + (by - ay) ** 2
    share = 0.0 if length2 == 0 else min(1.0, max(0.0, -(ax * (bx - ax) + ay * (by - ay)) / length2))
    return math.hypot(ax + share * (bx - ax), ay + share * (by - ay))


RULE = ServiceArea()
