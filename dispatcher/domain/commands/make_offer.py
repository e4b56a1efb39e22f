"""received or matching → offered: capacity booked, the offer put to the vendor, the match told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain

from contracts.codes import RequestState
from contracts.offer_modes import OfferMode
from contracts.requests import Request
from contracts.tuning import Number, Parameter
from dispatcher.domain.broadcast import collects_until
from dispatcher.domain.cascade import link_of
from dispatcher.domain.coarse_position import area_of
from dispatcher.domain.commands.subjects import OnRequest
from dispatcher.domain.commands.table import REQUEST, decides
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Change, Decision
from dispatcher.domain.fairness import GroupCount, first_offer
from dispatcher.domain.messages import changed, made, matched
from dispatcher.domain.offer_modes import mode_of
from dispatcher.domain.offering import offer_of
from dispatcher.domain.offers import OfferRecord, attempts, bookings_of
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
    summary="Most offers for one request, a broadcast being one; then it waits for ops or its deadline.",
    scope="domain.offer",
)
PARAMETERS = (MAX_ATTEMPTS,)
USED_UP = "max_attempts"  # the last rule of a request that has had all its offers


def exhausted(record: RequestRecord, values: Mapping[str, Number]) -> bool:
    """Whether the request has had all its offers; those that were taken back unanswered do not count.

    It stays `matching` until its deadline, with a task for a person at once: ops may raise the limit or offer
    it to a vendor of its choice, and a request has one place where it ends for want of a vendor.
    """
    return attempts(record.offers) >= MAX_ATTEMPTS.whole(values)


class MakeOffer(OnRequest, frozen=True, kw_only=True):
    """Put a checked match to its vendor.

    `mode`: how; None: as that vendor has agreed to answer. `others`: of a broadcast who is asked beside it,
    of a cascade who is asked after it, in order. `group`: whose first offer is counted, and how long it
    waited; "": nobody's.
    """

    request: Request
    proposal: Proposal
    mode: OfferMode | None = None
    others: tuple[Proposal, ...] = ()
    group: str = ""
    waited_ms: int = 0


@decides(MakeOffer, REQUEST)
def make_offer(record: RequestRecord, command: MakeOffer, context: Context) -> Decision:
    """Book the capacity and ask; a broadcast books nothing.

    Raises WrongState when the request no longer waits, its deadline has passed, its offers are used up, it
    would be out of sequence, or a vendor is one that refused it (and has not changed since) or that the
    platform excluded: the plan was made before that was known.
    """
    _refuse_stale_plan(record, command, context)
    asked, later = _in_turn(command)
    for each in asked:
        refuse_out_of_sequence(record, each.span, context)
    first = len(record.offers) + 1
    new = tuple(
        offered(record, each, context, command.mode, attempt=number)
        for number, each in enumerate(asked, start=first)
    )
    after = moved(
        record,
        RequestState.OFFERED,
        context,
        offers=(*record.offers, *new),
        unmatched=None,
        chain=tuple(map(link_of, later)),
        area=area_of(command.request.doors[0]),
        collect_ms=collects_until(new, context),
    )
    told = [(made(after, each, command.request), matched(after, each)) for each in new]
    return Decision(
        changes=(Change(record, after),),
        book=bookings_of(new),
        messages=(*chain.from_iterable(told), changed(after, context.by)),
        preconditions=tuple(dict.fromkeys(rest for each in asked for rest in each.preconditions)),
        groups=_first(record, command, context),
        at_ms=context.now_ms,
    )


def _first(record: RequestRecord, command: MakeOffer, context: Context) -> tuple[GroupCount, ...]:
    if record.offers or not command.group:
        return ()
    return (first_offer(command.group, command.waited_ms, context.now_ms),)


def _in_turn(command: MakeOffer) -> tuple[Sequence[Proposal], Sequence[Proposal]]:
    """Who is asked now, and who may be afterwards."""
    if command.mode is OfferMode.BROADCAST:
        return (command.proposal, *command.others), ()
    return (command.proposal,), command.others


def _refuse_stale_plan(record: RequestRecord, command: MakeOffer, context: Context) -> None:
    asked, _ = _in_turn(command)
    reason = next(filter(None, (refusal(record, command.request, each, context) for each in asked)), "")
    if record.state not in OPEN:
        reason = f"it is {record.state}"
    elif exhausted(record, context.values):
        reason = f"it has had {attempts(record.offers)} offers"
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


def own_mode(record: RequestRecord, request: Request, context: Context) -> OfferMode | None:
    """The mode of an offer that is made to one vendor alone: whether that has to say yes."""
    mode = mode_of(record, request, context.now_ms, context.values, context.lists)
    return OfferMode.EXPLICIT if mode is OfferMode.EXPLICIT else None


def offered(
    record: RequestRecord,
    proposal: Proposal,
    context: Context,
    mode: OfferMode | None = None,
    *,
    attempt: int = 0,
) -> OfferRecord:
    """The proposal as an offer of now."""
    return offer_of(record, link_of(proposal), context, mode, attempt=attempt, runners_up=proposal.runners_up)
