"""received, matching or offered → offered: ops puts a request to a vendor of its choice, by the same rules.

Who was asked before and has not answered is relieved in the same commit. The matcher does not undo it: such
an offer never moves. Once it is declined or expires, the search goes on as after any other.
"""

from __future__ import annotations

from msgspec.structs import replace

from contracts.codes import OfferState, RequestState
from contracts.requests import Request
from dispatcher.domain.coarse_position import area_of
from dispatcher.domain.commands.make_offer import offered, own_mode
from dispatcher.domain.commands.subjects import OnRequest
from dispatcher.domain.commands.table import REQUEST, decides
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Change, Decision
from dispatcher.domain.messages import changed, closed, made, matched
from dispatcher.domain.offers import WITHDRAWN, bookings_of, close
from dispatcher.domain.proposal import Proposal
from dispatcher.domain.refusals import WrongState
from dispatcher.domain.requests import RequestRecord, moved
from dispatcher.domain.rights import CHOOSERS
from dispatcher.domain.sequence import refuse_out_of_sequence
from dispatcher.domain.states import OPEN

BY_HAND = "by_hand"  # the code of the step in the request's history


class OfferByHand(OnRequest, frozen=True, kw_only=True):
    """Ask this vendor; at `start_ms`, or (None) when it costs least.

    `again`: though it declined before. `proposal` is the match that came of it, checked by the matcher's
    rules; None while it has to be made.
    """

    vendor_id: str
    start_ms: int | None = None
    again: bool = False
    request: Request | None = None
    proposal: Proposal | None = None


@decides(OfferByHand, REQUEST, roles=CHOOSERS)
def offer_by_hand(record: RequestRecord, command: OfferByHand, context: Context) -> Decision | None:
    """Book the capacity and ask; None when the vendor has that very offer, by hand, and has not answered.

    Raises WrongState when a vendor has the work, its silence has accepted, it is on hold, it has ended, or it
    would be out of sequence.
    """
    if is_out(record, command):
        return None
    refuse_taken(record, context.now_ms)
    request, proposal = command.request, command.proposal
    assert request is not None and proposal is not None  # noqa: S101  (made before it is decided)
    refuse_out_of_sequence(record, proposal.span, context)
    live = record.live_offers
    over = [close(each, OfferState.CANCELLED, context.now_ms, WITHDRAWN) for each in live]
    new = offered(record, proposal, context, own_mode(record, request, context))
    new = replace(new, chosen_by=context.subject or context.by)
    offers = (*record.offers_with(*over), new)
    after = moved(
        record,
        RequestState.OFFERED,
        context,
        BY_HAND,
        offers=offers,
        unmatched=None,
        chain=(),
        collect_ms=0,
        area=area_of(request.doors[0]),
    )
    told = (*(closed(after, each) for each in over), made(after, new, request), matched(after, new))
    return Decision(
        changes=(Change(record, after),),
        unbook=bookings_of(live),
        book=new.bookings,
        messages=(*told, changed(after, context.by, BY_HAND)),
        preconditions=proposal.preconditions,
        at_ms=context.now_ms,
    )


def is_out(record: RequestRecord, command: OfferByHand) -> bool:
    """Whether the vendor was asked so by hand, and has not answered yet."""
    return any(
        each.unanswered
        and each.chosen_by
        and each.vendor_id == command.vendor_id
        and command.start_ms in (None, each.start_ms)
        for each in record.offers
    )


def refuse_taken(record: RequestRecord, now_ms: int) -> None:
    """Raises WrongState unless the request may be put to a vendor of somebody's choice."""
    advice = ""
    if record.state is RequestState.ON_HOLD:
        help_ = "activate" if record.waits_for_call else "resume"
        advice = f"it waits for {', '.join(record.requirements)}\nMaybe {help_} it first"
    elif record.state not in OPEN and record.state is not RequestState.OFFERED:
        advice = f"it is {record.state}\nMaybe its vendor turns it back first, or it is submitted anew"
    elif record.accepted_by_silence(now_ms):
        advice = "its vendor's silence has accepted\nMaybe read it again: it is about to be told so"
    elif now_ms >= record.match_by_ms:
        advice = "its deadline has passed\nMaybe submit it anew, with a later one"
    if advice:
        raise WrongState(f"request {record.id} cannot be offered: {advice}.", state=record.state.value)
