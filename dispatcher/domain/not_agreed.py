"""An amendment that the vendor of a dispatch does not agree to: the work goes to another, never nowhere."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from contracts.amendments import AmendmentOutcome
from contracts.codes import OfferState, RequestState, TrackingStatus
from dispatcher.domain.amendments import ON_BOARD, Amendment, record_facts
from dispatcher.domain.commands.decline import known_already
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Body, Change, Decision, Message
from dispatcher.domain.messages import answered, changed, closed, withdrawn
from dispatcher.domain.offers import AMENDMENT, OfferRecord, close
from dispatcher.domain.requests import RequestRecord, moved
from dispatcher.domain.states import OPEN
from dispatcher.domain.timers import timer_ms

O = AmendmentOutcome  # noqa: E741


def not_agreed(
    record: RequestRecord,
    dispatch: OfferRecord,
    outcome: AmendmentOutcome,
    context: Context,
    rules: tuple[str, ...] = (),
) -> Decision:
    """The request as it is wanted goes to another vendor; with its passenger on board it stays as it was.

    So it does where the service asked for another start by itself: what to do then, a person says. `rules`:
    which its vendor would break, of one that is unfit.
    """
    assert record.pending is not None  # noqa: S101  (that is what is not agreed to)
    pending = replace(record.pending, rules=rules)
    if dispatch.status is not TrackingStatus.ON_BOARD and not pending.retimes:
        before = replace(record, amendments=(*record.amendments[:-1], pending))
        return taken_away(record, before, dispatch, outcome, context)
    over = pending.settled(outcome, context.now_ms, made=False)
    code = f"{AMENDMENT}{outcome.value}"
    after = moved(record, record.state, context, code, amendments=(*record.amendments[:-1], over))
    told = (*withdrawn(after, over), answered(after, over), changed(after, context.by, code))
    return Decision(changes=(Change(record, after),), messages=told, at_ms=context.now_ms)


def taken_away(
    record: RequestRecord,
    before: RequestRecord,
    dispatch: OfferRecord,
    outcome: AmendmentOutcome,
    context: Context,
) -> Decision:
    """The dispatch closed, its capacity free, the request open again as it is wanted now.

    `before`: the record with the amendment, if that is as new. Nobody's scorecard has it: the work changed.
    """
    assert before.pending is not None  # noqa: S101  (that is what is not agreed to)
    code = f"{AMENDMENT}{outcome.value}"
    over = close(dispatch, OfferState.CANCELLED, context.now_ms, code)
    changes = made(before, before.pending, outcome, context)
    body = before.pending.proposed
    offers = record.offers_with(over)
    known = replace(record, state=RequestState.MATCHING, offers=offers, unmatched=None)
    why = known_already(known, context)  # that nobody is left to ask: the matcher will not look again
    after = moved(before, RequestState.MATCHING, context, code, offers=offers, unmatched=why, **changes)
    told = (closed(after, over), answered(after, after.amendments[-1]), changed(after, context.by, code))
    return Decision(
        changes=(Change(record, after),),
        unbook=dispatch.bookings,
        bodies=(Body(record.id, body),),
        messages=told,
        at_ms=context.now_ms,
    )


def made(
    record: RequestRecord, pending: Amendment, outcome: AmendmentOutcome, context: Context
) -> dict[str, Any]:
    """What changes of the record as its pending amendment is made.

    What comes back after its deadline is matched until the end of its window, as any other dispatch.
    """
    if pending.retimes:
        over = pending.settled(outcome, context.now_ms, made=False)
        return {"amendments": (*record.amendments[:-1], over)}
    facts = pending.facts
    assert facts is not None  # noqa: S101  (kept as long as it is pending)
    if outcome is not O.AGREED and facts.match_by_ms <= context.now_ms:
        facts = replace(facts, match_by_ms=max(facts.match_by_ms, facts.latest_ms))
    over = pending.settled(outcome, context.now_ms, made=True)
    return {**record_facts(facts), "amendments": (*record.amendments[:-1], over)}


def with_amendment(decision: Decision, context: Context) -> Decision:
    """A pending amendment does not outlast the dispatch that it is of, whatever ends that.

    Turned back, the request is matched as it is wanted. It ends with the work; and, unless it changes no more
    than the destination, with the passenger on board.
    """
    for change in decision.changes:
        after = change.after
        if isinstance(after, RequestRecord) and after.pending and not _stands(after, after.pending):
            decision = _without(decision, change, after, after.pending, context)
    return decision


def _stands(after: RequestRecord, pending: Amendment) -> bool:
    """Whether its vendor may still agree."""
    dispatch = next((each for each in after.live_offers if each.attempt == pending.attempt), None)
    if dispatch is None:
        return False
    return dispatch.status is not TrackingStatus.ON_BOARD or ON_BOARD.issuperset(pending.fields)


def _without(
    decision: Decision, change: Change, after: RequestRecord, pending: Amendment, context: Context
) -> Decision:
    if after.state in OPEN and not pending.retimes:
        wanted = made(after, pending, O.TURNED_BACK, context)
        new, told = _again(after, context, **wanted), list[Message]()
        bodies: tuple[Body, ...] = (Body(after.id, pending.proposed),)
    else:
        over = pending.settled(O.DROPPED, context.now_ms, made=False)
        new, bodies = _again(after, context, amendments=(*after.amendments[:-1], over)), ()
        told = withdrawn(new, over)
    changes = tuple(Change(change.before, new) if each is change else each for each in decision.changes)
    return replace(
        decision,
        changes=changes,
        bodies=(*decision.bodies, *bodies),
        messages=(*decision.messages, *told),
    )


def _again(after: RequestRecord, context: Context, **changes: Any) -> RequestRecord:
    """The record of the same step, with more of it."""
    new = replace(after, **changes)
    return replace(new, timer_ms=timer_ms(new, context.now_ms, context.values))
