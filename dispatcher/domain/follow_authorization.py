"""What follows from a decision on a request for its authorization: drawn on, and given back to.

Where there is nothing to draw on at that moment the request is not booked: its offers are closed, and it
waits for a case manager. What was looked at must still stand as it was read when this is committed.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from contracts.codes import OfferState, RequestState, Requirement
from dispatcher.domain.amended_authorization import BY, DRAWS, amended
from dispatcher.domain.authorizations import AUTHORIZATION, amount, lacking, with_running_out
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Change, Decision, Reliance
from dispatcher.domain.drawing import Known, found, is_sought, with_balance, with_needed
from dispatcher.domain.messages import changed, closed
from dispatcher.domain.needed import Needed, as_asked_for, needed_now
from dispatcher.domain.offers import bookings_of, close
from dispatcher.domain.requests import RequestRecord, moved
from dispatcher.domain.states import TERMINAL


def with_authorization(decision: Decision, context: Context) -> Decision:
    """What is booked draws; what cannot, is not booked. Before all that follows from being booked."""
    for change in decision.changes:
        before, after = change.before, change.after
        if not isinstance(before, RequestRecord) or not isinstance(after, RequestRecord):
            continue
        asked = after.authorization
        if asked is not None and after.state in DRAWS and before.state not in DRAWS:
            agreed = after.dispatch.level if after.dispatch else ""
            asked = needed_now(asked, after.kind, agreed or after.service_class)
            decision = _booked(decision, change, after, asked, context)
        elif after.revision > before.revision and _terms(after) != _terms(before):
            decision, without, record = _as_asked_for(decision, change, after)
            decision = amended(decision, without, before, record, context)
    return decision


def _as_asked_for(
    decision: Decision, change: Change, after: RequestRecord
) -> tuple[Decision, Change, RequestRecord]:
    """What its vendor comes with counts no more once that vendor has the work no more."""
    asked = after.authorization
    if asked is None or not asked.agreed or after.state in DRAWS:
        return decision, change, after
    record = replace(after, authorization=as_asked_for(asked))
    instead = Change(change.before, record)
    changes = tuple(instead if each is change else each for each in decision.changes)
    return replace(decision, changes=changes), instead, record


def _terms(record: RequestRecord) -> tuple[Any, ...]:
    """What decides whether it is authorized."""
    return record.authorization, record.earliest_ms, record.latest_ms


def with_given_back(decision: Decision, context: Context) -> Decision:
    """What ended without service gives back, whatever ended it."""
    for change in decision.changes:
        before = change.before
        if isinstance(before, RequestRecord) and before.authorization is not None:
            decision = _followed(decision, change, before, before.authorization, context)
    return with_running_out(decision, context)


def _followed(
    decision: Decision, change: Change, before: RequestRecord, asked: Needed, context: Context
) -> Decision:
    after = change.after
    if not isinstance(after, RequestRecord):
        return (
            with_balance(decision, before.id, asked, context, spent=asked.drawn) if asked.drawn else decision
        )
    if after.authorization is None:  # amended to what needs none
        return with_balance(decision, after.id, asked, context, looks=True) if is_sought(before) else decision
    asked = after.authorization
    if asked.drawn and after.state not in DRAWS:
        decision = with_needed(decision, change, after, as_asked_for(asked))
        return with_balance(decision, after.id, asked, context, used=-asked.drawn)
    if _is_let_go(before, after):
        return with_balance(decision, after.id, before.authorization or asked, context, looks=True)
    return decision


def _is_let_go(before: RequestRecord, after: RequestRecord) -> bool:
    """Whether it was to draw, and is not any more: another may."""
    old, new = before.authorization, after.authorization
    if old is None or new is None or not is_sought(before):
        return False
    return after.state in TERMINAL or new.by_hand or new.authorization != old.authorization


def _booked(
    decision: Decision, change: Change, after: RequestRecord, asked: Needed, context: Context
) -> Decision:
    known = found(decision, asked.authorization, context)
    start_ms = after.dispatch.start_ms if after.dispatch else after.earliest_ms
    why = lacking(known.now if known else None, asked, start_ms, start_ms)
    if why and asked.waived:
        return decision
    if why or known is None:
        record = change.before
        assert isinstance(record, RequestRecord)  # noqa: S101  (what is booked was there)
        decision = _in_place_of(decision, change, held(record, why, known, context))
        return with_balance(decision, after.id, asked, context, looks=True)  # another may cover it
    drawn = amount(known.now, asked)
    decision = with_needed(decision, change, after, replace(asked, drawn=drawn))
    return with_balance(decision, after.id, asked, context, used=drawn)


def held(record: RequestRecord, why: str, known: Known | None, context: Context) -> Decision:
    """Nobody has it, nor is asked for it, and a person is asked for an authorization."""
    service = replace(context, by=BY, subject="")
    live = record.live_offers
    over = [close(each, OfferState.CANCELLED, context.now_ms, why) for each in live]
    offers, requirements = record.offers_with(*over), (*record.requirements, Requirement.AUTHORIZATION)
    asked = record.authorization
    after = moved(
        record,
        RequestState.ON_HOLD,
        service,
        why,
        offers=offers,
        requirements=requirements,
        authorization=None if asked is None else replace(asked, lacks=why),
    )
    return Decision(
        changes=(Change(record, after),),
        unbook=bookings_of(live),
        messages=(*(closed(after, each) for each in over), changed(after, BY, why)),
        relies=(Reliance(AUTHORIZATION, known.stored.id, known.stored.version),) if known else (),
        at_ms=context.now_ms,
    )


def _in_place_of(decision: Decision, change: Change, instead: Decision) -> Decision:
    """The decision with that in place of the request's being booked."""
    return replace(
        decision,
        changes=tuple(instead.changes[0] if each is change else each for each in decision.changes),
        book=(),
        unbook=instead.unbook,
        messages=instead.messages,
        outcomes=(),
        relies=(*decision.relies, *instead.relies),
    )
