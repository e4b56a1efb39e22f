"""One function between clock and time: on every day of the year, in every zone that changes its clock."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.instants import MINUTE_MS, to_ms
from contracts.local_day import LocalDay

#: By half an hour, at midnight, from 23:00 to 24:00, by two hours, at a quarter to, and not at all.
ZONES = (
    "America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "America/Santiago", "America/Nuuk",
    "America/Havana", "Antarctica/Troll", "Pacific/Chatham", "Africa/Casablanca", "Asia/Seoul", "UTC",
)  # fmt: skip
zones = st.sampled_from(ZONES).map(ZoneInfo)
days = st.dates(date(2026, 1, 1), date(2029, 12, 31))


def clock_changes(tz: ZoneInfo) -> list[date]:
    """The days of a year on which the zone changes its clock."""
    year = (date(2027, 1, 1) + timedelta(days=n) for n in range(365))
    return [day for day in year if LocalDay.of(day, tz).changes_clock]


@pytest.mark.parametrize(
    ("zone", "day", "hours", "first"),
    [
        ("America/New_York", date(2027, 3, 14), 23, 0),
        ("America/New_York", date(2027, 11, 7), 25, 0),
        ("Australia/Lord_Howe", date(2027, 10, 3), 23.5, 0),
        ("Australia/Lord_Howe", date(2027, 4, 4), 24.5, 0),
        ("Africa/Cairo", date(2027, 4, 30), 23, 60),  # it has no midnight
        ("Africa/Cairo", date(2027, 10, 28), 25, 0),  # 23:00 comes twice
        ("America/Santiago", date(2027, 9, 5), 23, 60),
        ("America/Nuuk", date(2027, 3, 27), 23, 0),  # ends at 23:00
        ("America/Havana", date(2027, 11, 7), 25, 0),  # midnight comes twice
        ("Antarctica/Troll", date(2027, 3, 28), 22, 0),
        ("Antarctica/Troll", date(2027, 10, 31), 26, 0),
        ("Pacific/Chatham", date(2027, 9, 26), 23, 0),
    ],
)
def test_a_day_is_as_long_as_its_clock_says(zone: str, day: date, hours: float, first: int) -> None:
    found = LocalDay.of(day, ZoneInfo(zone))
    assert (found.end_ms - found.start_ms) / 3_600_000 == hours
    assert found.bucket_minutes[0] == first
    assert len(found.bucket_minutes) == hours * 12


@settings(max_examples=60, deadline=None)
@given(tz=zones, day=days, data=st.data())
def test_every_bucket_shows_what_the_zones_clock_shows(tz: ZoneInfo, day: date, data: st.DataObject) -> None:
    day = data.draw(st.sampled_from([day, *clock_changes(tz)]))
    found = LocalDay.of(day, tz)
    for bucket, minute in enumerate(found.bucket_minutes):
        local = datetime.fromtimestamp(found.start_ms / 1000 + 300 * bucket, tz)
        assert (local.date(), local.hour * 60 + local.minute) == (day, minute)
    assert found.end_ms == LocalDay.of(day + timedelta(days=1), tz).start_ms


@settings(max_examples=40, deadline=None)
@given(tz=zones, data=st.data(), opens=st.integers(0, 287), lasts=st.integers(1, 288))
def test_clock_hours_are_those_instants_at_which_the_clock_shows_them(
    tz: ZoneInfo, data: st.DataObject, opens: int, lasts: int
) -> None:
    day = data.draw(st.sampled_from([date(2027, 6, 2), *clock_changes(tz)]))
    found, first, last = LocalDay.of(day, tz), 5 * opens, min(1_440, 5 * (opens + lasts))
    covered = [
        bucket
        for bucket in range(len(found.bucket_minutes))
        for start_ms, end_ms in found.instants(first, last)
        if start_ms <= found.start_ms + bucket * 5 * MINUTE_MS < end_ms
    ]
    assert covered == [n for n, minute in enumerate(found.bucket_minutes) if first <= minute < last]


def test_an_hour_that_comes_twice_stands_for_both_and_a_skipped_one_for_none() -> None:
    tz = ZoneInfo("America/New_York")
    hours = [to_ms(datetime(2027, 11, 7, hour, tzinfo=UTC)) for hour in (5, 6, 7)]
    assert LocalDay.of(date(2027, 11, 7), tz).instants(60, 120) == list(pairwise(hours))
    assert LocalDay.of(date(2027, 3, 14), tz).instants(120, 180) == []


def test_a_bucket_is_told_by_the_clock_and_with_its_offset_where_the_clock_shows_that_twice() -> None:
    autumn = LocalDay.of(date(2027, 11, 7), ZoneInfo("America/New_York"))
    told = [autumn.clock_of_bucket(bucket) for bucket in (0, 13, 25, 36)]
    assert told == ["00:00", "01:05-04:00", "01:05-05:00", "02:00"]
    assert LocalDay.of(date(2027, 3, 14), ZoneInfo("America/New_York")).clock_of_bucket(24) == "03:00"
