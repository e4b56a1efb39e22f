"""Distances and rides, against figures known from elsewhere."""

import pickle

import numpy as np
import pytest

from contracts.geo import Polygon
from solvers.geometry import great_circle_m
from solvers.rings import Rings, edges_of, micro
from solvers.travel import DetourTravel

NEW_YORK, LOS_ANGELES = np.array([[-74.006, 40.7128]]), np.array([[-118.2437, 34.0522]])


def test_great_circle_distance_is_that_of_an_atlas() -> None:
    assert great_circle_m(NEW_YORK, LOS_ANGELES)[0] == pytest.approx(3_936_000, rel=2e-3)


def test_a_ride_takes_distance_times_detour_at_the_speed_of_its_hour() -> None:
    travel = DetourTravel.of({"travel_detour": 1.5, "travel_day_kmh": 36, "travel_night_kmh": 72})
    ends = np.array([[127.0, 37.5], [127.0, 37.5]]), np.array([[127.0, 37.6], [127.0, 37.6]])
    day, night = travel.between(*ends, np.array([12, 2])).seconds
    metres = great_circle_m(*ends)[0] * 1.5
    assert day == pytest.approx(metres / 10)
    assert night == pytest.approx(metres / 20)


def test_travel_times_go_to_a_solver_process() -> None:
    travel = DetourTravel.of({})
    assert pickle.loads(pickle.dumps(travel)) == travel


def test_outside_a_ring_is_the_way_to_its_nearest_edge() -> None:
    square = Polygon(ring=((127.0, 37.0), (127.1, 37.0), (127.1, 37.1), (127.0, 37.1)))
    points = np.array([[127.05, 37.05], [127.05, 37.2], [127.2, 37.05]])
    shape = Rings(np.array(edges_of(square)))
    inside, north, east = shape.outside_m(micro(points), 50_000)
    assert inside == 0
    assert north == pytest.approx(great_circle_m(points[1], np.array([127.05, 37.1])), rel=1e-3)
    assert east == pytest.approx(great_circle_m(points[2], np.array([127.1, 37.05])), rel=1e-3)
