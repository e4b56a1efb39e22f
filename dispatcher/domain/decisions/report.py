"""accepted or in progress → what the vendor reports: under way, ended, or turned back."""

from __future__ import annotations

from collections.abc import Mapping

from contracts.codes import OfferState, RequestState, TrackingStatus
from contracts.dispatches import StatusUpdate
from contracts.tuning import Number
from dispatcher.domain.deadlines import forget_at, overdue_at
from dispatcher.domain.decision import Decision
from dispatcher.domain.decisions.decline import given_back
from dispatcher.domain.instants import to_ms
from dispatcher.domain.messages import by_vendor, changed
from dispatcher.domain.record import OfferRecord, RequestRecord
from dispatcher.domain.refusals import WrongState
from dispatcher.domain.scorecards import mark, was_on_time
from dispatcher.domain.transitions import fulfil, offer_named, step, with_newest

T = TrackingStatus
UNDER_WAY = {T.EN_ROUTE: 1, T.AT_PICKUP: 2, T.ON_BOARD: 3}  # in the order in which they happen
ENDS = {
    T.COMPLETED: (RequestState.COMPLETED, OfferState.COMPLETED),
    T.NO_SHOW: (RequestState.NO_SHOW, OfferState.COMPLETED),  # the vendor was there: its work is done
    T.FAILED: (RequestState.FAILED, OfferState.FAILED),
}
NOT_ON_BOARD = frozenset({T.NO_SHOW, T.TURNED_BACK})
DONE = frozenset({OfferState.COMPLETED, OfferState.FAILED})


def report(
    record: RequestRecord,
    offer_id: str,
    vendor_id: str,
    update: StatusUpdate,
    *,
    now_ms: int,
    values: Mapping[str, Number],
) -> Decision | None:
    """Follow the work; None for a report that was made before or that a later one has overtaken.

    Steps may be left out (a vendor may report nothing but `completed`). Raises NotFound unless the dispatch
    is that vendor's, WrongState when the work is not its own (any more) or another report contradicts it.
    """
    offer = offer_named(record, offer_id, vendor_id)
    if _known(record, offer, update.status):
        return None
    _refuse_unfit(record, offer, offer_id, update.status)
    by = by_vendor(vendor_id)
    code = update.code.value if update.code else update.status.value
    if update.status is T.TURNED_BACK:
        return given_back(record, OfferState.TURNED_BACK, now_ms, by=by, code=code)
    at_ms = _happened(record, update, now_ms)
    if update.status in UNDER_WAY:
        return _under_way(record, offer, update.status, at_ms=at_ms, now_ms=now_ms, values=values)
    return ended(record, update.status, at_ms, values, by=by, code=code)


def ended(
    record: RequestRecord,
    status: TrackingStatus,
    now_ms: int,
    values: Mapping[str, Number],
    *,
    by: str,
    code: str,
) -> Decision:
    """The dispatch over. What it took of the day stays taken until the request is forgotten."""
    assert record.offer is not None  # noqa: S101  (a dispatch is an offer)
    state, offer_state = ENDS[status]
    after = step(
        record,
        state,
        now_ms,
        by,
        code,
        timer_ms=forget_at(record.offer, now_ms, values),
        offers=with_newest(record, fulfil(record.offer, offer_state, now_ms, code)),
        status=status,
    )
    well = status is T.NO_SHOW or (
        status is T.COMPLETED and was_on_time(record, record.offer, now_ms, values)
    )
    return Decision(
        before=record,
        after=after,
        messages=(changed(after, by, code),),
        mark=mark(record.offer.vendor_id, now_ms, well=well),
    )


def _under_way(
    record: RequestRecord,
    offer: OfferRecord,
    status: TrackingStatus,
    *,
    at_ms: int,
    now_ms: int,
    values: Mapping[str, Number],
) -> Decision:
    after = step(
        record,
        RequestState.IN_PROGRESS,
        at_ms,
        by_vendor(offer.vendor_id),
        status.value,
        timer_ms=overdue_at(offer.end_ms, now_ms, values),
        status=status,
        overdue=0,
    )
    news = changed(after, by_vendor(offer.vendor_id), status.value)
    return Decision(before=record, after=after, messages=(news,))


def _known(record: RequestRecord, offer: OfferRecord, status: TrackingStatus) -> bool:
    """Whether the report says nothing new about its dispatch."""
    if offer.state is OfferState.TURNED_BACK:
        return status is T.TURNED_BACK
    if offer.state in DONE:
        return status is record.status or status in UNDER_WAY
    past = UNDER_WAY.get(record.status, 0) if record.status and offer.state is OfferState.ACCEPTED else 0
    return status in UNDER_WAY and UNDER_WAY[status] <= past


def _refuse_unfit(record: RequestRecord, offer: OfferRecord, offer_id: str, status: TrackingStatus) -> None:
    reason = ""
    if offer.state is OfferState.REQUESTED:
        reason = "not accepted yet\nMaybe accept the offer first"
    elif offer.state is not OfferState.ACCEPTED:
        reason = f"{offer.state}\nMaybe tell the coordinator: its work is no longer yours"
    elif record.status is T.ON_BOARD and status in NOT_ON_BOARD:
        reason = "under way with the passenger on board\nMaybe report completed or failed"
    if reason:
        raise WrongState(
            f"dispatch {offer_id} cannot be reported {status}: it is {reason}.", state=offer.state.value
        )


def _happened(record: RequestRecord, update: StatusUpdate, now_ms: int) -> int:
    """When it happened, as reported, within what is possible: not before the last step, not in the future."""
    at_ms = now_ms if update.at is None else to_ms(update.at)
    return min(now_ms, max(at_ms, record.history[-1].at_ms))
