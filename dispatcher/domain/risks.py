"""Why a request is out of sequence, or may be: what goes before it is late, or a ride of its patient."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from contracts.codes import RequestState
from contracts.episodes import SequenceKind
from contracts.instants import MINUTE_MS
from contracts.tuning import Parameter
from dispatcher.domain.apart import linked
from dispatcher.domain.context import Context
from dispatcher.domain.links import EARLY, Bounds, Link, bounds_of, expected, has_begun, span_of
from dispatcher.domain.offers import OfferRecord
from dispatcher.domain.requests import RequestRecord

LEAD = Parameter(
    name="sequence_lead_minutes",
    default=120,
    minimum=5,
    maximum=1_440,
    unit="minutes",
    summary="A dispatch whose predecessor has no vendor this long before its start is a person's task; that "
    "predecessor may have a later place from then on.",
    scope="domain.risks",
)
PARAMETERS = (LEAD,)
R = RequestState
LATE, TOO_LATE = "predecessor_late", "most_lag_exceeded"
NO_VENDOR = "predecessor_without_vendor"
OTHER_LATE = "other_ride_late"  # of the same patient, and nobody linked them
BROKEN = "predecessor_"  # and how it ended: cancelled, failed, no_show, unmatched
UNDER_WAY = frozenset({R.ACCEPTED, R.IN_PROGRESS})
Related = Mapping[str, Any]


class Risk(NamedTuple):
    """Why a request is out of sequence, or may be, and with which other."""

    code: str = ""
    predecessor_id: str = ""


def risk_of(record: RequestRecord, related: Related, context: Context) -> Risk:
    """Why the request is out of sequence, or may be; nothing where it is not."""
    if record.state is R.ON_HOLD:
        broken = [each for each in record.after if each.broken]
        return Risk(BROKEN + broken[0].broken, broken[0].request_id) if broken else Risk()
    if record.state not in UNDER_WAY | {R.COMPLETED}:
        return Risk()
    found = [_risk_of(record, each, related, context) for each in record.after]
    early = [each for each in found if each.code == EARLY]
    if record.risk == EARLY and not early:  # that is not undone by what comes later
        return Risk(EARLY)
    told = next((each for each in (*early, *found) if each.code), Risk())
    return told if told.code else _risk_of_others(record, related, context)


def _risk_of_others(record: RequestRecord, related: Related, context: Context) -> Risk:
    """Whether its passenger is on another ride when it starts: one that is to end before that is late."""
    dispatch = record.dispatch if record.state in UNDER_WAY else None
    if dispatch is None or has_begun(record):
        return Risk()
    for other, taken in earlier_rides(record, dispatch, related):
        end_ms = expected(taken, context.values).end_ms
        if end_ms > dispatch.start_ms or context.now_ms >= dispatch.start_ms:
            return Risk(OTHER_LATE, other.id)
    return Risk()


def earlier_rides(
    record: RequestRecord, dispatch: OfferRecord, related: Related
) -> list[tuple[RequestRecord, OfferRecord]]:
    """Its patient's rides that start before it by what their vendors agreed to, with their dispatches."""
    found = [(each, each.dispatch) for each in other_rides(record, related)]
    return [(each, taken) for each, taken in found if taken and taken.start_ms < dispatch.start_ms]


def _risk_of(record: RequestRecord, link: Link, related: Related, context: Context) -> Risk:
    before, dispatch = related.get(link.request_id), record.dispatch
    is_over = record.state is R.COMPLETED
    if dispatch is None or link.broken:
        return Risk(BROKEN + link.broken, link.request_id) if link.broken and not is_over else Risk()
    if is_over or has_begun(record):
        return Risk() if _came_after(link, before, dispatch) else Risk(EARLY, link.request_id)
    span = span_of(link, before, context.values)
    if span is None:
        soon_ms = dispatch.start_ms - LEAD.whole(context.values) * MINUTE_MS
        return Risk(NO_VENDOR, link.request_id) if context.now_ms >= soon_ms else Risk()
    code = _out_of_time(link, bounds_of(link, span), dispatch, context)
    if not code and _is_missed(link, before, dispatch, context):
        code = LATE
    return Risk(code, link.request_id) if code else Risk()


def _came_after(link: Link, before: RequestRecord | None, dispatch: OfferRecord) -> bool:
    """Whether what has begun did so in sequence; one that was not seen at its door is taken at its word."""
    since_ms = link.done_ms
    if link.waits:
        going = before.dispatch if before is not None and has_begun(before) else None
        if going is None or link.kind is not SequenceKind.START_TO_START:
            return False
        since_ms = going.arrived_ms
    return not 0 < dispatch.arrived_ms < since_ms + link.least_ms


def _out_of_time(link: Link, within: Bounds, dispatch: OfferRecord, context: Context) -> str:
    """Why it would start out of sequence; once what goes before it is done, until it may begin."""
    start_ms = max(dispatch.start_ms, context.now_ms) if link.done_ms else dispatch.start_ms
    if within.not_before_ms is not None and start_ms < within.not_before_ms:
        return LATE
    return "" if within.hold(start_ms) else TOO_LATE


def _is_missed(link: Link, before: RequestRecord | None, dispatch: OfferRecord, context: Context) -> bool:
    """Whether what goes before it should be done by now (or begun), for this to start as agreed."""
    along = link.kind is SequenceKind.START_TO_START and before is not None and has_begun(before)
    return link.waits and not along and context.now_ms >= last_ms(link, dispatch)


def other_rides(record: RequestRecord, related: Related) -> list[RequestRecord]:
    """Its patient's other rides that a vendor has, and that nobody linked to it."""
    found = [related.get(each) for each in record.apart]
    return [
        each
        for each in found
        if isinstance(each, RequestRecord) and each.state in UNDER_WAY and not linked(record, each)
    ]


def last_ms(link: Link, dispatch: OfferRecord) -> int:
    """By when what goes before it has to be done (or begun), or it cannot start as agreed."""
    return dispatch.start_ms - link.least_ms
