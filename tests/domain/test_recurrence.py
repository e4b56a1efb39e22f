"""On which days: as python-dateutil has it, within bounds, and refused in words where it is no such rule."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from dateutil import rrule
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.instants import to_instant
from contracts.local_day import LocalDay
from contracts.standing_orders import OnHoliday
from dispatcher.domain.recurrence import AHEAD, Comes, comes, days, holidays_of, read
from dispatcher.domain.refusals import Invalid
from dispatcher.domain.standing_orders import instant

NEW_YORK, UTC = ZoneInfo("America/New_York"), ZoneInfo("UTC")
MONDAY = date(2026, 11, 30)
WEEK = "FREQ=WEEKLY;BYDAY=MO,WE,FR"
DAYS = st.lists(
    st.sampled_from(["MO", "TU", "WE", "TH", "FR", "SA", "SU"]), min_size=1, max_size=4, unique=True
)


@st.composite
def rules(draw: st.DrawFn) -> str:
    """Rules of every frequency that are evaluated quickly, with an end or without."""
    freq = draw(st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]))
    parts = [f"FREQ={freq}", f"INTERVAL={draw(st.integers(1, 5))}"]
    if freq != "MONTHLY" and draw(st.booleans()):
        parts.append("BYDAY=" + ",".join(draw(DAYS)))
    if freq == "MONTHLY":
        parts.append(
            draw(st.sampled_from(["BYDAY=2TU", "BYMONTHDAY=-1", "BYMONTHDAY=29,30", "BYDAY=MO;BYSETPOS=-1"]))
        )
    if draw(st.booleans()):
        parts.append(f"BYMONTH={draw(st.integers(1, 12))}")
    parts += draw(st.sampled_from([[], [f"COUNT={draw(st.integers(1, 40))}"], ["UNTIL=20270630"]]))
    return ";".join(parts)


@settings(max_examples=60, deadline=None)
@given(rules(), st.dates(date(2026, 1, 1), date(2028, 12, 31)), st.integers(0, 400))
def test_a_rule_has_the_days_that_the_rfc_gives_it(text: str, start: date, after: int) -> None:
    since = start + timedelta(days=after)
    limit = since + timedelta(days=500)
    whole = rrulestr(text, dtstart=datetime(start.year, start.month, start.day))
    expected = []
    if "COUNT" in text:
        bounded = rrulestr(text, dtstart=datetime(start.year, start.month, start.day))
        expected = [
            each.date() for each in bounded.xafter(datetime.min, inc=True) if since <= each.date() <= limit
        ]
    else:
        first, last = (datetime(each.year, each.month, each.day) for each in (since, limit))
        expected = [each.date() for each in whole.between(first, last, inc=True)]
    assert list(days(read(text, UTC), start, since, limit)) == expected


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("FREQ=HOURLY", "daily is most"),
        ("FREQ=DAILY;BYHOUR=8,14", "says when on the day"),
        ("BYDAY=MO", "no FREQ"),
        ("FREQ=DAILY;COUNT=2;UNTIL=20270101", "COUNT and UNTIL"),
        ("FREQ=DAILY;COUNT=9999", "1 to 3660"),
        ("FREQ=DAILY;INTERVAL=0", "1 to 1000"),
        ("FREQ=DAILY;FREQ=DAILY", "stands twice"),
        ("FREQ=WEEKLY;BYDAY=2MO", "has a number"),
        ("FREQ=WEEKLY;BYMONTHDAY=3", "goes not with"),
        ("FREQ=MONTHLY;BYSETPOS=1", "stands alone"),
        ("FREQ=YEARLY;BYEASTER=0", "no part of a rule"),
        ("FREQ=DAILY;UNTIL=20271399", "is no day"),
        ("DTSTART:20260101\nRRULE:FREQ=DAILY", "one line"),
        ("RRULE:FREQ=DAILY", "Maybe leave that out"),
        ("FREQ=YEARLY;BYMONTH=13", "Maybe months: BYMONTH=1,7"),
        ("FREQ=DAILY;UNTIL=2027-06-30", "Maybe a day, without dashes: UNTIL=20271231"),
        ("FREQ=WEEKLY;BYDAY=XX", "Maybe days of the week: BYDAY=MO,WE,FR"),
        ("FREQ=YEARLY;BYWEEKNO=first", "Maybe whole numbers, from the end with a minus: BYWEEKNO=1,-1"),
        ("FREQ=DAILY;COUNT=٣", "is not understood"),
        ("FREQ=MONTHLY;BYDAY=99MO", "BYDAY has 99\nMaybe 1 to 5"),
        ("FREQ=YEARLY;BYMONTH=12;BYDAY=-6MO", "BYDAY has -6\nMaybe 1 to 5"),
        ("FREQ=YEARLY;BYDAY=54MO", "BYDAY has 54\nMaybe 1 to 53"),
        ("FREQ=MONTHLY;BYMONTHDAY=1,0", "BYMONTHDAY has 0\nMaybe 1 to 31"),
        ("FREQ=YEARLY;BYYEARDAY=367", "BYYEARDAY has 367"),
        ("FREQ=YEARLY;BYWEEKNO=-54", "BYWEEKNO has -54"),
    ],
)
def test_what_is_no_rule_or_comes_too_often_is_refused_in_words(text: str, wrong: str) -> None:
    with pytest.raises(Invalid, match=wrong) as refused:
        list(days(read(text, UTC), MONDAY, MONDAY, MONDAY + AHEAD))
    told, remedy = refused.value.detail.split("\n")
    assert remedy.startswith("Maybe ")
    assert "\\d" not in told + remedy


@pytest.mark.parametrize("text", ["FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "FREQ=MONTHLY;BYDAY=TU;BYSETPOS=6"])
def test_a_day_that_never_comes_is_looked_for_within_bounds(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    years, rebuild = set[int](), rrule._iterinfo.rebuild

    def noted(info: object, year: int, month: int) -> None:
        years.add(year)
        rebuild(info, year, month)

    monkeypatch.setattr(rrule._iterinfo, "rebuild", noted)
    assert list(comes(read(text, UTC), MONDAY, MONDAY)) == []
    assert len(years) < 400  # else the service stands still for seconds: up to the year 9999


def test_at_the_end_of_all_calendars_nothing_comes() -> None:
    assert list(comes(read(WEEK, UTC), MONDAY, date.max)) == []


def test_until_is_a_day_of_the_market_also_as_a_moment_in_utc() -> None:
    last = [list(days(read(f"FREQ=DAILY;UNTIL={until}", NEW_YORK), MONDAY, MONDAY, MONDAY + AHEAD))[-1]
            for until in ("20261205", "20261206T030000Z", "20261205T120000")]  # fmt: skip
    assert last == [date(2026, 12, 5)] * 3


def on_holidays(then: OnHoliday, text: str = WEEK, *holidays: date) -> list[Comes]:
    free = frozenset(holidays or (date(2026, 12, 25),))
    found = comes(read(text, UTC), MONDAY, date(2026, 12, 21), then=then, is_holiday=free.__contains__)
    return list(islice(found, 4))


@pytest.mark.parametrize(
    ("then", "on"),
    [
        (OnHoliday.KEEP, date(2026, 12, 25)),
        (OnHoliday.SKIP, None),
        (OnHoliday.NEXT, None),  # Monday has one of its own
        (OnHoliday.PREVIOUS, date(2026, 12, 24)),
    ],
)
def test_an_occurrence_on_a_holiday_is_kept_left_out_or_moved_to_a_business_day(
    then: OnHoliday, on: date | None
) -> None:
    friday = on_holidays(then)[2]
    assert friday == Comes(date(2026, 12, 25), on)


def test_of_two_holidays_in_a_row_one_moves_to_the_next_business_day_and_nobody_is_served_twice() -> None:
    christmas = (date(2026, 12, 24), date(2026, 12, 25))
    found = on_holidays(OnHoliday.NEXT, "FREQ=WEEKLY;BYDAY=MO,TH,FR", *christmas)
    assert [each.on for each in found] == [date(2026, 12, 21), None, None, date(2026, 12, 28)]
    found = on_holidays(OnHoliday.NEXT, "FREQ=WEEKLY;BYDAY=WE,TH,FR", *christmas)
    assert [each.on for each in found] == [date(2026, 12, 23), None, date(2026, 12, 28), date(2026, 12, 30)]


def test_public_holidays_are_those_of_the_country_and_its_part() -> None:
    assert holidays_of("US", "")(date(2026, 11, 26))
    assert holidays_of("DE", "BY")(date(2027, 1, 6))
    assert not holidays_of("DE", "HH")(date(2027, 1, 6))
    for country, part in (("XX", ""), ("US", "QQ")):
        with pytest.raises(Invalid, match="are not known\nMaybe"):
            holidays_of(country, part)


@pytest.mark.parametrize(
    ("on", "clock", "utc"),
    [
        (date(2026, 12, 2), "06:30", "11:30"),
        (date(2027, 3, 15), "06:30", "10:30"),  # summer: the clock says the same
        (date(2027, 3, 14), "02:30", "07:00"),  # skipped: what comes after, 3:00
        (date(2027, 3, 14), "03:00", "07:00"),
        (date(2027, 11, 7), "01:30", "05:30"),  # twice: the first
        (date(2027, 11, 7), "02:00", "07:00"),
    ],
)
def test_the_clock_time_is_the_same_on_every_day_of_the_year(on: date, clock: str, utc: str) -> None:
    first = datetime.fromisoformat(f"2026-12-02T{clock}").replace(tzinfo=NEW_YORK)
    found = instant(first, date(2026, 12, 2), on, NEW_YORK)
    assert found.astimezone(UTC).strftime("%H:%M") == utc


@settings(max_examples=40, deadline=None)
@given(
    st.dates(date(2026, 1, 1), date(2030, 1, 1)),
    st.integers(0, 1439),
    st.integers(0, 1439),
    st.sampled_from(["America/New_York", "Australia/Lord_Howe", "America/Santiago", "Pacific/Apia"]),
)
def test_a_window_stays_a_window_on_every_day_of_every_zone(
    day: date, one: int, other: int, zone: str
) -> None:
    tz = ZoneInfo(zone)
    first, last = (LocalDay.of(day, tz).first_at(minute * 60_000) for minute in sorted((one, other)))
    assert first <= last
    local = to_instant(first).astimezone(tz)
    if not LocalDay.of(day, tz).changes_clock:
        assert (local.date(), local.hour * 60 + local.minute) == (day, min(one, other))
