"""Areas with corners: what has no inside is refused with words; what real cities have is taken."""

import msgspec
import numpy as np
import pytest

from contracts.codec import decode
from contracts.geo import Area, Circle, Polygon, Position
from contracts.problems import InvalidMessage
from dispatcher.service.areas import refuse_bad_areas
from tests.solvers import town

SQUARE = ((-75.3, 39.9), (-75.1, 39.9), (-75.1, 40.0), (-75.3, 40.0))
WITHIN = ((-75.25, 39.93), (-75.15, 39.93), (-75.2, 39.97))


def refused(*ring: Position, holes: tuple[tuple[Position, ...], ...] = ()) -> str:
    """What is said; "" if it is taken."""
    try:
        refuse_bad_areas(town.vendor(service_area=(Polygon(ring=ring, holes=holes),)), "UTC")
    except InvalidMessage as refusal:
        assert refusal.facts["errors"][0].pointer == "/service_area/0"
        return str(refusal.facts["errors"][0].detail)
    return ""


@pytest.mark.parametrize(
    ("ring", "holes", "told"),
    [
        ((SQUARE[0], SQUARE[2], SQUARE[1], SQUARE[3]), (), "self-intersection at [-75.200000, 39.950000]"),
        ((SQUARE[0], SQUARE[1], SQUARE[0]), (), "flat"),
        (((-75.0, 39.0), (-75.1, 39.1), (-75.2, 39.2)), (), "flat"),
        (((0.0, 80.0), (120.0, 80.0), (-120.0, 80.0)), (), "goes round a pole"),
        (((0.0, 80.0), (120.0, 75.0), (-120.0, 80.0), (0.0, 80.0)), (), "goes round a pole"),
        (SQUARE, (((-75.5, 39.9), (-75.4, 39.9), (-75.45, 40.0)),), "outside shell"),
    ],
)
def test_a_ring_without_inside_and_outside_is_refused_with_words(
    ring: tuple[Position, ...], holes: tuple[tuple[Position, ...], ...], told: str
) -> None:
    said = refused(*ring, holes=holes)
    assert told in said
    assert "\nMaybe " in said


def test_closed_rings_either_way_round_over_the_date_line_and_with_holes_are_taken() -> None:
    assert refused(*SQUARE, SQUARE[0], holes=(WITHIN,)) == ""
    assert refused(*SQUARE[::-1]) == ""
    assert refused((179.5, -17.0), (-179.5, -17.0), (-179.5, -16.0), (179.5, -16.0)) == ""
    assert refused((-180.0, -90.0), (180.0, -90.0), (180.0, 90.0), (-180.0, 90.0)) == ""


def test_a_city_with_thousands_of_corners_is_taken() -> None:
    turn, rng = np.linspace(0, 2 * np.pi, 5_000, endpoint=False), np.random.default_rng(1)
    out = 0.2 + 0.01 * rng.random(5_000)
    corners = np.stack([-75.1 + out * np.cos(turn), 40 + out * np.sin(turn)], axis=1)
    assert refused(*((lon, lat) for lon, lat in corners.tolist())) == ""
    assert len(msgspec.convert({"ring": corners.tolist()}, Polygon).ring) == 5_000


AROUND = Circle(centre=(39.95, -75.16), radius_m=20_000)


@pytest.mark.parametrize(
    ("zone", "area"),
    [
        ("America/New_York", AROUND),
        ("America/New_York", Polygon(ring=tuple((lat, lon) for lon, lat in SQUARE))),
        ("Europe/Athens", Circle(centre=(37.98, 23.73), radius_m=9_000)),
        ("Asia/Kathmandu", Circle(centre=(27.7, 85.3), radius_m=9_000)),
    ],
)
def test_an_area_that_is_in_its_market_only_as_lat_lon_is_refused(zone: str, area: Area) -> None:
    with pytest.raises(InvalidMessage) as refusal:
        refuse_bad_areas(town.vendor(service_area=(area,)), zone)
    (error,) = refusal.value.facts["errors"]
    assert error.pointer == "/service_area/0"
    assert f"km from the city of {zone}" in error.detail
    assert error.detail.endswith("Maybe the two are swapped: a position is [lon, lat], east first.")


@pytest.mark.parametrize(
    ("zone", "area"),
    [
        ("America/New_York", Circle(centre=(-80.19, 25.76), radius_m=9_000)),  # Miami: far, and meant
        ("Africa/Cairo", Circle(centre=(30.04, 31.24), radius_m=9_000)),  # 170 km either way: nobody can tell
        ("Europe/Moscow", Polygon(ring=((60, 42), (37, 55), (40, 60)))),  # one corner is in Moscow, swapped
        ("UTC", AROUND),
        ("US/Eastern", AROUND),  # an older name: no city is known
    ],
)
def test_an_area_is_taken_where_it_may_be_meant(zone: str, area: Area) -> None:
    refuse_bad_areas(town.vendor(service_area=(area,)), zone)


def test_a_position_beyond_the_poles_is_said_to_be_the_wrong_way_round() -> None:
    body = b'{"kind":"circle","centre":[40.7,-104.99],"radius_m":5}'
    with pytest.raises(InvalidMessage) as refusal:
        decode(body, Circle)
    assert "[lon, lat]" in str(refusal.value.facts["errors"])
    assert "swapped" in str(refusal.value.facts["errors"])
