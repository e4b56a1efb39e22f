"""A request changes: at once where no vendor has it, else once the vendor that has the work agrees.

Whoever was asked and has not answered is relieved in the same commit, and the request matched anew: what was
offered is not what is wanted any more.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from contracts.amendments import MAX_AMENDMENTS, Amend, AmendmentOutcome
from contracts.codes import OfferState, RequestState, Role, TrackingStatus
from dispatcher.domain.amended_authorization import unauthorized
from dispatcher.domain.amendments import ON_BOARD, TERMS, Amendment, Ready, record_facts
from dispatcher.domain.amendments import SHOWN as SHOWN_TO_VENDORS
from dispatcher.domain.commands.make_offer import exhausted
from dispatcher.domain.commands.subjects import OnRequest
from dispatcher.domain.commands.table import REQUEST, decides
from dispatcher.domain.compact import Record
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Body, Change, Decision
from dispatcher.domain.messages import amended, changed, closed, proposed, withdrawn
from dispatcher.domain.not_agreed import taken_away
from dispatcher.domain.offers import AMENDED, AMENDMENT, OfferRecord, bookings_of, close
from dispatcher.domain.refusals import WrongState
from dispatcher.domain.requests import RequestRecord, moved
from dispatcher.domain.rights import SUBMITTERS
from dispatcher.domain.states import TERMINAL

O = AmendmentOutcome  # noqa: E741


class AmendRequest(OnRequest, frozen=True, kw_only=True):
    """Change what is asked; a vendor that has the work is asked to agree, and keeps it if it does.

    `ready`: the amendment worked out on what stands; None while that has to be done.
    """

    patch: Amend
    ready: Ready | None = None

    @property
    def beside(self) -> Mapping[str, Record]:
        """What was read to work it out."""
        return self.ready.beside if self.ready else {}


@decides(AmendRequest, REQUEST, roles=SUBMITTERS | {Role.OPS})
def amend(record: RequestRecord, command: AmendRequest, context: Context) -> Decision | None:
    """Make it, or ask the vendor that has the work; None when the request is so, or its vendor is asked that.

    Another amendment that its vendor has not answered is replaced: what is proposed now has both; or it is
    withdrawn, when the request is amended back. Raises WrongState when it has ended, its vendor's silence has
    accepted, or the passenger is on board and more than the destination would change.
    """
    ready = command.ready
    assert ready is not None  # noqa: S101  (worked out before it is decided)
    decision = _amend(record, ready, context)
    return None if decision is None else _together(decision, ready)


def _together(decision: Decision, ready: Ready) -> Decision:
    """With what its patient was compared with: the episode is written as it is, and any other that comes to
    it meanwhile, or is amended, is stale.
    """
    if ready.episode is not None:
        as_it_is = Change(ready.episode, replace(ready.episode, version=ready.episode.version + 1))
        decision = replace(decision, changes=(*decision.changes, as_it_is))
    return replace(decision, relies=(*decision.relies, *ready.relies))


def _amend(record: RequestRecord, ready: Ready, context: Context) -> Decision | None:
    refuse_ended(record, context.now_ms)
    if ready.same:
        return None
    if not ready.fields:
        return _withdrawn(record, context) if record.pending and not record.pending.retimes else None
    _refuse_too_many(record)
    if record.pending is not None and record.pending.retimes and TERMS.isdisjoint(ready.fields):
        return _beside_retiming(record, ready, context)
    if record.dispatch is None:
        return _made(record, ready, context)
    refuse_on_board(record, record.dispatch, ready)
    _refuse_unauthorized(record, record.dispatch, ready, context)
    if record.pending is None and TERMS.isdisjoint(ready.fields):
        return _made(record, ready, context)
    return _asked(record, record.dispatch, ready, context)


def refuse_ended(record: RequestRecord, now_ms: int) -> None:
    """Raises WrongState for a request that has ended, or that a vendor's silence has just taken."""
    advice = ""
    if record.state in TERMINAL:
        advice = f"it is {record.state}\nMaybe submit what is wanted now under an id of its own."
    elif record.accepted_by_silence(now_ms):
        advice = "its vendor's silence has accepted\nMaybe ask again: it is about to be told so."
    if advice:
        raise WrongState(f"request {record.id} cannot be amended: {advice}", state=record.state.value)


def _refuse_too_many(record: RequestRecord) -> None:
    if len(record.amendments) >= MAX_AMENDMENTS:
        raise WrongState(
            f"request {record.id} was amended {len(record.amendments)} times; the limit is {MAX_AMENDMENTS}\n"
            "Maybe cancel it, and submit what is wanted now under an id of its own.",
            state=record.state.value,
        )


