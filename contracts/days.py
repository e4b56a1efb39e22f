"""A day as a whole, in columns: each request with its steps, and what every vendor has posted and booked.

Numbers stand side by side, names once (`states`, `vendors`), so that a day of 10,000 requests fits one page
of a console. Seconds and minutes are elapsed time since the day began: of a day that changes the clock, too.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from contracts.base import Day, Id, Instant, Name, Version, Wire
from contracts.codes import Priority, RequestState, ServiceClass
from contracts.geo import Position
from contracts.paging import Cursor

MOST_REQUESTS = 5_000  # in a page
Seconds = Annotated[int, Meta(description="since the day began; below 0: before it")]
MinutesOfDay = Annotated[int, Meta(description="minutes since the day began; below 0: before it")]
Place = Annotated[int, Meta(ge=-1, description="place in the list of names; -1: none")]
Step = Annotated[tuple[Seconds, Place, Place], Meta(description="when, `states`, `vendors`")]
Asked = Annotated[
    tuple[Place, Seconds, Seconds | None, MinutesOfDay, MinutesOfDay],
    Meta(description="`vendors`, offered, given back or done (none: it has it still), from, to"),
]
Runs = Annotated[tuple[int, ...], Meta(description="a value and how many buckets it holds for, in turns")]


class DayRequestsQuery(Wire):
    """A page of a day's requests, by when their window opens."""

    cursor: Cursor = ""
    limit: Annotated[int, Meta(ge=1, le=MOST_REQUESTS)] = MOST_REQUESTS


class DayRequests(Wire, omit_defaults=False):
    """Requests whose window opens on a day; the columns are as long as `ids`.

    Positions are the centres of squares of about 2 km; none: it has no such door, or cannot be read.
    """

    day: Day
    tz: str
    start: Instant
    end: Instant
    read_at: Instant
    states: tuple[RequestState, ...]
    classes: tuple[ServiceClass, ...]
    priorities: tuple[Priority, ...]
    vendors: tuple[Id, ...] = ()
    ids: tuple[Id, ...] = ()
    versions: tuple[Version, ...] = ()
    is_trip: tuple[bool, ...] = ()
    level: tuple[Place, ...] = ()  # of `classes`
    priority: tuple[Place, ...] = ()  # of `priorities`
    earliest: tuple[MinutesOfDay, ...] = ()
    latest: tuple[MinutesOfDay, ...] = ()
    pickup: tuple[Position | None, ...] = ()
    dropoff: tuple[Position | None, ...] = ()
    risk: tuple[str, ...] = ()  # why it is out of sequence, or may be: as it is now
    steps: tuple[tuple[Step, ...], ...] = ()  # the first is when it was received
    asked: tuple[tuple[Asked, ...], ...] = ()  # every offer, oldest first
    cursor: str = ""  # of the next page; empty on the last


class DayCapacity(Wire, omit_defaults=False):
    """What vendors posted for a day and what is booked of it, a row for each pool; as long as `vendor`.

    Buckets are five minutes of elapsed time; `posted` and `booked` are runs over all of them.
    """

    day: Day
    tz: str
    start: Instant
    end: Instant
    read_at: Instant
    buckets: Annotated[int, Meta(ge=0, description="of five minutes, in this day")]
    vendor: tuple[Id, ...] = ()
    name: tuple[Name, ...] = ()
    takes_work: tuple[bool, ...] = ()  # neither it nor ops has paused it
    pool: tuple[Id, ...] = ()
    serves: tuple[tuple[ServiceClass, ...], ...] = ()
    posted: tuple[Runs, ...] = ()
    booked: tuple[Runs, ...] = ()
    daily_cap: tuple[int, ...] = ()
    daily_booked: tuple[int, ...] = ()
    left_off: Annotated[int, Meta(ge=0, description="postings beyond the bound, not shown")] = 0
