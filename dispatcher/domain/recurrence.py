"""On which days something comes again: RFC 5545 rules, exceptions, public holidays. Days only, no clock.

A rule is read strictly and evaluated within bounds: python-dateutil looks to the year 9999 for a day that
never comes, whatever its `until`, which takes seconds from this century. The calendar is the same again every
400 years, to the day of the week: rules are evaluated as late in it as python can.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import islice
from typing import NamedTuple
from zoneinfo import ZoneInfo

from dateutil.rrule import rrule, rrulestr

from contracts.base import LAST_DAY
from contracts.outside import LINES
from contracts.standing_orders import OnHoliday
from dispatcher.domain.refusals import Invalid

AHEAD = timedelta(days=366 * 9)  # within which there must be another: leap days are up to eight years apart
MOST_COUNT, MOST_INTERVAL = 3_660, 1_000
WEEKEND = 5
FURTHEST = 14  # days to a business day: no country has more holidays in a row
LATER = 400 * 19  # years: LAST_DAY and AHEAD of it are then in the 98th century
_RARELY = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
_DAYS = "(MO|TU|WE|TH|FR|SA|SU)"
_MONTH = "(0?[1-9]|1[0-2])"
_NUMBERS = r"-?\d{1,3}(,-?\d{1,3})*"
_PARTS: Mapping[str, str] = {
    "FREQ": "|".join(_RARELY),
    "INTERVAL": r"\d{1,4}",
    "COUNT": r"\d{1,4}",
    "UNTIL": r"\d{8}(T\d{6}Z?)?",
    "WKST": _DAYS,
    "BYDAY": rf"(-?\d{{1,2}})?{_DAYS}(,(-?\d{{1,2}})?{_DAYS})*",
    "BYMONTHDAY": _NUMBERS,
    "BYYEARDAY": _NUMBERS,
    "BYWEEKNO": _NUMBERS,
    "BYMONTH": rf"{_MONTH}(,{_MONTH})*",
    "BYSETPOS": _NUMBERS,
}
_MOST: Mapping[str, int] = {"BYMONTHDAY": 31, "BYYEARDAY": 366, "BYWEEKNO": 53, "BYSETPOS": 366}
_MOST_IN_MONTH, _MOST_IN_YEAR = 5, 53  # Mondays, and so on
_TAKES: Mapping[str, str] = {  # the same for people
    "FREQ": f"one of {', '.join(_RARELY)}: daily is most",
    "INTERVAL": "a number: INTERVAL=2",
    "COUNT": "a number: COUNT=12",
    "UNTIL": "a day, without dashes: UNTIL=20271231",
    "WKST": "a day of the week: WKST=MO",
    "BYDAY": "days of the week: BYDAY=MO,WE,FR; in a month also the first or the last: BYDAY=1MO or -1FR",
    "BYMONTH": "months: BYMONTH=1,7",
}
_NUMBERED = "whole numbers, from the end with a minus"
_NOT_WITH: Mapping[str, Collection[str]] = {  # as the RFC has it
    "BYMONTHDAY": ("WEEKLY",),
    "BYYEARDAY": ("DAILY", "WEEKLY", "MONTHLY"),
    "BYWEEKNO": ("DAILY", "WEEKLY", "MONTHLY"),
}


class Rule(NamedTuple):
    """A rule that was read: its parts without COUNT and UNTIL, which are kept apart."""

    text: str
    most: int | None  # COUNT
    until: date | None


class Comes(NamedTuple):
    """One occurrence: the day that the rule has, by which it is called, and that on which it takes place."""

    day: date
    on: date | None  # None: left out, it is a holiday


def read(text: str, tz: ZoneInfo) -> Rule:
    """The rule. Raises Invalid, in words, for one that is none, or comes more often than daily."""
    if LINES.search(text):
        raise Invalid("a rule is one line\nMaybe leave out what is beside the RRULE: the request says when.")
    parts: dict[str, str] = {}
    for each in text.upper().split(";"):
        name, _, value = each.partition("=")
        if name in ("BYHOUR", "BYMINUTE", "BYSECOND"):
            raise _odd(text, f"{name} says when on the day", "the first request says that; leave it out")
        if name.startswith("RRULE"):
            raise _odd(text, "it begins with RRULE:", "leave that out: the rule is what follows")
        if name not in _PARTS or name in parts:
            raise _odd(text, f"{name[:20]!r} is no part of a rule, or stands twice", ", ".join(_PARTS))
        if not re.fullmatch(_PARTS[name], value, re.ASCII):
            takes = _TAKES.get(name, f"{_NUMBERED}: {name}=1,-1")
            raise _odd(text, f"{name}={value[:30]} is not understood", takes)
        parts[name] = value
    _refuse_odd_together(text, parts)
    _refuse_strange_numbers(text, parts)
    count, until = parts.pop("COUNT", None), parts.pop("UNTIL", None)
    rule = Rule(
        ";".join(f"{name}={value}" for name, value in parts.items()),
        int(count) if count else None,
        _day(text, until, tz) if until else None,
    )
    try:
        _made(rule, date(2026, 1, 1), date(2026, 1, 2))
    except ValueError as error:
        raise _odd(text, str(error)[:60], "look the part up in RFC 5545, 3.3.10") from None
    return rule


def _refuse_odd_together(text: str, parts: Mapping[str, str]) -> None:
    freq = parts.get("FREQ")
    if freq is None:
        raise _odd(text, "it has no FREQ", ", ".join(_RARELY))
    if "COUNT" in parts and "UNTIL" in parts:
        raise _odd(text, "it has COUNT and UNTIL", "one of the two")
    for name, most in (("COUNT", MOST_COUNT), ("INTERVAL", MOST_INTERVAL)):
        if not 1 <= int(parts.get(name, 1)) <= most:
            raise _odd(text, f"{name} is {parts[name]}", f"1 to {most}")
    for name, others in _NOT_WITH.items():
        if name in parts and freq in others:
            raise _odd(text, f"{name} goes not with FREQ={freq}", "BYDAY")
    if any(each.isdigit() for each in parts.get("BYDAY", "")) and freq not in ("MONTHLY", "YEARLY"):
        raise _odd(text, f"BYDAY={parts['BYDAY']} has a number, and FREQ is {freq}", "BYDAY=MO")
    if [name for name in parts if name.startswith("BY")] == ["BYSETPOS"]:
        raise _odd(text, "BYSETPOS stands alone", "BYDAY beside it")


def _refuse_strange_numbers(text: str, parts: Mapping[str, str]) -> None:
    """What is in no month or year: dateutil leaves it out, looks for it for ever, or fails."""
    by_month = parts["FREQ"] == "MONTHLY" or "BYMONTH" in parts
    for name, most in {**_MOST, "BYDAY": _MOST_IN_MONTH if by_month else _MOST_IN_YEAR}.items():
        strange = [
            each for each in re.findall(r"-?\d+", parts.get(name, "")) if not 1 <= abs(int(each)) <= most
        ]
        if strange:
            raise _odd(text, f"{name} has {strange[0]}", f"1 to {most}, or -1 to -{most} from the end")


def days(rule: Rule, start: date, since: date, limit: date) -> Iterator[date]:
    """The days of the rule from `since` up to `limit`, in order."""
    last = limit if rule.until is None else min(limit, rule.until)
    found = (each.date().replace(year=each.year - LATER) for each in _made(rule, start, last))
    counted = found if rule.most is None else islice(found, rule.most)
    return (each for each in counted if each >= since)


def comes(
    rule: Rule,
    start: date,
    since: date,
    *,
    except_days: Collection[date] = (),
    then: OnHoliday = OnHoliday.KEEP,
    is_holiday: Callable[[date], bool] = lambda day: False,
) -> Iterator[Comes]:
    """The occurrences whose day is `since` or later, within AHEAD. One that is moved to a day that has one
    already is left out: nobody is served twice.
    """

    def others(first: date, last: date) -> Collection[date]:
        return set(days(rule, start, first, last)) - set(except_days)

    limit = since + AHEAD if since < LAST_DAY else since
    for day in days(rule, start, since, limit):
        if day in except_days:
            continue
        if then is OnHoliday.KEEP or not is_holiday(day):
            yield Comes(day, day)
        elif then is OnHoliday.SKIP:
            yield Comes(day, None)
        else:
            step = timedelta(days=1 if then is OnHoliday.NEXT else -1)
            yield Comes(day, _moved(day, step, others, is_holiday))


def _moved(
    day: date,
    step: timedelta,
    others_between: Callable[[date, date], Collection[date]],
    is_holiday: Callable[[date], bool],
) -> date | None:
    """The business day that an occurrence on a holiday moves to; None where there is none, or it is taken.

    Of several holidays in a row, the one next to it moves there.
    """

    def works(each: date) -> bool:
        return each.weekday() < WEEKEND and not is_holiday(each)

    around = [day + step * number for number in range(1, FURTHEST + 1)]
    on = next((each for each in around if works(each)), None)
    if on is None:
        return None
    others = set(others_between(min(day, on), max(day, on))) - {day}
    return None if on in others or any(map(is_holiday, others)) else on


def holidays_of(country: str, subdivision: str) -> Callable[[date], bool]:
    """Whether a day is a public holiday there. Raises Invalid for a country, or part of it, not known."""
    import holidays  # noqa: PLC0415  (a quarter of a second, for those who ask)

    try:
        known = _holidays(country, subdivision)
    except (NotImplementedError, KeyError) as error:
        parts = holidays.list_supported_countries().get(country)
        remedy = f"one of {', '.join(parts)}"[:300] if parts else "an ISO 3166 code: US, DE"
        name = f"{country}-{subdivision}" if subdivision else country
        raise Invalid(f"the public holidays of {name} are not known\nMaybe {remedy}.") from error
    return known.__contains__


@lru_cache(maxsize=64)
def _holidays(country: str, subdivision: str) -> Collection[date]:
    import holidays  # noqa: PLC0415

    found: Collection[date] = holidays.country_holidays(country, subdiv=subdivision or None)
    return found


def _made(rule: Rule, start: date, last: date) -> rrule:
    """python-dateutil's up to `last`, LATER years later."""
    last = min(last, LAST_DAY + AHEAD)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = rrulestr(rule.text, dtstart=datetime(start.year + LATER, start.month, start.day))
        assert isinstance(made, rrule)  # noqa: S101  (one rule, no set)
        return made.replace(until=datetime(last.year + LATER, last.month, last.day))


def _day(text: str, until: str, tz: ZoneInfo) -> date:
    """UNTIL as a day of the market: a moment in UTC is one there."""
    try:
        if until.endswith("Z"):
            return datetime.strptime(until, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).astimezone(tz).date()
        return datetime.strptime(until[:8], "%Y%m%d").date()
    except (ValueError, OverflowError):
        raise _odd(text, f"UNTIL={until} is no day", "UNTIL=20271231") from None


def _odd(text: str, wrong: str, remedy: str) -> Invalid:
    return Invalid(f"the rule {text[:200]}: {wrong}\nMaybe {remedy}.")
