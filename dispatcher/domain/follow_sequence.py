"""What follows from a decision for all who stand in sequence with its request.

Who goes after it and has not been offered waits on, or is put on hold where that will not be done; an
unanswered offer that is out of sequence is withdrawn and its request matched again; a dispatch is at risk,
which its vendor is told and which is a task (`follow_up`). What was looked at must still stand as it was read
when this is committed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from msgspec.structs import replace

from contracts.codes import OfferState, RequestState, Requirement
from contracts.episodes import DispatchAtRisk, SequenceChanged, SequenceKind
from contracts.instants import MINUTE_MS
from contracts.tuning import Parameter
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Change, Decision, Message, Reliance
from dispatcher.domain.kinds import beside
from dispatcher.domain.links import (
    EARLY,
    Bounds,
    Link,
    bounds,
    bounds_of,
    has_begun,
    resolved,
    span_of,
    successors,
)
from dispatcher.domain.messages import changed, closed, withdrawn
from dispatcher.domain.offers import WITHDRAWN, OfferRecord, bookings_of, close
from dispatcher.domain.requests import RequestRecord, moved, offer_id
from dispatcher.domain.retiming import retiming
from dispatcher.domain.states import OPEN, TERMINAL
from dispatcher.domain.timers import timer_ms

LEAD = Parameter(
    name="sequence_lead_minutes",
    default=120,
    minimum=5,
    maximum=1_440,
    unit="minutes",
    summary="A dispatch whose predecessor has no vendor this long before its start is a person's task; that "
    "predecessor may have a later place from then on.",
    scope="domain.follow_sequence",
)
PARAMETERS = (LEAD,)
R = RequestState
LATE, TOO_LATE = "predecessor_late", "most_lag_exceeded"
NO_VENDOR = "predecessor_without_vendor"
BROKEN = "predecessor_"  # and how it ended: cancelled, failed, no_show, unmatched
UNDER_WAY = frozenset({R.ACCEPTED, R.IN_PROGRESS})
BY = "service"
Related = Mapping[str, Any]


class Risk(NamedTuple):
    """Why a request is out of sequence, or may be, and with which other."""

    code: str = ""
    predecessor_id: str = ""


def with_sequence(decision: Decision, context: Context) -> Decision:
    """The decision with all that follows in sequence; as it is where nobody stands in one."""
    for change in decision.changes:
        if isinstance(change.after, RequestRecord) and _matters(change.before, change.after):
            decision = _followed(decision, change, context)
    return decision


def _followed(decision: Decision, change: Change, context: Context) -> Decision:
    related = {**context.related, **{beside(each.record): each.after for each in decision.changes}}
    record = related[change.record.id]
    had_ended = change.before is not None and change.before.state in TERMINAL  # type: ignore[attr-defined]
    looked_at = [record] if _waits(record) and not had_ended else []
    looked_at += [other for other, _ in successors(record, related)]
    service = replace(context, by=BY, subject="")
    for each in looked_at:
        decision = _standing(decision, each, related, service)
        names = (each.id, *(link.request_id for link in each.after if link.waits))
        others = [context.related[name] for name in names if name in context.related]
        relies = tuple(Reliance("request", other.id, other.version) for other in others)
        decision = replace(decision, relies=tuple(dict.fromkeys((*decision.relies, *relies))))
    return decision


def _matters(before: Any, after: RequestRecord) -> bool:
    """Whether the sequence may stand otherwise than before: reasons why there is no vendor change nothing."""
    if not _waits(after) and not after.before:
        return False
    if before is None or after.state not in OPEN or before.state not in OPEN:
        return True
    return bool((before.offers, before.after, before.before) != (after.offers, after.after, after.before))


def _waits(record: RequestRecord) -> bool:
    """Whether it stands after another, or did so until now."""
    return bool(record.after or record.risk or record.watch_ms)


def _standing(decision: Decision, record: RequestRecord, related: Related, context: Context) -> Decision:
    """With one request as it stands in its sequence now."""
    after = stands(record, related, context)
    if after == record:
        return decision
    own = next((each for each in decision.changes if beside(each.record) == record.id), None)
    after = replace(after, version=record.version + (own is None))
    if after.state not in TERMINAL:
        after = replace(after, timer_ms=timer_ms(after, context.now_ms, context.values))
    changes = [Change(own.before, after) if each is own and own else each for each in decision.changes]
    changes += [] if own else [Change(record, after)]
    told_off = record.pending if record.pending is not None and after.pending is None else None
    freed = [each for each in record.live_offers if not _offer(after, each.attempt).live]
    told = [closed(after, _offer(after, each.attempt)) for each in freed]
    told += withdrawn(after, after.amendments[-1]) if told_off is not None else []
    told += [changed(after, BY, after.history[-1].code)] if after.history != record.history else []
    return replace(
        decision,
        changes=tuple(changes),
        unbook=(*decision.unbook, *bookings_of(freed)),
        messages=(*decision.messages, *told, *_news(record, after, related, context)),
    )


def _offer(record: RequestRecord, attempt: int) -> OfferRecord:
    return next(each for each in record.offers if each.attempt == attempt)


def stands(record: RequestRecord, related: Related, context: Context) -> RequestRecord:
    """The request as it stands in its sequence; the very same where nothing is new."""
    if record.state in TERMINAL:
        return replace(record, risk=_risk(record, related, context).code, watch_ms=0)
    links = tuple(resolved(each, related.get(each.request_id)) for each in record.after)
    is_free = links != record.after and all(each.done_ms for each in links)
    after = replace(record, after=links)
    silent = record.accepted_by_silence(context.now_ms) is not None
    if after.state is R.OFFERED and not silent:
        after = _in_time(after, related, context)
    if any(each.broken for each in links):
        after = _held(after, context)
    elif is_free and Requirement.PREDECESSOR in after.requirements:
        after = _freed(after, context)
    after = replace(after, risk=_risk(after, related, context).code, watch_ms=_watch_ms(after, context))
    return retiming(after, related, context, is_late=after.risk in (LATE, TOO_LATE))


def _in_time(record: RequestRecord, related: Related, context: Context) -> RequestRecord:
    """Without unanswered offers that start out of sequence; with all while what goes before has no vendor."""
    is_broken = any(each.broken for each in record.after)
    within = bounds(record, related, context.values)
    out = [
        each
        for each in record.live_offers
        if is_broken or (within is not None and not within.hold(each.start_ms))
    ]
    if not out:
        return record
    over = [close(each, OfferState.CANCELLED, context.now_ms, WITHDRAWN) for each in out]
    offers = record.offers_with(*over)
    if is_broken:
        return _on_hold(record, context, offers=offers)
    state = R.OFFERED if len(over) < len(record.live_offers) else R.MATCHING
    return moved(record, state, context, WITHDRAWN, offers=offers)


def _held(record: RequestRecord, context: Context) -> RequestRecord:
    """Nobody is asked for what comes after something that will not be done, until a person says so."""
    if record.state not in OPEN | {R.ON_HOLD} or Requirement.PREDECESSOR in record.requirements:
        return record
    return _on_hold(record, context)


def _on_hold(record: RequestRecord, context: Context, **changes: Any) -> RequestRecord:
    wanted = Requirement.PREDECESSOR
    requirements = (*record.requirements, wanted)
    return moved(record, R.ON_HOLD, context, wanted.value, requirements=requirements, **changes)


def _freed(record: RequestRecord, context: Context) -> RequestRecord:
    """What went before it is done."""
    code = Requirement.PREDECESSOR.value
    left = tuple(each for each in record.requirements if each is not Requirement.PREDECESSOR)
    if left:
        return moved(record, R.ON_HOLD, context, f"{code}_lifted", requirements=left)
    return moved(record, R.RECEIVED, context, code, requirements=())


def _watch_ms(record: RequestRecord, context: Context) -> int:
    """When a dispatch that is in a sequence is looked at again; 0: no more.

    Whether all that goes before it has a vendor; whether it is done, at the last moment at which it may be;
    and, once it is, from when and until when this may begin.
    """
    dispatch = record.dispatch if record.state in UNDER_WAY else None
    if dispatch is None or has_begun(record):
        return 0
    moments = [_last_ms(each, dispatch) for each in record.after if each.waits]
    moments += [dispatch.start_ms - LEAD.whole(context.values) * MINUTE_MS] if moments else []
    for link in (each for each in record.after if each.done_ms):
        moments += [link.done_ms + link.least_ms]
        moments += [link.done_ms + link.most_ms + 1] if link.most_ms is not None else []
    return min((each for each in moments if each > context.now_ms), default=0)


def _last_ms(link: Link, dispatch: OfferRecord) -> int:
    """By when what goes before it has to be done (or begun), or it cannot start as agreed."""
    return dispatch.start_ms - link.least_ms


def _risk(record: RequestRecord, related: Related, context: Context) -> Risk:
    if record.state is R.ON_HOLD:
        broken = [each for each in record.after if each.broken]
        return Risk(BROKEN + broken[0].broken, broken[0].request_id) if broken else Risk()
    if record.state not in UNDER_WAY | {R.COMPLETED}:
        return Risk()
    found = [_risk_of(record, each, related, context) for each in record.after]
    early = [each for each in found if each.code == EARLY]
    if record.risk == EARLY and not early:  # that is not undone by what comes later
        return Risk(EARLY)
    return next((each for each in (*early, *found) if each.code), Risk())


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
    return link.waits and not along and context.now_ms >= _last_ms(link, dispatch)


def _news(before: RequestRecord, after: RequestRecord, related: Related, context: Context) -> list[Message]:
    """To platform and ops, and to the vendor that has the work: at risk, or in sequence again."""
    if before.risk == after.risk or (after.state in TERMINAL and not after.risk):
        return []
    what = "at_risk" if after.risk else "restored"
    risk = _risk(after, related, context)
    news = SequenceChanged(
        request_id=after.id, predecessor_id=risk.predecessor_id, code=after.risk or before.risk
    )
    told = [Message(type=f"dispatch.sequence.{what}", subject=after.id, data=news)]
    dispatch = after.dispatch
    if dispatch is not None and after.state in UNDER_WAY:
        name = offer_id(after, dispatch)
        data = DispatchAtRisk(offer_id=name, code=after.risk or before.risk)
        told.append(
            Message(type=f"dispatch.dispatch.{what}", subject=name, data=data, vendor_id=dispatch.vendor_id)
        )
    return told