def refuse_on_board(record: RequestRecord, dispatch: OfferRecord, ready: Ready) -> None:
    """Raises WrongState when more than the destination would change of a ride with its passenger."""
    more = [each for each in ready.fields if each not in ON_BOARD]
    if more and dispatch.status is TrackingStatus.ON_BOARD:
        raise WrongState(
            f"request {record.id} is on board of vendor {dispatch.vendor_id}; {', '.join(more)} cannot be "
            "amended\nMaybe amend nothing but the destination, or call the vendor.",
            state=record.state.value,
            tracking_status=TrackingStatus.ON_BOARD.value,
        )


def _refuse_unauthorized(
    record: RequestRecord, dispatch: OfferRecord, ready: Ready, context: Context
) -> None:
    """Raises WrongState where what is booked would need more than is authorized: it stays as it is."""
    start_ms = ready.placed.start_ms if ready.placed else dispatch.start_ms
    if not ready.facts.earliest_ms <= start_ms <= ready.facts.latest_ms and not ready.fits:
        start_ms = ready.facts.earliest_ms  # another vendor's, then
    why = unauthorized(record, ready.facts.asks, start_ms, context)
    if why:
        raise WrongState(
            f"request {record.id} cannot be amended so: {why}; it stays booked as it was\n"
            "Maybe ask a case manager to issue or renew its authorization first, and amend it then.",
            state=record.state.value,
        )


def _made(record: RequestRecord, ready: Ready, context: Context) -> Decision:
    """At once. What is known of why there is no vendor is of other work, and so is what was offered."""
    other, used_up = not TERMS.isdisjoint(ready.fields), exhausted(record, context.values)
    asked = [each for each in record.live_offers if each.unanswered]
    over = [close(each, OfferState.CANCELLED, context.now_ms, AMENDED) for each in asked]
    made = _entry(ready, context).settled(O.MADE, context.now_ms, made=True)
    after = moved(
        record,
        RequestState.MATCHING if over else record.state,
        context,
        AMENDED,
        offers=record.offers_with(*over),
        unmatched=record.unmatched if used_up or not other else None,
        amendments=(*record.amendments, made),
        **record_facts(ready.facts),
    )
    told = [closed(after, each) for each in over]
    if after.dispatch is not None and not SHOWN_TO_VENDORS.isdisjoint(ready.fields):
        told.append(amended(after, after.dispatch, made))
    return Decision(
        changes=(Change(record, after),),
        unbook=bookings_of(asked),
        bodies=(Body(record.id, ready.after),),
        messages=(*told, changed(after, context.by, AMENDED)),
        at_ms=context.now_ms,
    )


def _asked(record: RequestRecord, dispatch: OfferRecord, ready: Ready, context: Context) -> Decision:
    """Its vendor is; where it may not do it so, the work goes to another at once."""
    entry = replace(
        _entry(ready, context),
        attempt=dispatch.attempt,
        expires_ms=ready.expires_ms,
        facts=ready.facts,
        placed=ready.placed,
    )
    before = _without_pending(record, O.REPLACED, context)
    if not ready.fits:
        entry = replace(entry, rules=ready.rules)
        with_entry = replace(before, amendments=(*before.amendments, entry))
        return taken_away(record, with_entry, dispatch, O.UNFIT, context)
    code = f"{AMENDMENT}proposed"
    after = moved(before, record.state, context, code, amendments=(*before.amendments, entry))
    told = (proposed(after, dispatch, entry, ready.request), changed(after, context.by, code))
    return Decision(changes=(Change(record, after),), messages=told, at_ms=context.now_ms)


def _withdrawn(record: RequestRecord, context: Context) -> Decision:
    """It is as it was before, so its vendor need not answer."""
    code = f"{AMENDMENT}withdrawn"
    before = _without_pending(record, O.WITHDRAWN, context)
    after = moved(before, record.state, context, code)
    told = (*withdrawn(after, before.amendments[-1]), changed(after, context.by, code))
    return Decision(changes=(Change(record, after),), messages=told, at_ms=context.now_ms)


def _beside_retiming(record: RequestRecord, ready: Ready, context: Context) -> Decision:
    """Made at once; its vendor is asked for another start once more, as it is now."""
    before = replace(_without_pending(record, O.REPLACED, context), retimed_ms=0)
    decision = _made(before, ready, context)
    told = withdrawn(decision.after, before.amendments[-1])
    return replace(decision, changes=(Change(record, decision.after),), messages=(*decision.messages, *told))


def _without_pending(record: RequestRecord, outcome: AmendmentOutcome, context: Context) -> RequestRecord:
    if record.pending is None:
        return record
    over = record.pending.settled(outcome, context.now_ms, made=False)
    return replace(record, amendments=(*record.amendments[:-1], over))


def _entry(ready: Ready, context: Context) -> Amendment:
    return Amendment(
        at_ms=context.now_ms,
        by=context.by,
        subject=context.subject,
        fields=ready.fields,
        outcome=O.PENDING,
        before=ready.before,
        proposed=ready.after,
        filing=ready.filing,
    )
