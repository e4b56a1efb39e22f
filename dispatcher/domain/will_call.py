"""Will-calls: until when one may be called, which window it has then, and how such calls fell before."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import NamedTuple
from zoneinfo import ZoneInfo

from contracts.instants import MINUTE_MS, to_instant, to_ms
from contracts.local_day import DAY_MINUTES, LocalDay
from contracts.tuning import Number, Parameter
from contracts.will_call import WillCall
from dispatcher.domain.windows import StartWindow

EVENING = Parameter(
    name="will_call_evening_hour",
    default=18,
    minimum=0,
    maximum=23,
    unit="o'clock",
    summary="A will-call that nobody has called by this local hour of its day is a task.",
    scope="domain.will_call",
)
MINUTES = Parameter(
    name="will_call_minutes",
    default=60,
    minimum=5,
    maximum=480,
    unit="minutes",
    summary="A will-call is picked up within this from when the passenger is ready.",
    scope="domain.will_call",
)
PARAMETERS = (EVENING, MINUTES)
NOT_CALLED = "not_called"  # the code of the step in the history of one that nobody has called
SATURDAY = 5  # of `date.weekday`
HOUR_MIN = 60


class DayKind(StrEnum):
    """Days on which calls fall alike."""

    WEEKDAY = "weekday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"

    @classmethod
    def of(cls, day: date) -> DayKind:
        """The kind of a local day."""
        return (
            (cls.SATURDAY, cls.SUNDAY)[day.weekday() - SATURDAY] if day.weekday() >= SATURDAY else cls.WEEKDAY
        )


class Called(NamedTuple):
    """One call, as it is counted: `month` is yyyy-mm (UTC), so that old ones can be left out."""

    month: str
    kind: DayKind
    hour: int  # on the clock, of when the passenger is ready


class CallSpan(NamedTuple):
    """When a will-call may be called, and when a person is asked about it; in ms, the end excluded."""

    opens_ms: int
    evening_ms: int
    until_ms: int


def call_span(asked: WillCall, tz: ZoneInfo, values: Mapping[str, Number]) -> CallSpan:
    """From the first instant of its day to `until`; the evening is the clock's, at the latest `until`."""
    day = LocalDay.of(asked.day, tz)
    until_ms = day.end_ms if asked.until is None else to_ms(asked.until)
    evening = day.instants(EVENING.whole(values) * HOUR_MIN, DAY_MINUTES)  # empty: its clock skips that hour
    return CallSpan(day.start_ms, min(evening[0][0] if evening else day.end_ms, until_ms), until_ms)


def called_window(ready_ms: int, values: Mapping[str, Number]) -> StartWindow:
    """The window of one that is called."""
    return StartWindow(ready_ms, ready_ms + MINUTES.whole(values) * MINUTE_MS)


def call_of(ready_ms: int, tz: ZoneInfo) -> Called:
    """What is counted of a call."""
    local = to_instant(ready_ms).astimezone(tz)
    return Called(f"{to_instant(ready_ms):%Y-%m}", DayKind.of(local.date()), local.hour)
