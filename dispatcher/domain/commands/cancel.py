"""Any state that is not terminal → cancelled: capacity given back, every vendor that was asked is told.

But for a ride that is under way: who sits in the vehicle arrives somewhere, and its vendor says where.
"""

from __future__ import annotations

from contracts.codes import OfferState, RequestState, TrackingStatus
from dispatcher.domain.commands.subjects import OnRequest
from dispatcher.domain.commands.table import REQUEST, decides
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Change, Decision
from dispatcher.domain.messages import changed, closed
from dispatcher.domain.offers import bookings_of, close
from dispatcher.domain.refusals import WrongState
from dispatcher.domain.requests import RequestRecord, moved, offer_id
from dispatcher.domain.rights import READERS


class CancelRequest(OnRequest, frozen=True, kw_only=True):
    """End the request; `code` says why, for its vendors."""

    code: str = ""


@decides(CancelRequest, REQUEST, roles=READERS)
def cancel(record: RequestRecord, command: CancelRequest, context: Context) -> Decision | None:
    """End it; None when it was cancelled before.

    Raises WrongState when it has ended otherwise, or the passenger is on board.
    """
    if record.state is RequestState.CANCELLED:
        return None
    refuse_on_board(record)
    live = record.live_offers
    over = [close(each, OfferState.CANCELLED, context.now_ms, command.code) for each in live]
    offers = record.offers_with(*over)
    after = moved(record, RequestState.CANCELLED, context, command.code, offers=offers, requirements=())
    told = [closed(after, each) for each in over]
    return Decision(
        changes=(Change(record, after),),
        unbook=bookings_of(live),
        messages=(*told, changed(after, context.by, command.code)),
        at_ms=context.now_ms,
    )


def refuse_on_board(record: RequestRecord) -> None:
    """Raises WrongState while the passenger (or the equipment) is in the vehicle."""
    for offer in record.live_offers:
        if offer.status is TrackingStatus.ON_BOARD:
            raise WrongState(
                f"request {record.id} is {record.state}, on board of vendor {offer.vendor_id}; "
                f"it cannot be cancelled\nMaybe call the vendor: dispatch {offer_id(record, offer)} ends "
                "with its report, completed or failed.",
                state=record.state.value,
                tracking_status=TrackingStatus.ON_BOARD.value,
            )
