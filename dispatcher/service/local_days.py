"""A market's day as a span of time: it has 23, 24 or 25 hours."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from contracts.base import FIRST_YEAR, LAST_YEAR
from contracts.instants import to_ms


def span_ms(day: date, tz: ZoneInfo) -> tuple[int, int]:
    """From its midnight to the next; of a day that no window of ours can be on, nothing."""
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        return 0, 0
    return _midnight_ms(day, tz), _midnight_ms(day + timedelta(days=1), tz)


def _midnight_ms(day: date, tz: ZoneInfo) -> int:
    """When a local day begins; where its clock leaves midnight out, the moment at which it does."""
    return to_ms(datetime(day.year, day.month, day.day, tzinfo=tz))
