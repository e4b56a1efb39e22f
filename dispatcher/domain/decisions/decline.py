"""offered → matching: the vendor does not take the work and is not asked again, unless it changes."""

from __future__ import annotations

from msgspec.structs import replace

from contracts.codes import OfferState, RequestState
from contracts.offers import Decline
from dispatcher.domain.decision import Decision
from dispatcher.domain.instants import to_instant
from dispatcher.domain.messages import by_vendor, changed, closed
from dispatcher.domain.record import RequestRecord
from dispatcher.domain.refusals import WrongState
from dispatcher.domain.scorecards import BLAMELESS, mark
from dispatcher.domain.transitions import close, offer_named, step, with_newest


def decline(
    record: RequestRecord, offer_id: str, vendor_id: str, answer: Decline, *, now_ms: int
) -> Decision | None:
    """Give the capacity back and look on; None when its vendor had declined it before.

    Raises NotFound unless the offer is that vendor's, WrongState when it is no longer open.
    """
    offer = offer_named(record, offer_id, vendor_id)
    if offer.state is OfferState.REJECTED:
        return None
    if offer.state is not OfferState.REQUESTED:
        advice = "turn the dispatch back" if offer.state is OfferState.ACCEPTED else "nothing is left to do"
        raise WrongState(
            f"offer {offer_id} is {offer.state}; it cannot be declined\nMaybe {advice}.",
            state=offer.state.value,
        )
    if offer.assumed and now_ms >= offer.expires_ms:
        raise WrongState(
            f"offer {offer_id} was yours by silence at {to_instant(offer.expires_ms).isoformat()}\n"
            "Maybe turn the dispatch back.",
            state=OfferState.ACCEPTED.value,
        )
    decision = given_back(
        record, OfferState.REJECTED, now_ms, by=by_vendor(vendor_id), code=answer.code.value
    )
    return replace(decision, mark=None) if answer.code in BLAMELESS else decision


def given_back(record: RequestRecord, state: OfferState, now_ms: int, *, by: str, code: str) -> Decision:
    """The newest offer closed as `state`, its capacity free, the request open again without that vendor.

    The search goes on to the deadline; to the end of the window when a dispatch came back after the deadline.
    """
    assert record.offer is not None  # noqa: S101  (an offered request has an offer)
    over = close(record.offer, state, now_ms, code)
    match_by_ms = record.match_by_ms
    if state is OfferState.TURNED_BACK and match_by_ms <= now_ms:
        match_by_ms = max(match_by_ms, record.latest_ms)
    after = step(
        record,
        RequestState.MATCHING,
        now_ms,
        by,
        code,
        timer_ms=match_by_ms,
        match_by_ms=match_by_ms,
        offers=with_newest(record, over),
        status=None,
        overdue=0,
    )
    messages = (closed(after, over), changed(after, by, code))
    return Decision(
        before=record,
        after=after,
        unbook=record.offer.bookings,
        messages=messages,
        mark=mark(over.vendor_id, now_ms, well=False),
    )
