"""Standing orders: a request that comes again by a rule (RFC 5545), in the clock time of its market."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from enum import StrEnum
from typing import Annotated

from msgspec import Meta

from contracts.base import Day, Id, Instant, Version, Wire
from contracts.event_types import event
from contracts.geo import Position, WindowView
from contracts.paging import Cursor, PageSize
from contracts.patterns import whole
from contracts.requests import Request, TripRequest
from contracts.streams import To

MAX_EXCEPTIONS = 366
RETURN = "-r"  # what the id of a ride back ends with

OrderId = Annotated[
    str,
    Meta(
        pattern=whole("[A-Za-z0-9_-]{1,53}"),
        description="opaque id of up to 53 letters, digits, _ and -; what is made is called by it, "
        "the day as -YYYYMMDD, and of a ride back -r",
    ),
]
Rule = Annotated[
    str,
    Meta(
        min_length=6,
        max_length=200,
        description="an RFC 5545 RRULE: FREQ=WEEKLY;BYDAY=MO,WE,FR; at most one occurrence a day",
        examples=["FREQ=DAILY;COUNT=5"],
    ),
]
Country = Annotated[str, Meta(pattern=whole("[A-Z]{2}"), description="ISO 3166-1 alpha-2, e.g. US")]
Subdivision = Annotated[
    str, Meta(pattern=whole("[A-Z0-9]{0,3}"), description="ISO 3166-2 without country, e.g. NY")
]
ShiftMinutes = Annotated[int, Meta(ge=-2_880, le=2_880, description="minutes later; negative: sooner")]


class OnHoliday(StrEnum):
    """What becomes of an occurrence that falls on a public holiday."""

    KEEP = "keep"
    SKIP = "skip"
    NEXT = "next_business_day"
    PREVIOUS = "previous_business_day"


class Holidays(Wire):
    """Whose public holidays count, and what happens on them."""

    country: Country
    subdivision: Subdivision = ""
    then: OnHoliday = OnHoliday.SKIP


class Shift(Wire):
    """One occurrence at another time: so much later than the rule has it."""

    day: Day
    minutes: ShiftMinutes


class StandingOrder(Wire):
    """A request that comes again: the first one as you would submit it, called by the order's id, and a rule.

    `return_ride`: the ride back on the same day, called so too; without a patient it is the same one's.
    """

    request: Request
    rule: Rule
    return_ride: TripRequest | None = None
    except_days: Annotated[tuple[Day, ...], Meta(max_length=MAX_EXCEPTIONS)] = ()
    shifts: Annotated[tuple[Shift, ...], Meta(max_length=MAX_EXCEPTIONS)] = ()
    holidays: Holidays | None = None

    def __post_init__(self) -> None:
        """Refuse two shifts of one day, and a ride back from a delivery."""
        days = [each.day for each in self.shifts]
        if len(set(days)) < len(days):
            raise ValueError("shifts name a day twice\nMaybe one of them was meant for another day.")
        if self.request.on_call is not None:
            raise ValueError(
                "request is a will-call, and an order comes at a time\nMaybe only its way back is."
            )
        if self.return_ride is not None and not self.request.is_trip:
            raise ValueError("equipment has no ride back\nMaybe leave return_ride out.")

    def refuse_from_outside(self, pointer: str = "") -> None:
        """Refuse what one of its requests must not say."""
        for name, each in self._asked():
            each.refuse_from_outside(f"{pointer}/{name}")

    def named_doors(self) -> Iterator[tuple[str, Position]]:
        """Those of its requests."""
        for name, each in self._asked():
            for pointer, door in each.named_doors():
                yield f"/{name}{pointer}", door

    def _asked(self) -> Iterator[tuple[str, Request]]:
        yield "request", self.request
        if self.return_ride is not None:
            yield "return_ride", self.return_ride


class StandingOrderState(StrEnum):
    """The life of a standing order."""

    ACTIVE = "active"
    PAUSED = "paused"
    ENDED = "ended"


class Made(Wire):
    """An occurrence whose requests were made: these are changed one by one, by the order no more."""

    day: Day
    request_ids: tuple[Id, ...]


class LeftOut(Wire):
    """An occurrence, or a ride of it, that was not made: `passed`, `holiday`, `possible_duplicate`.

    Any other code says why it was refused: then it is a person's task, `occurrence_missing`.
    """

    day: Day
    code: str
    duplicate_of: tuple[Id, ...] = ()


class Occurrence(Wire):
    """One that is to come: when its service may start, and what its requests will be called."""

    day: Day
    window: WindowView
    request_ids: tuple[Id, ...]


class StandingOrderView(Wire):
    """A standing order as platform and ops read it, without the patient."""

    id: OrderId
    state: StandingOrderState
    version: Version
    order: StandingOrder
    start: Day
    made: tuple[Made, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    next: tuple[Occurrence, ...] = ()


class StandingOrderSummary(Wire):
    """One of a list."""

    id: OrderId
    state: StandingOrderState
    version: Version
    rule: str
    start: Day


class StandingOrderQuery(Wire):
    """Which standing orders to list; by default those that are active or paused."""

    state: StandingOrderState | None = None
    cursor: Cursor = ""
    limit: PageSize = 50


class StandingOrderPage(Wire, omit_defaults=False):
    """Standing orders by when they were first put; `cursor` is empty on the last page."""

    standing_orders: tuple[StandingOrderSummary, ...] = ()
    cursor: str = ""


class SkipOccurrence(Wire):
    """One occurrence is left out."""

    day: Day


@event("dispatch.standing_order.changed", to=To.EVENTS)
class StandingOrderChanged(Wire):
    """A standing order was put, changed, paused, resumed or ended, or has made requests.

    `code` says which; `left_out` of what was due and was not made.
    """

    standing_order_id: OrderId
    state: StandingOrderState
    version: Version
    code: str
    at: Instant
    request_ids: tuple[Id, ...] = ()
    left_out: tuple[LeftOut, ...] = ()


def made_id(order_id: str, day: date, *, back: bool = False) -> str:
    """What the request of a day is called: it follows from order and day, so that none is made twice."""
    return f"{order_id}-{day:%Y%m%d}{RETURN if back else ''}"
