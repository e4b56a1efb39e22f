"""The Seoul day, read from the data and put as a problem."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks import seoul
from benchmarks.day import AMBULATORY, WHEELCHAIR
from solvers.assignment.greedy import greedy
from solvers.checker import check


@pytest.fixture(scope="module")
def day() -> seoul.SeoulDay:
    folder = Path(__file__).parents[2].parent / "shared" / "data" / "seoul"
    if not folder.exists():
        pytest.skip("the Seoul day is not there: ../shared/data/seoul")
    return seoul.load_day(folder)


def test_the_day_has_its_trips_and_vehicles(day: seoul.SeoulDay) -> None:
    assert (len(day.asked_min), len(day.home)) == (6002, 613)
    peak = np.bincount(day.asked_min // 60) / len(day.asked_min)
    assert (int(peak.argmax()), round(float(peak.max()), 3)) == (14, 0.137)
    kilometres = np.percentile(
        np.hypot(*(seoul._km(day, day.dropoff) - seoul._km(day, day.pickup)).T), (10, 50, 90)
    )
    assert kilometres == pytest.approx([1.2, 4.3, 14.1], abs=0.1)


def test_every_vehicle_has_a_vendor_of_its_neighbourhood(day: seoul.SeoulDay) -> None:
    vendor = seoul.vendor_of(day)
    size = np.bincount(vendor)
    assert size.sum() == 613
    assert size.max() <= seoul.VEHICLES_A_VENDOR
    assert size.min() >= seoul.VEHICLES_A_VENDOR // 2
    assert np.array_equal(vendor, seoul.vendor_of(day)), "nothing is drawn at random"


def test_vehicles_are_units_only_on_their_shift(day: seoul.SeoulDay) -> None:
    problem = seoul.as_problem(day)
    hours = problem.capacity.sum(axis=(0, 1)).reshape(24, -1)
    on_shift = [int(((day.shift_h[:, 0] <= h) & (h < day.shift_h[:, 1])).sum()) for h in range(24)]
    assert hours[:, 0].tolist() == hours[:, -1].tolist() == on_shift


def test_a_shift_may_go_on_past_midnight(tmp_path: Path) -> None:
    trips = "ID,ride_time,ride_lat,ride_lon,alight_lat,alight_lon,type\n"
    (tmp_path / "trips.csv").write_text(trips + "0,600,37.50,127.0,37.52,127.0,1\n")
    (tmp_path / "vehicles.csv").write_text("cartype,work_start,work_end,lat,lon\n1,21.5,6,37.5,127.0\n")
    hours = seoul.as_problem(seoul.load_day(tmp_path)).capacity.sum(axis=(0, 1)).reshape(24, -1)[:, 0]
    assert np.flatnonzero(hours).tolist() == [*range(6), 22, 23]


def test_a_wheelchair_rides_only_in_a_van_and_four_in_five_trips_find_a_place_greedily(
    day: seoul.SeoulDay,
) -> None:
    problem = seoul.as_problem(day)
    wheelchair = day.wheelchair[problem.column_request]
    assert (problem.column_resource[wheelchair] == WHEELCHAIR).all()
    assert (problem.column_resource[~wheelchair] == AMBULATORY).any()
    report = check(problem, greedy(problem)).require()
    # Between 7 and 8 h up to 468 rides at once meet 233 vehicles on shift: not all can be matched.
    assert report.matched > 0.8 * problem.requests
