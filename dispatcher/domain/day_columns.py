"""A request as a row of its day: where, when, its offers, and each step with the vendor that had it then."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from contracts.codes import Priority, RequestState, ServiceClass
from contracts.geo import Position
from contracts.instants import MINUTE_MS
from contracts.ledger import LEDGER_BUCKET_MINUTES
from contracts.local_day import LocalDay
from contracts.requests import Request
from dispatcher.domain.coarse_position import coarse_position
from dispatcher.domain.offers import OfferRecord
from dispatcher.domain.requests import RequestRecord, Transition

STATES, CLASSES, PRIORITIES = tuple(RequestState), tuple(ServiceClass), tuple(Priority)
WITH_VENDOR = frozenset(RequestState) - {
    RequestState.RECEIVED,
    RequestState.MATCHING,
    RequestState.ON_HOLD,
    RequestState.UNMATCHED,
    RequestState.CANCELLED,
}
SECOND_MS, BUCKET_MS = 1_000, LEDGER_BUCKET_MINUTES * MINUTE_MS


class Body(NamedTuple):
    """What a row needs of a request's body: small, so that it can be kept. Never a door."""

    priority: Priority
    pickup: Position | None
    dropoff: Position | None

    @classmethod
    def of(cls, request: Request) -> Body:
        """Where it starts and, for a ride, ends: the squares of about 2 km."""
        start, end = request.doors
        return cls(request.priority, coarse_position(start), coarse_position(end) if end else None)


UNREAD = Body(Priority.ROUTINE, None, None)  # of a body that cannot be read


class Names:
    """Ids by their place, in the order in which they were met."""

    def __init__(self) -> None:
        self._places: dict[str, int] = {}

    def place(self, name: str) -> int:
        """Where it stands; -1 for no name."""
        return self._places.setdefault(name, len(self._places)) if name else -1

    def all(self) -> tuple[str, ...]:
        """In order."""
        return tuple(self._places)


def steps_of(record: RequestRecord) -> tuple[tuple[int, RequestState, str], ...]:
    """When (ms), to which state, whose it was then; the first is when it came in.

    Of a long history the oldest steps are gone (`HISTORY_LIMIT`): then its second step is a later one.
    """
    steps = [(each.at_ms, each.state, _vendor_at(record, each)) for each in record.history]
    if not steps or steps[0][0] > record.received_ms:
        steps.insert(0, (record.received_ms, RequestState.RECEIVED, ""))
    return tuple(steps)


def _vendor_at(record: RequestRecord, step: Transition) -> str:
    """Of the offers made by then and not closed before it, the latest."""
    if step.state not in WITH_VENDOR:
        return ""
    had = [
        each
        for each in record.offers
        if each.made_ms <= step.at_ms and (not each.closed_ms or each.closed_ms >= step.at_ms)
    ]
    return had[-1].vendor_id if had else ""


def columns(rows: Sequence[tuple[Any, ...]]) -> dict[str, tuple[Any, ...]]:
    """Rows as the columns of `contracts.days.DayRequests`."""
    return dict(zip(_COLUMNS, zip(*rows, strict=True), strict=True)) if rows else {}


_COLUMNS = (
    "ids",
    "versions",
    "is_trip",
    "level",
    "priority",
    "earliest",
    "latest",
    "pickup",
    "dropoff",
    "risk",
    "steps",
    "asked",
)


def row_of(record: RequestRecord, body: Body, day: LocalDay, names: Names) -> tuple[Any, ...]:
    """One request of a day."""
    place, start_ms = names.place, day.start_ms

    def second(at_ms: int) -> int:
        return (at_ms - start_ms) // SECOND_MS

    def minute(at_ms: int) -> int:
        return (at_ms - start_ms) // MINUTE_MS

    priority = max(record.priority, body.priority, key=lambda each: each.rank)
    return (
        record.id,
        record.version,
        record.kind == "trip",
        _class_at(record.service_class),
        PRIORITIES.index(priority),
        minute(record.earliest_ms),
        minute(record.latest_ms),
        body.pickup,
        body.dropoff,
        record.risk,
        tuple(
            (second(at_ms), STATES.index(state), place(vendor)) for at_ms, state, vendor in steps_of(record)
        ),
        tuple(
            (
                place(each.vendor_id),
                second(each.made_ms),
                second(each.closed_ms) if each.closed_ms else None,
                *_span(each, day),
            )
            for each in record.offers
        ),
    )


def _span(offer: OfferRecord, day: LocalDay) -> tuple[int, int]:
    """Minutes of the day that it takes of its vendor: as booked, the way back included.

    Of one that was given back only the work itself is known.
    """
    buckets = (day.end_ms - day.start_ms) // BUCKET_MS
    spans = [
        (each.first + later, each.first + each.count + later)
        for each in offer.bookings
        for later in [0 if each.day == day.day.isoformat() else buckets]
    ]
    if not spans:
        return (offer.start_ms - day.start_ms) // MINUTE_MS, (offer.end_ms - day.start_ms) // MINUTE_MS
    first, end = min(begin for begin, _ in spans), max(end for _, end in spans)
    return first * LEDGER_BUCKET_MINUTES, end * LEDGER_BUCKET_MINUTES


def _class_at(service_class: str) -> int:
    """-1 for one that is not known here: a newer version's, or none."""
    return next((nth for nth, each in enumerate(CLASSES) if each.value == service_class), -1)
