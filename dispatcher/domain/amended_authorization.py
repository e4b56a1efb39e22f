"""What an amendment changes of the authorization: drawn anew where it is booked; else waited for, or no more.

What is booked is amended only if it stays authorized: who amends is refused, with words; and where too little
is left by the time that its vendor agrees, another is sought, and the request waits for a case manager.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from contracts.codes import RequestState, Requirement
from dispatcher.domain.authorizations import (
    AUTHORIZATION,
    AuthorizationRecord,
    amount,
    lacking,
    record_id,
)
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Change, Decision, Reliance
from dispatcher.domain.drawing import found, with_balance, with_needed
from dispatcher.domain.messages import changed
from dispatcher.domain.needed import Needed, held_by_hand
from dispatcher.domain.requests import HISTORY_LIMIT, RequestRecord, step
from dispatcher.domain.states import TERMINAL
from dispatcher.domain.timers import timer_ms

DRAWS = frozenset({RequestState.ACCEPTED, RequestState.IN_PROGRESS, RequestState.COMPLETED})
BY = "service"
WANTED = Requirement.AUTHORIZATION


def unauthorized(record: RequestRecord, asks: Needed | None, start_ms: int, context: Context) -> str:
    """Why what is booked could not be drawn anew as it would be; "" if it can, or need not be.

    What it has drawn already counts as left.
    """
    if asks is None or asks.waived or asks == record.authorization:
        return ""
    authorization = context.related.get(record_id(asks.authorization))
    return lacking(_without_own(authorization, record.authorization), asks, start_ms, start_ms)


def uncovered(asked: Needed | None, start_ms: int, context: Context) -> str:
    """Why it could not be drawn on for work that starts then; "" if it can, or need not be."""
    if asked is None or asked.waived:
        return ""
    authorization = context.related.get(record_id(asked.authorization))
    known = authorization if isinstance(authorization, AuthorizationRecord) else None
    return lacking(known, asked, start_ms, start_ms)


def amended(
    decision: Decision, change: Change, before: RequestRecord, after: RequestRecord, context: Context
) -> Decision:
    """With what it needs now: its balance drawn anew, or its hold set or lifted."""
    if after.state in TERMINAL:
        return decision
    if after.state in DRAWS:
        return _drawn_anew(decision, change, before, after, context)
    decision = _given_back(decision, before, context)
    asked = after.authorization
    known = found(decision, asked.authorization, context) if asked else None
    unheld, decision = decision, _waiting(decision, change, after, known.now if known else None, context)
    if asked is not None and decision is not unheld and WANTED not in after.requirements:
        decision = with_balance(decision, after.id, asked, context, looks=True)  # another may cover it
        known = found(decision, asked.authorization, context)
    is_read_only = known is not None and known.stored is known.now
    if known is None or not is_read_only:
        return decision
    relies = Reliance(AUTHORIZATION, known.stored.id, known.stored.version)
    return replace(decision, relies=(*decision.relies, relies))


def _drawn_anew(
    decision: Decision, change: Change, before: RequestRecord, after: RequestRecord, context: Context
) -> Decision:
    """Given back what it drew, and drawn what it draws now: in one step where it is one authorization's."""
    old, new = before.authorization, after.authorization
    start_ms = after.dispatch.start_ms if after.dispatch else after.earliest_ms
    known = found(decision, new.authorization, context) if new is not None else None
    draws = 0
    if known is not None and new is not None:
        spare = _without_own(known.now, old)
        draws = 0 if lacking(spare, new, start_ms, start_ms) else amount(known.now, new)
    had = old.drawn if old is not None else 0
    if new is not None:
        decision = with_needed(decision, change, after, replace(new, drawn=draws))
    if old is not None and new is not None and old.authorization == new.authorization:
        more = draws - had
        return with_balance(decision, after.id, new, context, used=more) if more else decision
    decision = _given_back(decision, before, context)
    return (
        with_balance(decision, after.id, new, context, used=draws) if new is not None and draws else decision
    )


def _given_back(decision: Decision, before: RequestRecord, context: Context) -> Decision:
    old = before.authorization
    if old is None or not old.drawn:
        return decision
    return with_balance(decision, before.id, old, context, used=-old.drawn)


def _waiting(
    decision: Decision, change: Change, after: RequestRecord, authorization: Any, context: Context
) -> Decision:
    """On hold if it lacks one, in the same commit; no more, if it does not and nobody put it there."""
    asked, waits = after.authorization, WANTED in after.requirements
    lets_go = asked is None or asked.waived
    why = (
        "" if lets_go or asked is None else lacking(authorization, asked, after.earliest_ms, after.latest_ms)
    )
    before = change.before
    by_hand = isinstance(before, RequestRecord) and held_by_hand(before.authorization)
    if why and not waits:
        wanted = (*after.requirements, WANTED)
        lacks = why if authorization else ""
        return _moved(decision, change, after, wanted, context, code=lacks or WANTED.value, lacks=lacks)
    if waits and not why and not by_hand:
        left = tuple(each for each in after.requirements if each is not WANTED)
        code = f"{WANTED}_lifted" if left else WANTED.value
        return _moved(decision, change, after, left, context, code=code)
    return decision


def _moved(
    decision: Decision,
    change: Change,
    after: RequestRecord,
    requirements: tuple[Requirement, ...],
    context: Context,
    *,
    code: str,
    lacks: str = "",
) -> Decision:
    state = RequestState.ON_HOLD if requirements else RequestState.RECEIVED
    made = step(state, replace(context, by=BY, subject=""), code)
    asked = None if after.authorization is None else replace(after.authorization, lacks=lacks)
    new = replace(
        after,
        authorization=asked,
        state=state,
        requirements=requirements,
        history=(*after.history, made)[-HISTORY_LIMIT:],
    )
    new = replace(new, timer_ms=timer_ms(new, context.now_ms, context.values))
    return replace(
        decision,
        changes=tuple(Change(change.before, new) if each is change else each for each in decision.changes),
        messages=(*decision.messages, changed(new, BY, code)),
    )


def _without_own(authorization: Any, own: Needed | None) -> Any:
    """As if nothing were drawn by the request itself."""
    if authorization is None or own is None or own.authorization != authorization.name:
        return authorization
    return replace(authorization, used=authorization.used - own.drawn)
