"""accepted or in progress → what the vendor reports: under way, ended, or turned back."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from contracts.codes import OfferState, ReportCode, RequestState, Role, TrackingStatus
from contracts.instants import to_ms
from dispatcher.domain.commands.decline import given_back
from dispatcher.domain.commands.plausible import refuse_too_early, refuse_unfit_code
from dispatcher.domain.commands.subjects import OnOffer
from dispatcher.domain.commands.table import REQUEST, decides
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Change, Decision
from dispatcher.domain.messages import changed
from dispatcher.domain.offers import OfferRecord, fulfil
from dispatcher.domain.prices import boarded
from dispatcher.domain.proof_required import ended as without_proof
from dispatcher.domain.refusals import WrongState
from dispatcher.domain.requests import RequestRecord, moved
from dispatcher.domain.scorecards import Outcome, completed, outcome_of, unproved

T = TrackingStatus
UNDER_WAY = {T.EN_ROUTE: 1, T.AT_PICKUP: 2, T.ON_BOARD: 3}  # in the order in which they happen
ENDS = {
    T.COMPLETED: (RequestState.COMPLETED, OfferState.COMPLETED),
    T.NO_SHOW: (RequestState.NO_SHOW, OfferState.COMPLETED),  # the vendor was there: its work is done
    T.FAILED: (RequestState.FAILED, OfferState.FAILED),
}
NOT_ON_BOARD = frozenset({T.NO_SHOW, T.TURNED_BACK})
DONE = frozenset({OfferState.COMPLETED, OfferState.FAILED})
OUTCOMES = {T.NO_SHOW: Outcome.NO_SHOW, T.FAILED: Outcome.FAILED}
ARRIVED = frozenset({T.AT_PICKUP, T.ON_BOARD})


class ReportStatus(OnOffer, frozen=True, kw_only=True):
    """How the work goes; `at` is when it happened, left out: now."""

    status: TrackingStatus
    at: datetime | None = None
    code: ReportCode | None = None

    @property
    def is_before_work(self) -> bool:
        """See `OnOffer`."""
        return self.status is T.EN_ROUTE


@decides(ReportStatus, REQUEST, roles={Role.VENDOR})
def report(record: RequestRecord, command: ReportStatus, context: Context) -> Decision | None:
    """Follow the work; None for a report that was made before or that a later one has overtaken.

    Steps may be left out (a vendor may report nothing but `completed`). Raises NotFound unless the dispatch
    is that vendor's, Invalid for what cannot be meant (see `plausible`), WrongState when the work is not its
    own (any more) or another report contradicts it.
    """
    offer = record.offer_named(command.offer_id, context.vendor_id)
    refuse_unfit_code(command.status, command.code)
    if _known(offer, command.status):
        return None
    _refuse_unfit(offer, command.offer_id, command.status)
    code = command.code.value if command.code else command.status.value
    if command.status is T.TURNED_BACK:
        return given_back(record, offer, OfferState.TURNED_BACK, context, code)
    at_ms = _happened(record, command.at, context.now_ms)
    refuse_too_early(record, command.status, at_ms, context.values)
    if command.status in UNDER_WAY:
        return _under_way(record, offer, command.status, context, at_ms)
    return ended(record, offer, command.status, context, code=code, at_ms=at_ms)


def ended(
    record: RequestRecord,
    offer: OfferRecord,
    status: TrackingStatus,
    context: Context,
    *,
    code: str,
    at_ms: int | None = None,
) -> Decision:
    """The dispatch over. What it took of the day stays taken until the request is forgotten."""
    at_ms = context.now_ms if at_ms is None else at_ms
    state, offer_state = ENDS[status]
    over = fulfil(offer, offer_state, at_ms, code, status)
    over = without_proof(over, record.kind, context.values)
    after = moved(record, state, context, code, at_ms=at_ms, offers=record.offers_with(over))
    outcome = (
        completed(record, offer, context, at_ms)
        if status is T.COMPLETED
        else outcome_of(record, offer, context, OUTCOMES[status], code=code, at_ms=at_ms)
    )
    return Decision(
        changes=(Change(record, after),),
        messages=(changed(after, context.by, code),),
        outcomes=(outcome, *unproved(record, over, context)),
        at_ms=at_ms,
    )


def _under_way(
    record: RequestRecord, offer: OfferRecord, status: TrackingStatus, context: Context, at_ms: int
) -> Decision:
    arrived_ms = offer.arrived_ms or (at_ms if status in ARRIVED else 0)
    price = boarded(offer, at_ms) if status is T.ON_BOARD else {}
    going = replace(offer, status=status, arrived_ms=arrived_ms, overdue=0, **price)
    after = moved(
        record,
        RequestState.IN_PROGRESS,
        context,
        status.value,
        at_ms=at_ms,
        offers=record.offers_with(going),
    )
    news = changed(after, context.by, status.value)
    return Decision(changes=(Change(record, after),), messages=(news,), at_ms=at_ms)


def _known(offer: OfferRecord, status: TrackingStatus) -> bool:
    """Whether the report says nothing new about its dispatch."""
    if offer.state is OfferState.TURNED_BACK:
        return status is T.TURNED_BACK
    if offer.state in DONE:
        return status is offer.status or status in UNDER_WAY
    past = UNDER_WAY.get(offer.status, 0) if offer.status and offer.state is OfferState.ACCEPTED else 0
    return status in UNDER_WAY and UNDER_WAY[status] <= past


def _refuse_unfit(offer: OfferRecord, name: str, status: TrackingStatus) -> None:
    reason = ""
    if offer.unanswered:
        reason = "not accepted yet\nMaybe accept the offer first"
    elif offer.state is not OfferState.ACCEPTED:
        is_over = offer.state in DONE
        advice = (
            "nothing is left to report" if is_over else "tell the coordinator: its work is no longer yours"
        )
        reason = f"{offer.state}\nMaybe {advice}"
    elif offer.status is T.ON_BOARD and status in NOT_ON_BOARD:
        reason = "under way with the passenger on board\nMaybe report completed or failed"
    if reason:
        raise WrongState(
            f"dispatch {name} cannot be reported {status}: it is {reason}.", state=offer.state.value
        )


def _happened(record: RequestRecord, at: datetime | None, now_ms: int) -> int:
    """When it happened, as reported, within what is possible: not before the last step, not in the future.

    It is not refused for its time, as what is claimed is (`plausible.happened`): that it is so is worth more.
    """
    at_ms = now_ms if at is None else to_ms(at)
    return min(now_ms, max(at_ms, record.history[-1].at_ms))
