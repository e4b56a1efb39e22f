"""What follows from a decision on a request for its authorization: drawn on, and given back to.

Where there is nothing to draw on at that moment the request is not booked: its offers are closed, and it
waits for a case manager. What was looked at must still stand as it was read when this is committed.
"""

from __future__ import annotations

from typing import NamedTuple

from msgspec.structs import replace

from contracts.codes import OfferState, RequestState, Requirement
from dispatcher.domain.authorizations import (
    AUTHORIZATION,
    AuthorizationRecord,
    amount,
    lacking,
    moved_on,
    record_id,
    told,
    with_running_out,
)
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Change, Decision, Reliance
from dispatcher.domain.messages import changed, closed
from dispatcher.domain.needed import REQUIRED, Needed, needed_now
from dispatcher.domain.offers import bookings_of, close
from dispatcher.domain.requests import HISTORY_LIMIT, RequestRecord, moved, step
from dispatcher.domain.states import OPEN, TERMINAL

DRAWS = frozenset({RequestState.ACCEPTED, RequestState.IN_PROGRESS, RequestState.COMPLETED})
BY = "service"


class _Known(NamedTuple):
    """An authorization: as it is stored, and with what this decision has changed of it already."""

    stored: AuthorizationRecord
    now: AuthorizationRecord


def with_authorization(decision: Decision, context: Context) -> Decision:
    """What is booked draws; what cannot, is not booked. Before all that follows from being booked."""
    for change in decision.changes:
        before, after = change.before, change.after
        if not isinstance(before, RequestRecord) or not isinstance(after, RequestRecord):
            continue
        asked = after.authorization
        if asked is not None and after.state in DRAWS and before.state not in DRAWS:
            asked = needed_now(asked, after.kind, after.service_class)
            decision = _booked(decision, change, after, asked, context)
        elif asked is None and _needs_one_now(before, after, context):
            decision = _asked_anew(decision, change, after, context)
    return decision


def _needs_one_now(before: RequestRecord, after: RequestRecord, context: Context) -> bool:
    """Whether it became other work, which nobody has yet and which tuning says needs one."""
    is_other = after.service_class not in ("", before.service_class)
    return is_other and after.state in OPEN and bool(REQUIRED[after.service_class].whole(context.values))


def _asked_anew(decision: Decision, change: Change, after: RequestRecord, context: Context) -> Decision:
    """On hold in the same commit."""
    wanted = Requirement.AUTHORIZATION
    made = step(RequestState.ON_HOLD, replace(context, by=BY, subject=""), wanted.value)
    held = replace(
        after,
        state=RequestState.ON_HOLD,
        history=(*after.history, made)[-HISTORY_LIMIT:],
        requirements=(*after.requirements, wanted),
    )
    news = changed(held, BY, wanted.value)
    decision = _noted(decision, change, held, Needed((after.service_class,)))
    return replace(decision, messages=(*decision.messages, news))


def with_given_back(decision: Decision, context: Context) -> Decision:
    """What ended without service gives back, whatever ended it; what was let go without, is noted."""
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
        return _drawn(decision, before.id, asked, context, spent=asked.drawn) if asked.drawn else decision
    asked = after.authorization or asked
    if asked.drawn and after.state not in DRAWS:
        decision = _noted(decision, change, after, replace(asked, drawn=0))
        return _drawn(decision, after.id, asked, context, used=-asked.drawn)
    waited, waits = (Requirement.AUTHORIZATION in each.requirements for each in (before, after))
    if waited and not waits and after.state not in TERMINAL and after.authorization == before.authorization:
        return _noted(
            decision, change, after, replace(asked, waived=True)
        )  # a case manager lifted it by hand
    if waits and asked.waived:
        return _noted(decision, change, after, replace(asked, waived=False))
    return decision


def _booked(
    decision: Decision, change: Change, after: RequestRecord, asked: Needed, context: Context
) -> Decision:
    known = _known(decision, asked.authorization, context)
    start_ms = after.dispatch.start_ms if after.dispatch else after.earliest_ms
    why = lacking(known.now if known else None, asked, start_ms, start_ms)
    if why and asked.waived:
        return decision
    if why or known is None:
        return _held(decision, change, why, known, context)
    drawn = amount(known.now, asked)
    decision = _noted(decision, change, after, replace(asked, drawn=drawn))
    return _drawn(decision, after.id, asked, context, used=drawn)


def _held(decision: Decision, change: Change, why: str, known: _Known | None, context: Context) -> Decision:
    """In place of being booked: nobody has it, and a person is asked for an authorization."""
    record = change.before
    assert isinstance(record, RequestRecord)  # noqa: S101  (what is booked was there)
    service = replace(context, by=BY, subject="")
    live = record.live_offers
    over = [close(each, OfferState.CANCELLED, context.now_ms, why) for each in live]
    offers, requirements = record.offers_with(*over), (*record.requirements, Requirement.AUTHORIZATION)
    after = moved(record, RequestState.ON_HOLD, service, why, offers=offers, requirements=requirements)
    relies = (Reliance(AUTHORIZATION, known.stored.id, known.stored.version),) if known else ()
    return replace(
        decision,
        changes=tuple(Change(record, after) if each is change else each for each in decision.changes),
        unbook=bookings_of(live),
        messages=(*(closed(after, each) for each in over), changed(after, BY, why)),
        outcomes=(),
        relies=(*decision.relies, *relies),
    )


def _known(decision: Decision, name: str, context: Context) -> _Known | None:
    key = record_id(name)
    own = next((each for each in decision.changes if each.record.id == key), None)
    stored = own.before if own else context.related.get(key)
    now = own.after if own else stored
    if isinstance(stored, AuthorizationRecord) and isinstance(now, AuthorizationRecord):
        return _Known(stored, now)
    return None


def _noted(decision: Decision, change: Change, after: RequestRecord, asked: Needed) -> Decision:
    """With what the request keeps of it, in the same step."""
    noted = Change(change.before, replace(after, authorization=asked))
    return replace(decision, changes=tuple(noted if each is change else each for each in decision.changes))


def _drawn(
    decision: Decision, request_id: str, asked: Needed, context: Context, *, used: int = 0, spent: int = 0
) -> Decision:
    """With the balance after it. One that is gone, or cannot be read, has none to change."""
    known = _known(decision, asked.authorization, context)
    if known is None:
        return decision
    facts = {"used": known.now.used + used, "spent": known.now.spent + spent}
    last = request_id if used > 0 else known.now.last_request
    moved_once = replace(
        moved_on(known.now, context, **facts, last_request=last), version=known.stored.version + 1
    )
    others = [each for each in decision.changes if each.record.id != moved_once.id]
    code = "drawn" if used > 0 else "given_back"
    news = (told(moved_once, code, request_id),) if used else ()
    return replace(
        decision,
        changes=(*others, Change(known.stored, moved_once)),
        messages=(*decision.messages, *news),
    )
