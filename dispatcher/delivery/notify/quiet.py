"""Quiet hours: on the clock of who is told, on every day of the year. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from contracts.instants import to_instant, to_ms
from contracts.tuning import Number, Parameter

FROM = Parameter(
    name="notify_quiet_from_hour",
    default=21,
    minimum=0,
    maximum=23,
    unit="hour",
    summary="From this hour of their own clock patients are told nothing; the hour of its end: no quiet.",
    scope="delivery.notify.quiet",
)
UNTIL = Parameter(
    name="notify_quiet_until_hour",
    default=8,
    minimum=0,
    maximum=23,
    unit="hour",
    summary="Until this hour.",
    scope="delivery.notify.quiet",
)
PARAMETERS = (FROM, UNTIL)


def quiet_until_ms(now_ms: int, tz: ZoneInfo, values: Mapping[str, Number]) -> int | None:
    """When the quiet that is now ends; None: it is not quiet. At an hour that the clock has not: after."""
    begin, end = FROM.whole(values), UNTIL.whole(values)
    local = to_instant(now_ms).astimezone(tz)
    spans_midnight = begin > end
    quiet = local.hour >= begin or local.hour < end if spans_midnight else begin <= local.hour < end
    if not quiet:
        return None
    day = local.date() + timedelta(days=spans_midnight and local.hour >= begin)
    return to_ms(datetime(day.year, day.month, day.day, end, tzinfo=tz))
