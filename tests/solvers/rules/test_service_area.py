"""A border belongs to its area, however it is asked; areas over the date line, with holes, near the poles."""

from collections.abc import Sequence

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from contracts.geo import Area, Circle, Place, Polygon, Position
from contracts.vendors import RateCard
from solvers.encoding import VendorBook
from solvers.rules.base import Candidate, Candidates, View
from solvers.rules.price import price_cents, price_of
from solvers.rules.service_area import RULE, beyond_m
from tests.examples import examples
from tests.solvers import town

TRIANGLE = ((-75.3, 39.9), (-75.1, 39.9), (-75.1, 40.0), (-75.3, 40.0))


def judged(
    areas: Sequence[Area], points: Sequence[Position], *, reach_m: int = 0
) -> tuple[list[bool], list[float], list[bool], list[int], list[int]]:
    """Of pick-ups at these points and one vendor: mask, metres beyond, twin; price in both forms."""
    vendor = town.vendor(
        service_area=tuple(areas), out_of_area_m=reach_m, rate_card=RateCard(out_of_area_cents=777)
    )
    asked = [
        town.asked(replace(town.trip(f"r{n}"), pickup=Place(position=at), dropoff=Place(position=at)))
        for n, at in enumerate(points)
    ]
    day, rows = town.screening(asked, [vendor]), np.arange(len(points))
    none = np.zeros(len(points), np.int64)
    start_ms = np.full(len(points), town.NOW_MS)
    candidates = Candidates(rows, none, none, start_ms, none + 60_000, none + 60_000, none.astype(float))
    view = View(day, slice(0, len(points)), RULE.code)
    ones = [
        Candidate(
            asked=each, vendor=VendorBook.of([vendor]).vendors[0], start_ms=town.NOW_MS,
            end_ms=town.NOW_MS, free_ms=town.NOW_MS, metres=0.0, room=day.supply.room(0, 0, 0), known={},
            now_ms=town.NOW_MS, horizon=day.horizon, values={},
        )
        for each in asked
    ]  # fmt: skip
    mask = np.broadcast_to(RULE.mask(view), (len(points), 1))[:, 0].tolist()
    prices = price_cents(view, candidates).tolist()
    twins = [RULE.permits(each) for each in ones]
    return mask, beyond_m(view)[:, 0].tolist(), twins, prices, [price_of(each) for each in ones]


def served(areas: Sequence[Area], points: Sequence[Position]) -> list[bool]:
    """Where the vectorised form, its twin and both prices agree."""
    mask, beyond, twins, prices, one_by_one = judged(areas, points)
    assert mask == twins
    assert prices == one_by_one
    assert mask == [each == 0 for each in beyond]
    return mask


def test_a_border_belongs_to_its_area() -> None:
    on = [(-75.27, 40.0), (-75.21, 40.0), (-75.3, 39.95), (-75.1, 39.9), (-75.2, 39.9), (-75.1, 39.912345)]
    off = [(-75.27, 40.000002), (-75.300002, 39.95), (-75.4, 40.0), (-75.0, 39.9)]
    assert served([Polygon(ring=TRIANGLE)], on + off) == [True] * len(on) + [False] * len(off)
    slope = Polygon(ring=((0.0, 0.0), (0.3, 0.1), (0.0, 0.2)))
    assert served([slope], [(0.15, 0.05), (0.003, 0.001), (0.15, 0.04999), (0.15, 0.15)]) == [
        True,
        True,
        False,
        True,
    ]


def test_on_a_border_nothing_is_charged_for_being_outside() -> None:
    at = [(-75.21, 40.0), (-75.21, 40.00001)]
    mask, _, twins, prices, one_by_one = judged([Polygon(ring=TRIANGLE)], at, reach_m=5_000)
    assert (mask, prices) == (twins, one_by_one)
    assert prices[1] - prices[0] == 777


def test_a_circles_border_belongs_to_it() -> None:
    north = [(-74.0, 40.7 + km / 111.19508023353293) for km in (4.9999, 5.0, 5.0002)]
    assert served([Circle(centre=(-74.0, 40.7), radius_m=5_000)], north) == [True, True, False]


def test_what_was_worked_out_of_some_vendors_is_not_taken_of_others() -> None:
    here, there = (-75.2, 39.95), (-74.2, 39.95)
    for _ in range(20):  # more than are kept
        for centre in (here, there):
            circle = Circle(centre=centre, radius_m=5_000)
            assert served([circle], [here, there]) == [centre == here, centre == there]


