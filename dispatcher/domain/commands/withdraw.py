"""offered → matching: a person takes back what nobody has answered; its vendor was told, and is told again.

It is no undo: the vendor has read the offer. It has declined nothing, and may be asked again.
"""

from __future__ import annotations

from contracts.codes import OfferState, RequestState
from dispatcher.domain.commands.subjects import OnRequest
from dispatcher.domain.commands.table import REQUEST, decides
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Change, Decision
from dispatcher.domain.messages import changed, closed
from dispatcher.domain.offers import WITHDRAWN, bookings_of, close
from dispatcher.domain.refusals import WrongState
from dispatcher.domain.requests import RequestRecord, moved
from dispatcher.domain.rights import CHOOSERS
from dispatcher.domain.states import OPEN


class WithdrawOffers(OnRequest, frozen=True, kw_only=True):
    """Take back every offer of the request that is out; a vendor is sought anew."""


@decides(WithdrawOffers, REQUEST, roles=CHOOSERS)
def withdraw(record: RequestRecord, command: WithdrawOffers, context: Context) -> Decision | None:
    """Give the capacity back, tell who was asked; None when nobody is asked now.

    Raises WrongState when a vendor has the work, its silence has accepted, it is on hold, or it has ended.
    """
    if record.state in OPEN:
        return None
    _refuse_taken(record, context.now_ms)
    live = record.live_offers
    over = [close(each, OfferState.CANCELLED, context.now_ms, WITHDRAWN) for each in live]
    after = moved(
        record, RequestState.MATCHING, context, WITHDRAWN, offers=record.offers_with(*over), unmatched=None
    )
    return Decision(
        changes=(Change(record, after),),
        unbook=bookings_of(live),
        messages=(*(closed(after, each) for each in over), changed(after, context.by, WITHDRAWN)),
        at_ms=context.now_ms,
    )


def _refuse_taken(record: RequestRecord, now_ms: int) -> None:
    advice = ""
    if record.state is not RequestState.OFFERED:
        advice = f"it is {record.state}\nMaybe cancel it: what a vendor has is cancelled, not withdrawn"
    elif record.accepted_by_silence(now_ms):
        advice = "its vendor's silence has accepted\nMaybe read it again: it is about to be told so"
    if advice:
        raise WrongState(
            f"no offer of request {record.id} can be withdrawn: {advice}.", state=record.state.value
        )
