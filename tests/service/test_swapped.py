"""Doors as [lat, lon]: refused where the market's zone leaves no doubt, taken wherever they may be meant."""

from __future__ import annotations

from importlib import resources

import numpy as np
import pytest

from contracts.amendments import Amend
from contracts.geo import Place, Position
from contracts.problems import InvalidMessage
from dispatcher.runtime.zone_cities import city_of
from dispatcher.service.swapped import FAR_KM, Box, beside, refuse_swapped
from solvers.geometry import great_circle_m

ZONES = (resources.files("tzdata") / "zones").read_text(encoding="utf-8").split()


def refused(door: Position, zone: str) -> str:
    """What is said; "" if it is taken."""
    try:
        refuse_swapped(Amend(dropoff=Place(position=door)), zone)
    except InvalidMessage as refusal:
        assert refusal.facts["errors"][0].pointer == "/dropoff/position"
        return str(refusal.facts["errors"][0].detail)
    return ""


def test_both_distances_and_the_remedy_are_told() -> None:
    assert refused((40.78, -73.97), "America/New_York").split("\n") == [
        "[40.78, -73.97] is 15,080 km from the city of America/New_York, [-73.97, 40.78] 8 km",
        "Maybe the two are swapped: a position is [lon, lat], east first.",
    ]


@pytest.mark.parametrize(
    ("zone", "door"),
    [
        ("America/New_York", (-73.97, 40.78)),
        ("America/New_York", (-80.19, 25.76)),  # Miami: far, and meant
        ("America/New_York", (-118.2, 34.1)),  # Los Angeles: no latitude
        ("America/New_York", (2.35, 48.86)),  # Paris: elsewhere either way
        ("Pacific/Auckland", (-176.5, -43.9)),  # the Chatham Islands: over the date line
        ("Africa/Cairo", (30.04, 31.24)),  # 170 km either way: nobody can tell
        ("UTC", (40.78, -73.97)),
        ("US/Eastern", (40.78, -73.97)),  # an older name: no city is known
    ],
)
def test_a_door_is_taken_where_it_may_be_meant(zone: str, door: Position) -> None:
    assert refused(door, zone) == ""


def test_nothing_is_far_within_the_box_that_spares_the_look() -> None:
    cities = {zone: city for zone in ZONES if (city := city_of(zone))}
    assert len(cities) > 300
    for zone, city in cities.items():
        west, south, east, north = beside(zone)
        corners = [(lon, max(-90.0, min(90.0, lat))) for lon in (west, east) for lat in (south, north)]
        assert great_circle_m(np.array(corners), np.array(city)).max() < FAR_KM * 1000, zone
        assert west < city[0] < east
        assert south < city[1] < north
    assert beside("UTC") == Box(-180, -90, 180, 90)
