"""received or matching → offered: capacity booked, the offer put to the vendor, the match told."""

from __future__ import annotations

from collections.abc import Mapping

from contracts.codes import OfferState, RequestState
from contracts.requests import Request
from contracts.tuning import Number, Parameter
from contracts.vendors import AssumedAnswer
from dispatcher.domain.commands.subjects import OnRequest
from dispatcher.domain.commands.table import REQUEST, decides
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Change, Decision
from dispatcher.domain.messages import changed, made, matched
from dispatcher.domain.offer_expiry import offer_expiry
from dispatcher.domain.offers import OfferRecord
from dispatcher.domain.prices import rates_of, stored
from dispatcher.domain.proposal import Proposal
from dispatcher.domain.refusals import WrongState
from dispatcher.domain.requests import RequestRecord, moved
from dispatcher.domain.sequence import refuse_out_of_sequence
from dispatcher.domain.states import OPEN

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
USED_UP = "max_attempts"  # the last rule of a request that has had all its offers


def exhausted(record: RequestRecord, values: Mapping[str, Number]) -> bool:
    """Whether the request has had all its offers; those that were taken back unanswered do not count.

    It stays `matching` until its deadline, with a task for a person at once: ops may raise the limit or offer
    it to a vendor of its choice, and a request has one place where it ends for want of a vendor.
    """
    return _attempts(record) >= MAX_ATTEMPTS.whole(values)


def _attempts(record: RequestRecord) -> int:
    return sum(offer.counts for offer in record.offers)


class MakeOffer(OnRequest, frozen=True, kw_only=True):
    """Put a checked match to its vendor."""

    request: Request
    proposal: Proposal


@decides(MakeOffer, REQUEST)
def make_offer(record: RequestRecord, command: MakeOffer, context: Context) -> Decision:
    """Book the capacity and ask.

    Raises WrongState when the request no longer waits, its deadline has passed, its offers are used up, it
    would be out of sequence, or the vendor is one that refused it (and has not changed since) or that the
    platform excluded: the plan was made before that was known.
    """
    _refuse_stale_plan(record, command, context)
    refuse_out_of_sequence(record, command.proposal.span, context)
    new = offered(record, command.proposal, context)
    after = moved(record, RequestState.OFFERED, context, offers=(*record.offers, new), unmatched=None)
    told = (made(after, new, command.request), matched(after, new), changed(after, context.by))
    return Decision(
        changes=(Change(record, after),),
        book=new.bookings,
        messages=told,
        preconditions=command.proposal.preconditions,
        at_ms=context.now_ms,
    )


def _refuse_stale_plan(record: RequestRecord, command: MakeOffer, context: Context) -> None:
    reason = refusal(record, command.request, command.proposal, context)
    if record.state not in OPEN:
        reason = f"it is {record.state}"
    elif exhausted(record, context.values):
        reason = f"it has had {_attempts(record)} offers"
    if reason:
        raise WrongState(f"request {record.id} cannot be offered: {reason}", state=record.state.value)


def refusal(record: RequestRecord, request: Request, proposal: Proposal, context: Context) -> str:
    """Why the proposal may not be offered any more; empty when it may be."""
    vendor_id = proposal.vendor.id
    if context.now_ms >= record.match_by_ms:
        return "its deadline has passed"
    if vendor_id in request.excluded_vendors or record.was_declined_by(vendor_id, proposal.changed_ms):
        return f"vendor {vendor_id} is excluded from it"
    return ""


def offered(record: RequestRecord, proposal: Proposal, context: Context) -> OfferRecord:
    """The proposal as an offer of now."""
    return OfferRecord(
        attempt=len(record.offers) + 1,
        vendor_id=proposal.vendor.id,
        pool_id=proposal.pool_id,
        state=OfferState.REQUESTED,
        made_ms=context.now_ms,
        expires_ms=offer_expiry(record, proposal.vendor, context.now_ms, context.values),
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
        price_lines=stored(proposal.price_lines),
        rates=rates_of(proposal.vendor.rate_card),
    )
