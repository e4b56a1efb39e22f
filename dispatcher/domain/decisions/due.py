"""The timer of a request: what silence means in each state."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec.structs import replace

from contracts.codes import OfferState, RequestState, TrackingStatus
from contracts.tuning import Number
from contracts.unmatched import RuleCount, Unmatched
from dispatcher.domain.deadlines import OVERDUE_LIMIT, forget_at, overdue_at
from dispatcher.domain.decision import Decision
from dispatcher.domain.decisions.accept import booked
from dispatcher.domain.decisions.decline import given_back
from dispatcher.domain.decisions.offer import exhausted
from dispatcher.domain.decisions.report import ended
from dispatcher.domain.instants import to_instant
from dispatcher.domain.messages import changed, unmatched
from dispatcher.domain.record import RequestRecord
from dispatcher.domain.states import REQUEST_STATES
from dispatcher.domain.transitions import step

BY = "timer"
Values = Mapping[str, Number]


def due(record: RequestRecord, now_ms: int, values: Values) -> Decision | None:
    """What happens when nothing happened; None when the timer is not due."""
    if record.timer_ms > now_ms:
        return None
    return _WAITED_FOR[REQUEST_STATES[record.state].timer](record, now_ms, values)


def _offer_expires(record: RequestRecord, now_ms: int, values: Values) -> Decision:
    """Silence accepts an assumed offer; any other is matched again without its vendor."""
    if record.offer is not None and record.offer.assumed:
        return booked(record, now_ms, values, by=BY)
    return given_back(record, OfferState.EXPIRED, now_ms, by=BY, code="expired")


def _match_by(record: RequestRecord, now_ms: int, values: Values) -> Decision:
    """The deadline: unmatched, with the last known reasons."""
    reasons = _reasons(record, now_ms, values)
    forget_ms = forget_at(None, now_ms, values)
    after = step(
        record,
        RequestState.UNMATCHED,
        now_ms,
        BY,
        reasons.last_rule,
        timer_ms=forget_ms,
        unmatched=reasons,
    )
    messages = (unmatched(after, reasons), changed(after, BY, reasons.last_rule))
    return Decision(before=record, after=after, messages=messages)


def _reasons(record: RequestRecord, now_ms: int, values: Values) -> Unmatched:
    """On booking; what the matcher said last; what the offers say; that nobody had looked in time."""
    asked = len(record.declined_by)
    if record.state is RequestState.ON_HOLD:
        rule = RequestState.ON_HOLD.value
    elif exhausted(record, values):
        rule = "max_attempts"
    elif record.unmatched is not None:
        return record.unmatched
    else:
        rule = "declined" if asked else "match_by"
    known = record.unmatched or Unmatched(vendors=asked, explained_at=to_instant(now_ms))
    removed = known.removed or ((RuleCount(rule="declined", vendors=asked),) if asked else ())
    return replace(known, removed=removed, last_rule=rule)


def _overdue(record: RequestRecord, now_ms: int, values: Values) -> Decision:
    """No report: ops hears it, again and again; at last the dispatch counts as failed."""
    if record.overdue >= OVERDUE_LIMIT.whole(values):
        return ended(record, TrackingStatus.FAILED, now_ms, values, by=BY, code="overdue")
    after = replace(
        record,
        version=record.version + 1,
        overdue=record.overdue + 1,
        timer_ms=overdue_at(now_ms, now_ms, values),
    )
    news = changed(after, BY, "overdue", event="overdue")
    return Decision(before=record, after=after, messages=(news,), at_ms=now_ms)


def _forget(record: RequestRecord, now_ms: int, values: Values) -> Decision:
    """Retention is over: the store deletes the request, and the day it was booked on is given back."""
    held = tuple(booking for offer in record.offers for booking in offer.bookings)
    after = replace(record, version=record.version + 1)
    return Decision(before=record, after=after, unbook=held, forget=True)


_WAITED_FOR: Mapping[str, Callable[[RequestRecord, int, Values], Decision]] = {
    "match_by": _match_by,
    "offer_expires": _offer_expires,
    "overdue": _overdue,
    "forget": _forget,
}
