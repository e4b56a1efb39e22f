"""Any state that is not terminal → cancelled: capacity given back, the vendor told."""

from __future__ import annotations

from collections.abc import Mapping

from contracts.codes import OfferState, RequestState
from contracts.tuning import Number
from dispatcher.domain.deadlines import forget_at
from dispatcher.domain.decision import Decision
from dispatcher.domain.messages import changed, closed
from dispatcher.domain.record import RequestRecord
from dispatcher.domain.states import LIVE_OFFERS
from dispatcher.domain.transitions import close, step, with_newest


def cancel(
    record: RequestRecord, now_ms: int, by: str, code: str, values: Mapping[str, Number]
) -> Decision | None:
    """End the request; None when it was cancelled before. Raises WrongState when it has ended otherwise."""
    if record.state is RequestState.CANCELLED:
        return None
    forget_ms = forget_at(None, now_ms, values)
    offer = record.offer
    if offer is None or offer.state not in LIVE_OFFERS:
        after = step(record, RequestState.CANCELLED, now_ms, by, code, timer_ms=forget_ms)
        return Decision(before=record, after=after, messages=(changed(after, by, code),))
    over = close(offer, OfferState.CANCELLED, now_ms, code)
    after = step(
        record,
        RequestState.CANCELLED,
        now_ms,
        by,
        code,
        timer_ms=forget_ms,
        offers=with_newest(record, over),
    )
    messages = (closed(after, over), changed(after, by, code))
    return Decision(before=record, after=after, unbook=offer.bookings, messages=messages)
