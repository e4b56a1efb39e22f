"""Local days as one line of ledger buckets, over summer time too."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solvers.horizon import LEDGER_MS, Horizon, local_day
from tests.contracts.test_local_day import ZONES, clock_changes

NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize(("first", "buckets"), [(date(2026, 11, 1), 300), (date(2026, 3, 8), 276)])
def test_a_day_that_changes_the_clock_has_another_length(first: date, buckets: int) -> None:
    horizon = Horizon.of(NEW_YORK, first, 2)
    assert horizon.first_bucket(int(horizon.midnight_ms[1])) == buckets
    assert horizon.buckets == buckets + 288


@given(st.datetimes(datetime(2026, 10, 30), datetime(2026, 11, 4)), st.sampled_from(["UTC", "Asia/Seoul"]))
def test_instants_have_the_clock_time_and_weekday_of_their_time_zone(at: datetime, zone: str) -> None:
    for tz in (NEW_YORK, ZoneInfo(zone)):
        ms = int(at.replace(tzinfo=tz).timestamp() * 1000)
        local = datetime.fromtimestamp(ms / 1000, tz)
        horizon = Horizon.of(tz, date(2026, 10, 28), 10)
        assert int(horizon.minute_of_day(ms)) == local.hour * 60 + local.minute
        assert int(horizon.weekday_of(ms)) == local.weekday()
        assert horizon.days[int(horizon.day_of(ms))] == local.date() == local_day(ms, tz)


@given(st.integers(0, 3 * 288 * LEDGER_MS), st.integers(1, 10 * LEDGER_MS))
def test_use_is_rounded_outward(start: int, lasts: int) -> None:
    horizon = Horizon.of(NEW_YORK, date(2026, 11, 23), 4)
    begin_ms = horizon.start_ms + start
    first, end = horizon.first_bucket(begin_ms), horizon.end_bucket(begin_ms + lasts)
    assert first * LEDGER_MS <= start < (first + 1) * LEDGER_MS
    assert (end - 1) * LEDGER_MS < start + lasts <= end * LEDGER_MS
    assert end > first
    assert np.asarray(horizon.first_bucket(np.array([begin_ms]))).tolist() == [first]


@settings(max_examples=40, deadline=None)
@given(zone=st.sampled_from(ZONES), data=st.data(), minutes=st.lists(st.integers(0, 3 * 1_320), min_size=1))
def test_on_a_day_that_changes_the_clock_every_minute_has_its_clock_time(
    zone: str, data: st.DataObject, minutes: list[int]
) -> None:
    tz = ZoneInfo(zone)
    day = data.draw(st.sampled_from([date(2027, 6, 2), *clock_changes(tz)]))
    horizon = Horizon.of(tz, day - timedelta(days=1), 3)
    at_ms = horizon.start_ms + np.array(minutes) * 60_000
    local = [datetime.fromtimestamp(ms / 1000, tz) for ms in at_ms.tolist()]
    assert horizon.minute_of_day(at_ms).tolist() == [each.hour * 60 + each.minute for each in local]
    assert [horizon.minute_at(ms) for ms in at_ms.tolist()] == horizon.minute_of_day(at_ms).tolist()
    assert horizon.weekday_of(at_ms).tolist() == [each.weekday() for each in local]
    ends = [datetime.fromtimestamp(ms / 1000, tz) for ms in horizon.hour_end(at_ms).tolist()]
    assert all(b.timestamp() - a.timestamp() <= 3_600 for a, b in zip(local, ends, strict=True))
    assert all(a.hour != b.hour or a.utcoffset() != b.utcoffset() for a, b in zip(local, ends, strict=True))
