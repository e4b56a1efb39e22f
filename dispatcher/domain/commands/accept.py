"""offered → accepted: a vendor takes the work, or its silence does; whoever else was asked is relieved."""

from __future__ import annotations

from contracts.codes import OfferState, RequestState, Role
from contracts.instants import to_instant
from dispatcher.domain.commands.subjects import OnOffer
from dispatcher.domain.commands.table import REQUEST, decides
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Change, Decision
from dispatcher.domain.messages import changed, closed, confirmed, matched
from dispatcher.domain.offers import UNAUTHORIZED, OfferRecord, bookings_of, close, take_on
from dispatcher.domain.refusals import WrongState
from dispatcher.domain.requests import RequestRecord, moved
from dispatcher.domain.scorecards import Outcome, outcome_of
from dispatcher.domain.states import WORKED_ON

TAKEN = "taken"  # another vendor was first
OTHERS = "Maybe look which of your offers are open: this one is no longer yours to take."


class AcceptOffer(OnOffer, frozen=True, kw_only=True):
    """The vendor takes the work; `reference` is its own trip number."""

    reference: str = ""


@decides(AcceptOffer, REQUEST, roles={Role.VENDOR})
def accept(record: RequestRecord, command: AcceptOffer, context: Context) -> Decision | None:
    """Make the offer a dispatch; None when its vendor had accepted it before.

    Raises NotFound unless the offer is that vendor's, WrongState when it has expired or was closed.
    """
    offer = record.offer_named(command.offer_id, context.vendor_id)
    if offer.state in WORKED_ON:
        return None
    expired = offer.unanswered and context.now_ms >= offer.expires_ms and not offer.assumed
    if expired or offer.state is OfferState.EXPIRED:
        raise WrongState(
            f"offer {command.offer_id} expired at {to_instant(offer.expires_ms).isoformat()}\n"
            "Maybe answer sooner: each offer carries its expires_at.",
            state=OfferState.EXPIRED.value,
        )
    if not offer.unanswered:
        why = f"{offer.state} ({offer.code})" if offer.code else offer.state
        hint = UNAUTHORIZED if offer.is_unauthorized else OTHERS
        raise WrongState(
            f"offer {command.offer_id} is {why}; it cannot be accepted\n{hint}", state=offer.state.value
        )
    _refuse_taken(record, offer, command, context)
    return taken_on(record, offer, context, reference=command.reference)


def _refuse_taken(record: RequestRecord, offer: OfferRecord, command: AcceptOffer, context: Context) -> None:
    """Another vendor's silence has accepted, whether or not the timer has fired."""
    first = record.accepted_by_silence(context.now_ms)
    if first is not None and first.attempt != offer.attempt:
        raise WrongState(
            f"offer {command.offer_id} was taken by another vendor; it cannot be accepted\n{OTHERS}",
            state=OfferState.CANCELLED.value,
        )


def taken_on(record: RequestRecord, offer: OfferRecord, context: Context, *, reference: str = "") -> Decision:
    """The offer as a dispatch, watched from its start on; the other offers closed, their capacity free."""
    others = [each for each in record.live_offers if each.attempt != offer.attempt]
    over = [close(each, OfferState.CANCELLED, context.now_ms, TAKEN) for each in others]
    dispatch = take_on(offer, reference)
    after = moved(record, RequestState.ACCEPTED, context, offers=record.offers_with(dispatch, *over))
    told = (confirmed(after, dispatch), matched(after, dispatch), *(closed(after, each) for each in over))
    return Decision(
        changes=(Change(record, after),),
        unbook=bookings_of(others),
        messages=(*told, changed(after, context.by)),
        outcomes=(outcome_of(offer, context.now_ms, Outcome.ACCEPTED),),
        at_ms=context.now_ms,
    )
