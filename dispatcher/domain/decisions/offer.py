"""received or matching → offered: capacity held, the offer put to the vendor, the match told."""

from __future__ import annotations

from collections.abc import Mapping

from contracts.codes import OfferState, RequestState
from contracts.requests import Request
from contracts.tuning import Number, Parameter
from contracts.vendors import AssumedAnswer
from dispatcher.domain.deadlines import offer_expiry
from dispatcher.domain.decision import Decision
from dispatcher.domain.messages import changed, made, matched
from dispatcher.domain.proposal import Proposal
from dispatcher.domain.record import OfferRecord, RequestRecord
from dispatcher.domain.refusals import WrongState
from dispatcher.domain.states import OPEN
from dispatcher.domain.transitions import step

MAX_ATTEMPTS = Parameter(
    name="max_attempts",
    default=12,
    minimum=1,
    maximum=50,
    unit="offers",
    summary="Most offers for one request; then it waits for ops or its deadline.",
    scope="domain.offer",
)
PARAMETERS = (MAX_ATTEMPTS,)
BY = "matcher"


def exhausted(record: RequestRecord, values: Mapping[str, Number]) -> bool:
    """Whether the request has had all its offers.

    It stays `matching` until its deadline: ops may raise the limit or call a vendor, and a request has one
    place where it ends for want of a vendor.
    """
    return len(record.offers) >= MAX_ATTEMPTS.whole(values)


def offer(
    record: RequestRecord, request: Request, proposal: Proposal, now_ms: int, values: Mapping[str, Number]
) -> Decision:
    """Put a checked match to its vendor.

    Raises WrongState when the request no longer waits, its deadline has passed, its offers are used up, or
    the vendor is one that refused it (and has not changed since) or that the platform excluded: the plan was
    made before that was known.
    """
    _refuse_stale_plan(record, request, proposal, now_ms, values)
    new = _offered(record, proposal, now_ms, values)
    after = step(
        record,
        RequestState.OFFERED,
        now_ms,
        BY,
        timer_ms=new.expires_ms,
        offers=(*record.offers, new),
        status=None,
        unmatched=None,
    )
    messages = (made(after, new, request), matched(after, new), changed(after, BY))
    return Decision(
        before=record, after=after, book=new.bookings, messages=messages, preconditions=proposal.preconditions
    )


def _refuse_stale_plan(
    record: RequestRecord, request: Request, proposal: Proposal, now_ms: int, values: Mapping[str, Number]
) -> None:
    vendor_id = proposal.vendor.id
    reason = ""
    if record.state not in OPEN:
        reason = f"it is {record.state}"
    elif now_ms >= record.match_by_ms:
        reason = "its deadline has passed"
    elif exhausted(record, values):
        reason = f"it has had {len(record.offers)} offers"
    elif vendor_id in request.excluded_vendors or record.was_declined_by(vendor_id, proposal.changed_ms):
        reason = f"vendor {vendor_id} is excluded from it"
    if reason:
        raise WrongState(f"request {record.id} cannot be offered: {reason}", state=record.state.value)


def _offered(
    record: RequestRecord, proposal: Proposal, now_ms: int, values: Mapping[str, Number]
) -> OfferRecord:
    return OfferRecord(
        attempt=len(record.offers) + 1,
        vendor_id=proposal.vendor.id,
        pool_id=proposal.pool_id,
        state=OfferState.REQUESTED,
        made_ms=now_ms,
        expires_ms=offer_expiry(record, proposal.vendor, now_ms, values),
        start_ms=proposal.start_ms,
        end_ms=proposal.end_ms,
        price_cents=proposal.price_cents,
        assumed=isinstance(proposal.vendor.answer, AssumedAnswer),
        bookings=proposal.bookings,
        tuning_version=proposal.tuning_version,
        snapshot=proposal.snapshot,
        terms=proposal.terms,
        runners_up=proposal.runners_up,
        distance_m=proposal.distance_m,
    )
