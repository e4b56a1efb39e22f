"""offered → accepted: a vendor takes the work, or its silence does; whoever else was asked is relieved.

Of a broadcast it is booked now. Where there turns out to be no room for it, that offer is closed, and the
others stay good; while it collects, the yes is noted, and the best of them has the work.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from contracts.codes import OfferState, RequestState, Role
from contracts.instants import to_instant
from dispatcher.domain.broadcast import all_said, is_collecting, willing
from dispatcher.domain.commands.decline import given_back
from dispatcher.domain.commands.subjects import OnOffer
from dispatcher.domain.commands.table import REQUEST, Command, decides
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Change, Decision
from dispatcher.domain.messages import changed, closed, confirmed, matched
from dispatcher.domain.offers import (
    NO_CAPACITY,
    TAKEN,
    UNAUTHORIZED,
    OfferRecord,
    bookings_of,
    close,
    take_on,
)
from dispatcher.domain.refusals import WrongState
from dispatcher.domain.requests import RequestRecord, moved
from dispatcher.domain.scorecards import Outcome, outcome_of
from dispatcher.domain.states import WORKED_ON

WILLING = "willing"  # the code of the step in the history: a vendor would take it
NOBODY = "nobody_willing"  # when a broadcast has collected, and has nobody
NO_ROOM = (  # a hint
    "Maybe post more capacity for that time: what you have is booked. Or what its payer gives you for that "
    "day, month or year is used up: GET …/caps."
)
OTHERS = "Maybe look which of your offers are open: this one is no longer yours to take."


class AcceptOffer(OnOffer, frozen=True, kw_only=True):
    """The vendor takes the work; `reference` is its own trip number. `room`: whether there may be any."""

    reference: str = ""
    room: bool = True

    @property
    def if_full(self) -> Command:
        """Of a broadcast: what it would book is taken by now."""
        return replace(self, room=False)


@decides(AcceptOffer, REQUEST, roles={Role.VENDOR})
def accept(record: RequestRecord, command: AcceptOffer, context: Context) -> Decision | None:
    """Make the offer a dispatch; None when its vendor had accepted it before, or its yes is noted.

    Raises NotFound unless the offer is that vendor's, WrongState when it has expired or was closed.
    """
    offer = record.offer_named(command.offer_id, context.vendor_id)
    if offer.state in WORKED_ON or (offer.unanswered and offer.willing_ms):
        return None
    expired = offer.unanswered and context.now_ms >= offer.expires_ms and not offer.assumed
    if expired or offer.state is OfferState.EXPIRED:
        raise WrongState(
            f"offer {command.offer_id} expired at {to_instant(offer.expires_ms).isoformat()}\n"
            "Maybe answer sooner: each offer carries its expires_at.",
            state=OfferState.EXPIRED.value,
        )
    if not offer.unanswered:
        raise closed_already(offer, command.offer_id)
    _refuse_taken(record, offer, command, context)
    if not command.room:
        return given_back(record, offer, OfferState.CANCELLED, context, NO_CAPACITY)
    if is_collecting(record, offer):
        return _noted(record, replace(offer, willing_ms=context.now_ms, reference=command.reference), context)
    return taken_on(record, offer, context, reference=command.reference)


def closed_already(offer: OfferRecord, name: str) -> WrongState:
    """Why an offer that is over cannot be accepted."""
    hint = UNAUTHORIZED if offer.is_unauthorized else NO_ROOM if offer.code == NO_CAPACITY else OTHERS
    return WrongState(
        f"offer {name} is {offer.told_state}; it cannot be accepted\n{hint}", state=offer.state.value
    )


def _refuse_taken(record: RequestRecord, offer: OfferRecord, command: AcceptOffer, context: Context) -> None:
    """Another vendor's silence has accepted, whether or not the timer has fired."""
    first = record.accepted_by_silence(context.now_ms)
    if first is not None and first.attempt != offer.attempt:
        raise WrongState(
            f"offer {command.offer_id} was taken by another vendor; it cannot be accepted\n{OTHERS}",
            state=OfferState.CANCELLED.value,
        )


def _noted(record: RequestRecord, offer: OfferRecord, context: Context) -> Decision:
    """The yes is kept; once nobody is left whose answer is waited for, the best has the work at once."""
    offers = record.offers_with(offer)
    decided = all_said(offers)
    after = moved(
        record,
        record.state,
        context,
        WILLING,
        offers=offers,
        collect_ms=context.now_ms if decided else record.collect_ms,
    )
    news = changed(after, context.by, WILLING)
    return Decision(changes=(Change(record, after),), messages=(news,), at_ms=context.now_ms)


def collected(record: RequestRecord, context: Context) -> Decision:
    """The best of those who said yes has the work; who had no room for it any more is told so.

    Where nobody is left of them, whoever says yes from now on has it.
    """
    said = willing(record)
    full = [
        close(each, OfferState.CANCELLED, context.now_ms, NO_CAPACITY) for each in said[: context.passed_over]
    ]
    left = replace(record, offers=record.offers_with(*full))
    if len(said) > len(full):
        return _also_closed(taken_on(left, said[len(full)], context), record, full)
    state = RequestState.OFFERED if left.live_offers else RequestState.MATCHING
    after = moved(left, state, context, NOBODY, collect_ms=0)
    told = (*(closed(after, each) for each in full), changed(after, context.by, NOBODY))
    return Decision(changes=(Change(record, after),), messages=told, at_ms=context.now_ms)


def _also_closed(decision: Decision, record: RequestRecord, over: Sequence[OfferRecord]) -> Decision:
    """The decision on a record of which these were closed first."""
    after = decision.after
    return replace(
        decision,
        changes=(Change(record, after), *decision.changes[1:]),
        messages=(*decision.messages, *(closed(after, each) for each in over)),
    )


def taken_on(
    record: RequestRecord,
    offer: OfferRecord,
    context: Context,
    *,
    reference: str = "",
) -> Decision:
    """The offer as a dispatch, watched from its start on; the other offers closed, their capacity free."""
    others = [each for each in record.live_offers if each.attempt != offer.attempt]
    over = [close(each, OfferState.CANCELLED, context.now_ms, TAKEN) for each in others]
    dispatch = take_on(offer, reference)
    after = moved(record, RequestState.ACCEPTED, context, offers=record.offers_with(dispatch, *over))
    told = (confirmed(after, dispatch), matched(after, dispatch), *(closed(after, each) for each in over))
    return Decision(
        changes=(Change(record, after),),
        book=offer.wants,
        unbook=bookings_of(others),
        messages=(*told, changed(after, context.by)),
        outcomes=(outcome_of(record, offer, context, Outcome.ACCEPTED),),
        at_ms=context.now_ms,
    )