def test_a_ring_over_the_date_line_holds_what_is_near_it() -> None:
    ring = ((179.5, -17.0), (-179.5, -17.0), (-179.5, -16.0), (179.5, -16.0))
    points = [(179.9, -16.5), (-179.9, -16.5), (180.0, -16.5), (-180.0, -16.5), (-179.5, -16.5), (0.0, -16.5)]
    assert served([Polygon(ring=ring)], points) == [True] * 5 + [False]
    turned = Polygon(ring=(*ring[2:], *ring[:2]))
    assert served([turned], points) == [True] * 5 + [False]


def test_a_hole_is_outside_and_its_border_inside() -> None:
    hole = ((-75.25, 39.93), (-75.15, 39.93), (-75.15, 39.97), (-75.25, 39.97))
    points = [(-75.2, 39.95), (-75.25, 39.95), (-75.2, 39.97), (-75.28, 39.95)]
    assert served([Polygon(ring=TRIANGLE, holes=(hole,))], points) == [False, True, True, True]


def test_a_ring_round_the_world_is_one() -> None:
    world = Polygon(ring=((-180.0, -90.0), (180.0, -90.0), (180.0, 90.0), (-180.0, 90.0)))
    assert served([world], [(0.0, 0.0), (180.0, 12.0), (-180.0, -90.0), (121.0, 23.5)]) == [True] * 4


def stars(lon: float, lat: float, size: float, radii: Sequence[float]) -> Polygon:
    turn = np.linspace(0, 2 * np.pi, len(radii), endpoint=False)
    corners = [
        (lon + size * r * np.cos(a), lat + size * r * np.sin(a)) for r, a in zip(radii, turn, strict=True)
    ]
    return Polygon(
        ring=tuple(
            ((float(x) + 180) % 360 - 180, float(np.clip(y, -90, 90))) for x, y in np.round(corners, 4)
        )
    )


@settings(max_examples=examples(20), deadline=None)
@given(
    centre=st.sampled_from([(-75.0, 40.0), (179.9, -17.0), (-179.95, 65.0), (12.0, 89.2), (100.0, -89.7)]),
    size=st.sampled_from([0.05, 0.4]),
    radii=st.lists(st.floats(0.2, 1.0), min_size=3, max_size=40),
    reach_m=st.sampled_from([0, 3_000, 60_000]),
    seed=st.integers(0, 2**32 - 1),
)
def test_the_mask_is_its_twin_at_borders_over_the_date_line_and_near_the_poles(
    centre: Position, size: float, radii: list[float], reach_m: int, seed: int
) -> None:
    area, rng = stars(*centre, size, radii), np.random.default_rng(seed)
    corners = np.array(area.ring)
    following = np.roll(corners, -1, axis=0)
    middles = (corners + following) / 2
    some = [corners, middles[np.abs(corners - following)[:, 0] < 180]]
    around = np.array(centre) + rng.uniform(-2 * size, 2 * size, (20, 2)) * (1, 1)
    points = np.concatenate([*some, around])
    points[:, 0] = (points[:, 0] + 180) % 360 - 180
    points[:, 1] = np.clip(points[:, 1], -90, 90)
    circle = Circle(centre=(points[-1, 0].item(), points[-1, 1].item()), radius_m=2_000)
    places = [(lon, lat) for lon, lat in points.tolist()]
    mask, beyond, twins, prices, one_by_one = judged([area, circle], places, reach_m=reach_m)
    sure = [not 0 < abs(each - reach_m) < 2 for each in beyond]
    assert [a for a, ok in zip(mask, sure, strict=True) if ok] == [
        a for a, ok in zip(twins, sure, strict=True) if ok
    ]
    assert [a for a, ok in zip(prices, mask, strict=True) if ok] == [
        a for a, ok in zip(one_by_one, mask, strict=True) if ok
    ]
    assert all(mask[: len(corners)]), "a corner belongs to its area"


def test_a_real_citys_border_is_taken_with_all_its_corners() -> None:
    radii = (0.6 + 0.4 * np.random.default_rng(1).random(3_012)).tolist()
    area = stars(-75.1, 40.0, 0.2, radii)
    points = np.random.default_rng(2).uniform((-75.4, 39.7), (-74.8, 40.3), (60, 2))
    assert 0.1 < np.mean(served([area], [(lon, lat) for lon, lat in points.tolist()])) < 0.6
