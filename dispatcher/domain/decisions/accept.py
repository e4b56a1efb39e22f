"""offered → accepted: the vendor takes the work, or its silence does."""

from __future__ import annotations

from collections.abc import Mapping

from contracts.codes import OfferState, RequestState
from contracts.offers import Accept
from contracts.tuning import Number
from dispatcher.domain.deadlines import overdue_at
from dispatcher.domain.decision import Decision
from dispatcher.domain.instants import to_instant
from dispatcher.domain.messages import by_vendor, changed, confirmed, matched
from dispatcher.domain.record import RequestRecord
from dispatcher.domain.refusals import WrongState
from dispatcher.domain.states import SHOWS_PATIENT
from dispatcher.domain.transitions import offer_named, step, take, with_newest


def accept(
    record: RequestRecord,
    offer_id: str,
    vendor_id: str,
    answer: Accept,
    *,
    now_ms: int,
    values: Mapping[str, Number],
) -> Decision | None:
    """Book the offer; None when its vendor had accepted it before.

    Raises NotFound unless the offer is that vendor's, WrongState when it has expired or was closed.
    """
    offer = offer_named(record, offer_id, vendor_id)
    if offer.state in SHOWS_PATIENT:
        return None
    expired = offer.state is OfferState.REQUESTED and now_ms >= offer.expires_ms and not offer.assumed
    if expired or offer.state is OfferState.EXPIRED:
        raise WrongState(
            f"offer {offer_id} expired at {to_instant(offer.expires_ms).isoformat()}\n"
            "Maybe answer sooner: each offer carries its expires_at.",
            state=OfferState.EXPIRED.value,
        )
    if offer.state is not OfferState.REQUESTED:
        raise WrongState(f"offer {offer_id} is {offer.state}; it cannot be accepted", state=offer.state.value)
    return booked(record, now_ms, values, by=by_vendor(vendor_id), reference=answer.reference)


def booked(
    record: RequestRecord, now_ms: int, values: Mapping[str, Number], *, by: str, reference: str = ""
) -> Decision:
    """The newest offer as a dispatch, watched from its start on."""
    assert record.offer is not None  # noqa: S101  (an offered request has an offer)
    dispatch = take(record.offer, reference)
    after = step(
        record,
        RequestState.ACCEPTED,
        now_ms,
        by,
        timer_ms=overdue_at(dispatch.start_ms, now_ms, values),
        offers=with_newest(record, dispatch),
        overdue=0,
    )
    messages = (confirmed(after, dispatch), matched(after, dispatch), changed(after, by))
    return Decision(before=record, after=after, messages=messages)
