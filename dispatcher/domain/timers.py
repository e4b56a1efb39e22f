"""When a request's timer fires: it follows from its state's row of the table and its live offers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from contracts.instants import HOUR_MS, MINUTE_MS
from contracts.tuning import Number, Parameter
from dispatcher.domain.states import REQUEST_STATES

if TYPE_CHECKING:
    from dispatcher.domain.requests import RequestRecord  # which asks us for its timer

OVERDUE = Parameter(
    name="overdue_minutes",
    default=20,
    minimum=1,
    maximum=480,
    unit="minutes",
    summary="Without a report this long after the start (or the end) of service, a dispatch is overdue.",
    scope="domain.timers",
)
OVERDUE_LIMIT = Parameter(
    name="overdue_limit",
    default=6,
    minimum=0,
    maximum=48,
    unit="reminders",
    summary="How often ops is told that a dispatch is overdue before it counts as failed.",
    scope="domain.timers",
)
RETENTION = Parameter(
    name="retention_hours",
    default=72,
    minimum=24,
    maximum=8_760,
    unit="hours",
    summary="How long a request that has ended can be read before it is deleted.",
    scope="domain.timers",
)
PARAMETERS = (OVERDUE, OVERDUE_LIMIT, RETENTION)
Values = Mapping[str, Number]


def timer_ms(record: RequestRecord, now_ms: int, values: Values) -> int:
    """When something happens if nobody does anything, in ms since the epoch; every state has a timer."""
    return _TIMERS[REQUEST_STATES[record.state].timer](record, now_ms, values)


def _match_by(record: RequestRecord, now_ms: int, values: Values) -> int:
    """The deadline for finding a vendor; before that, when a person is asked about a will-call."""
    return min(record.call_by_ms or record.match_by_ms, record.match_by_ms)


def _offer_expires(record: RequestRecord, now_ms: int, values: Values) -> int:
    """The first of the offers that are out for an answer, or the end of a broadcast's collecting."""
    first_ms = min(offer.expires_ms for offer in record.offers if offer.unanswered)
    return min(first_ms, record.collect_ms or first_ms)


def _overdue(record: RequestRecord, now_ms: int, values: Values) -> int:
    """The next report: of the start, or once the work is under way of its end; after a miss, from now on.

    Before that, whether all that goes before it stands (`follow_sequence`); where its vendor is to be asked
    for another start, that; and where it has an amendment to answer, the end of that.
    """
    dispatch = record.dispatch
    assert dispatch is not None  # noqa: S101  (work that was accepted is an offer)
    expected_ms = dispatch.end_ms if dispatch.status else dispatch.start_ms
    overdue_ms = max(expected_ms, now_ms) + OVERDUE.whole(values) * MINUTE_MS
    answer_ms = record.pending.expires_ms if record.pending else overdue_ms
    return min(overdue_ms, answer_ms, record.watch_ms or overdue_ms, record.retime_ms or overdue_ms)


def _forget(record: RequestRecord, now_ms: int, values: Values) -> int:
    """After retention, counted from now or from the end of the service that was booked, if that is later."""
    booked_ms = max((offer.end_ms for offer in record.offers if offer.bookings), default=0)
    return max(now_ms, booked_ms) + RETENTION.whole(values) * HOUR_MS


_TIMERS: Mapping[str, Callable[[RequestRecord, int, Values], int]] = {
    "match_by": _match_by,
    "offer_expires": _offer_expires,
    "overdue": _overdue,
    "forget": _forget,
}
