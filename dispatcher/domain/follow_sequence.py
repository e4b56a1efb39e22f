"""What follows from a decision for all who stand in sequence with its request.

Who goes after it and has not been offered waits on, or is put on hold where that will not be done; an
unanswered offer that is out of sequence is withdrawn and its request matched again; a dispatch is at risk,
which its vendor is told and which is a task (`follow_up`). What was looked at must still stand as it was read
when this is committed.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from contracts.codes import OfferState, RequestState, Requirement
from contracts.episodes import DispatchAtRisk, SequenceChanged
from contracts.instants import MINUTE_MS
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Change, Decision, Message, Reliance
from dispatcher.domain.kinds import beside
from dispatcher.domain.links import (
    bounds,
    has_begun,
    resolved,
    successors,
)
from dispatcher.domain.messages import changed, closed, withdrawn
from dispatcher.domain.offers import WITHDRAWN, OfferRecord, bookings_of, close
from dispatcher.domain.requests import RequestRecord, moved, offer_id
from dispatcher.domain.retiming import retiming
from dispatcher.domain.risks import (
    LATE,
    LEAD,
    TOO_LATE,
    UNDER_WAY,
    Related,
    earlier_rides,
    last_ms,
    other_rides,
    risk_of,
)
from dispatcher.domain.states import OPEN, TERMINAL
from dispatcher.domain.timers import timer_ms

R = RequestState
BY = "service"


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
    looked_at += [each for each in other_rides(record, related) if each not in looked_at]
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
    if not _waits(after) and not after.before and not after.apart:
        return False
    if before is None or after.state not in OPEN or before.state not in OPEN:
        return True
    return bool((before.offers, before.after, before.before) != (after.offers, after.after, after.before))


def _waits(record: RequestRecord) -> bool:
    """Whether it stands after another, or did so until now; or has a vendor, beside its patient's rides."""
    beside_others = bool(record.apart) and record.state in UNDER_WAY
    return bool(record.after or record.risk or record.watch_ms) or beside_others


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
        return replace(record, risk=risk_of(record, related, context).code, watch_ms=0)
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
    risk = risk_of(after, related, context).code
    after = replace(after, risk=risk, watch_ms=_watch_ms(after, related, context))
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


def _watch_ms(record: RequestRecord, related: Related, context: Context) -> int:
    """When a dispatch that is in a sequence is looked at again; 0: no more.

    Whether all that goes before it has a vendor; whether it is done, at the last moment at which it may be;
    and, once it is, from when and until when this may begin.
    """
    dispatch = record.dispatch if record.state in UNDER_WAY else None
    if dispatch is None or has_begun(record):
        return 0
    moments = [last_ms(each, dispatch) for each in record.after if each.waits]
    moments += [dispatch.start_ms - LEAD.whole(context.values) * MINUTE_MS] if moments else []
    moments += [dispatch.start_ms] if earlier_rides(record, dispatch, related) else []
    for link in (each for each in record.after if each.done_ms):
        moments += [link.done_ms + link.least_ms]
        moments += [link.done_ms + link.most_ms + 1] if link.most_ms is not None else []
    return min((each for each in moments if each > context.now_ms), default=0)


def _news(before: RequestRecord, after: RequestRecord, related: Related, context: Context) -> list[Message]:
    """To platform and ops, and to the vendor that has the work: at risk, or in sequence again."""
    if before.risk == after.risk or (after.state in TERMINAL and not after.risk):
        return []
    what = "at_risk" if after.risk else "restored"
    risk = risk_of(after, related, context)
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
