"""Hexagons of a map: all of it, no more than a screen shows, and the same ones wherever the map is moved."""

from __future__ import annotations

import numpy as np
import pytest

from contracts.coverage import MOST_CELLS
from dispatcher.service.hexagons import Grid

BOXES = [
    (-74.3, 40.5, -73.6, 41.0),
    (126.7, 37.4, 127.3, 37.7),
    (179.5, -17.5, -179.5, -16.5),
    (-180, -85, 180, 85),
    (10, 89, 11, 90),
    (0.0, 0.0, 0.0001, 0.0001),
]


@pytest.mark.parametrize("box", BOXES)
def test_a_part_of_the_map_has_some_cells_and_never_too_many(box: tuple[float, ...]) -> None:
    centres = Grid.over(*box).centres()
    assert 0 < len(centres) <= MOST_CELLS
    assert (np.abs(centres) <= [180, 90]).all()


def test_a_map_that_is_moved_has_the_same_cells() -> None:
    one, other = (Grid.over(-74.3 + by, 40.5 + by, -73.6 + by, 41.0 + by).centres() for by in (0, 0.07))
    same = {tuple(each) for each in one.round(6)} & {tuple(each) for each in other.round(6)}
    assert len(same) > 0.7 * len(one)


def test_every_point_lies_within_a_side_of_a_centre() -> None:
    grid = Grid.over(-74.3, 40.5, -73.6, 41.0)
    centres = grid.centres()
    points = np.random.default_rng(1).uniform([-74.3, 40.5], [-73.6, 41.0], (200, 2))
    shrink = np.cos(np.radians(40.75))
    away = np.hypot(*(((points[:, None] - centres) * [1, 1 / shrink]).transpose(2, 0, 1))) / 360
    assert (away.min(axis=1) <= grid.side * 1.02).all()
