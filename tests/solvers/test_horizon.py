"""Local days as one line of ledger buckets, over summer time too."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from solvers.horizon import LEDGER_MS, Horizon, local_day

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
