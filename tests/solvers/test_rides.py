"""A ride over the hours of a day: who leaves later arrives no earlier; every arrival has its start."""

from datetime import date
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solvers.horizon import Horizon
from solvers.rides import by_hour, leave_by_ms, rides
from solvers.travel import DetourTravel
from tests.contracts.test_local_day import ZONES, clock_changes

HOUR_MS = 3_600_000
HOME = (-75.16, 39.95)


def ends(km: float, times: int) -> tuple[np.ndarray, np.ndarray]:
    away = HOME[1] + km / 111.195
    return np.tile(np.array([HOME]), (times, 1)), np.tile(np.array([(HOME[0], away)]), (times, 1))


def test_a_ride_goes_on_at_the_speed_of_the_next_hour() -> None:
    """Half an hour at peak speed until 9:00, the rest by day: not one of the two all the way."""
    tz = ZoneInfo("America/New_York")
    horizon, travel = Horizon.of(tz, date(2027, 6, 2), 2), DetourTravel.of({"travel_town_km": 500})
    leave_ms = horizon.midnight_ms[:1] + int(8.5 * HOUR_MS)
    km = 0.5 * 22 + 0.75 * 30
    found = rides(travel, *ends(km / 1.35, 1), leave_ms, horizon)
    assert found.seconds[0] == pytest.approx(1.25 * 3_600, rel=1e-3)
    assert found.metres[0] == pytest.approx(1_000 * km, rel=1e-3)


@pytest.mark.parametrize(("km", "hours"), [(2, 0.09), (130, 2.6), (1_070, 15.0)])
def test_town_to_town_goes_by_motorway(km: float, hours: float) -> None:
    """About: across town, Philadelphia to New York, Philadelphia to Chicago, by day."""
    horizon = Horizon.of(ZoneInfo("America/New_York"), date(2027, 6, 2), 2)
    found = rides(DetourTravel.of({}), *ends(km, 1), horizon.midnight_ms[:1] + 10 * HOUR_MS, horizon)
    assert found.seconds[0] / 3_600 == pytest.approx(hours, rel=0.1)


@settings(max_examples=25, deadline=None)
@given(zone=st.sampled_from(ZONES), data=st.data(), km=st.floats(0.1, 400), seed=st.integers(0, 2**32 - 1))
def test_who_leaves_later_arrives_no_earlier_and_every_arrival_has_its_time_to_leave(
    zone: str, data: st.DataObject, km: float, seed: int
) -> None:
    tz, rng = ZoneInfo(zone), np.random.default_rng(seed)
    day = data.draw(st.sampled_from([date(2027, 6, 2), *clock_changes(tz)]))
    horizon, travel = Horizon.of(tz, day, 3), DetourTravel.of({"travel_town_km": 100})
    leave_ms = np.sort(rng.integers(horizon.start_ms, horizon.midnight_ms[2], 30))
    start, end = ends(km, 30)
    arrive_ms = leave_ms + np.rint(rides(travel, start, end, leave_ms, horizon).seconds * 1_000).astype(
        np.int64
    )
    assert (np.diff(arrive_ms) >= -2).all()
    hourly_s = by_hour(travel, HOME, (end[0, 0], end[0, 1]))
    back_ms = [leave_by_ms(each, hourly_s, tz) for each in arrive_ms.tolist()]
    assert np.abs(np.array(back_ms) - leave_ms).max() <= 5
