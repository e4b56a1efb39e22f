"""What a day is made of: vendors, their capacity, and what the platform asks for and when."""

from __future__ import annotations

import dataclasses
import datetime as dt
import random
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from zoneinfo import ZoneInfo

from contracts.geo import Window
from contracts.instants import MINUTE_MS, to_instant, to_ms
from contracts.pools import Pools
from contracts.requests import MAX_BATCH, Request
from contracts.tuning import Number
from contracts.vendors import Vendor
from simulation.episodes import Episode

DATE = dt.date(2026, 9, 16)  # a Wednesday without a change of clocks; a day may be played on another
EVENING_MINUTE = -180  # advance bookings come from 21:00 of the evening before …
EVENING_LENGTH_MINUTES = 150  # … until 23:30
SAME_DAY_LEAD_MINUTES = (45, 180)
RIDE_MINUTES = 60  # who has an appointment also allows for the ride


class Reach(StrEnum):
    """How a vendor hears of its offers; all but who is on Redis answer over HTTP."""

    SSE = "sse"  # a program that follows server-sent events
    REDIS = "redis"  # a consumer group on its own stream; replies on another
    WEBHOOK = "webhook"  # its server is called
    PHONE = "phone"  # a person with the page in hand


@dataclasses.dataclass(frozen=True)
class Submission:
    """What the platform sends in one call, and when."""

    at_ms: int
    requests: tuple[Request, ...]


@dataclasses.dataclass(frozen=True)
class Day:
    """A day of one market. Instants are milliseconds since the epoch."""

    name: str
    market: str
    tz: ZoneInfo
    vendors: tuple[Vendor, ...]
    capacity: Mapping[tuple[str, dt.date], Pools]
    submissions: tuple[Submission, ...]
    cancel_share: float = 0.0
    takes_s: float = 110.0  # real time for the whole day, unless told otherwise
    tuning: Mapping[str, Number] = dataclasses.field(default_factory=dict)  # what ops sets before it begins
    date: dt.date = DATE
    episodes: tuple[Episode, ...] = ()  # what belongs together, beside the single requests
    reached: tuple[Reach, ...] = (Reach.SSE, Reach.REDIS)  # its vendors, in turn
    counter_share: float = 0.0  # of the offers that a vendor would take: it would rather do them otherwise
    proves: bool = False  # whether its vendors prove what they have done

    @property
    def start_ms(self) -> int:
        """A quarter of an hour before the first submission."""
        first_ms = min([self.submissions[0].at_ms, *(each.at_ms for each in self.episodes)])
        return first_ms - 15 * MINUTE_MS

    @property
    def end_ms(self) -> int:
        """When the last ride has had time to end: 02:00 of the day after."""
        return at(self.tz, 26 * 60, self.date)

    @property
    def requests(self) -> list[Request]:
        """All requests of the day; a will-call as it is called if its patient is in time."""
        single = [request for submission in self.submissions for request in submission.requests]
        return single + [request for episode in self.episodes for request in episode.as_called]


def at(tz: ZoneInfo, minute: float, date: dt.date = DATE) -> int:
    """When the clock shows so many minutes of the day; may be negative, or past the day's end."""
    midnight = dt.datetime.combine(
        date, dt.time(), tz
    )  # adding to it moves its clock, whatever an hour lasts
    return to_ms(midnight + dt.timedelta(minutes=minute))


def instant(at_ms: int, tz: dt.tzinfo) -> dt.datetime:
    """As the wire wants it."""
    return to_instant(at_ms).astimezone(tz)


def around(wanted_ms: int, minutes: int, tz: dt.tzinfo) -> Window:
    """From so many minutes before to so many after."""
    span_ms = minutes * MINUTE_MS
    return Window(earliest=instant(wanted_ms - span_ms, tz), latest=instant(wanted_ms + span_ms, tz))


def wanted_ms(request: Request) -> int:
    """When the work is wanted: the middle of its window, or the appointment."""
    window = request.wished_window
    if window is not None:
        return (to_ms(window.earliest) + to_ms(window.latest)) // 2
    assert request.arrive_by is not None  # noqa: S101 - the contract
    return to_ms(request.arrive_by)


def booked(
    requests: Iterable[Request],
    tz: ZoneInfo,
    advance_share: float,
    rng: random.Random,
    date: dt.date = DATE,
) -> tuple[Submission, ...]:
    """Most is booked the evening before, in a few large calls; the rest singly, 45 to 180 minutes ahead."""
    advance, later = [], []
    for request in requests:
        lead_minutes = rng.randint(*SAME_DAY_LEAD_MINUTES)
        if request.arrive_by is not None:
            lead_minutes += RIDE_MINUTES
        asked_ms = wanted_ms(request) - lead_minutes * MINUTE_MS
        if rng.random() < advance_share or asked_ms < at(tz, 0, date):
            advance.append(request)
        else:
            later.append(Submission(asked_ms, (request,)))
    rng.shuffle(advance)
    return tuple(sorted(_evening(advance, tz, date) + later, key=lambda each: each.at_ms))


def _evening(requests: Sequence[Request], tz: ZoneInfo, date: dt.date) -> list[Submission]:
    calls = max(4, -(-len(requests) // MAX_BATCH))
    size = -(-len(requests) // calls)
    step = EVENING_LENGTH_MINUTES / calls
    return [
        Submission(
            at(tz, EVENING_MINUTE + number * step, date), tuple(requests[number * size : (number + 1) * size])
        )
        for number in range(calls)
        if requests[number * size : (number + 1) * size]
    ]
