"""What each user sees (P6): a view is a type, so that a field that is not in it cannot leak."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from msgspec.structs import asdict, replace

from contracts.amendments import AmendmentView
from contracts.base import Wire
from contracts.codes import LevelOfService, OfferState, RequestState
from contracts.dispatches import Dispatch
from contracts.geo import WindowView
from contracts.instants import MINUTE_MS, to_instant
from contracts.matches import Match
from contracts.offer_modes import OfferMode
from contracts.offers import LineView, NeedsView, Offer
from contracts.patients import Patient
from contracts.request_views import Attempt, Doors, RequestView, Transition, WaitsFor
from contracts.requests import Request
from dispatcher.domain import prices
from dispatcher.domain.amendments import Amendment, agreed_level
from dispatcher.domain.barriers import barrier_view
from dispatcher.domain.cascade import link_view as chain_view
from dispatcher.domain.coarse_position import coarse_position
from dispatcher.domain.counters import view as counter_view
from dispatcher.domain.links import link_view
from dispatcher.domain.offers import UNAUTHORIZED, OfferRecord
from dispatcher.domain.refusals import WrongState
from dispatcher.domain.requests import RequestRecord, offer_id, priority_of
from dispatcher.domain.requests import Transition as Step
from dispatcher.domain.states import ASKS_BARRIER, REQUEST_STATES, REQUIREMENT_OWNERS, SHOWS_PATIENT

View = TypeVar("View", bound=Wire)
_HINTS: Mapping[OfferState, str] = {  # where there is no dispatch (any more): what may help
    OfferState.REQUESTED: "Maybe accept it first, before its expires_at.",
    OfferState.CANCELLED: "Maybe the request was cancelled, or another has it: nothing is left to do.",
    OfferState.EXPIRED: "Maybe answer sooner: `expires_at` of an offer says until when.",
    OfferState.REJECTED: "Maybe it was declined by mistake: then call whoever runs the service.",
    OfferState.TURNED_BACK: "Maybe it was turned back by mistake: then call whoever runs the service.",
}


def request_view(record: RequestRecord) -> RequestView:
    """For platform and ops: state, owner, match or reasons, history; no patient block."""
    waits_for = tuple(
        WaitsFor(requirement=each, owner=REQUIREMENT_OWNERS[each].value) for each in record.requirements
    )
    return RequestView(
        id=record.id,
        kind=record.kind,
        state=record.state,
        owner=owner_of(record),
        version=record.version,
        received_at=to_instant(record.received_ms),
        match_by=to_instant(record.match_by_ms),
        status=record.status,
        window=_window(record),
        activated_at=to_instant(record.activated_ms) if record.activated_ms else None,
        return_of=record.return_of,
        waits_for=waits_for,
        tasks=record.tasks,
        match=_match(record),
        unmatched=record.unmatched,
        attempts=tuple(_attempt(record, each) for each in record.offers),
        episode=record.episode,
        after=tuple(map(link_view, record.after)),
        before=record.before,
        at_risk=record.risk,
        apart=record.apart,
        history=tuple(map(_transition, record.history)),
        amendments=tuple(
            _amendment(record, number, each) for number, each in enumerate(record.amendments, start=1)
        ),
        standing_order=record.standing_order,
        barrier_asked=asks_barrier(record),
        barrier=barrier_view(record.barrier) if record.barrier else None,
        authorization=record.authorization.authorization if record.authorization else "",
        chain=tuple(map(chain_view, record.chain)),
        collects_until=to_instant(record.collect_ms) if record.collect_ms else None,
    )


def activated_view(record: RequestRecord) -> RequestView:
    """For a facility: that a passenger of its own was called for, and until when that one is picked up.

    Neither who serves it, nor what was done with it, nor what else it belongs to.
    """
    whole = request_view(record)
    return RequestView(
        id=whole.id,
        kind=whole.kind,
        state=whole.state,
        owner=whole.owner,
        version=whole.version,
        received_at=whole.received_at,
        match_by=whole.match_by,
        window=whole.window,
        activated_at=whole.activated_at,
    )


def _transition(step: Step) -> Transition:
    return Transition(
        state=step.state, at=to_instant(step.at_ms), by=step.by, code=step.code, subject=step.subject
    )


def asks_barrier(record: RequestRecord) -> bool:
    """Whether a person has still to say why it ended without its service."""
    unsaid = record.barrier is None or record.barrier.suggested
    return record.state in ASKS_BARRIER and unsaid


def _window(record: RequestRecord) -> WindowView:
    """On the start of service; of a will-call that nobody has called yet: when it may be called."""
    return WindowView(earliest=to_instant(record.earliest_ms), latest=to_instant(record.latest_ms))


def _amendment(record: RequestRecord, number: int, each: Amendment) -> AmendmentView:
    placed = each.placed
    return AmendmentView(
        number=number,
        at=to_instant(each.at_ms),
        by=each.by,
        subject=each.subject,
        fields=each.fields,
        outcome=each.outcome,
        settled_at=to_instant(each.closed_ms) if each.closed_ms else None,
        offer_id=f"{record.id}.{each.attempt}" if each.attempt else "",
        expires_at=to_instant(each.expires_ms) if each.expires_ms else None,
        start_at=to_instant(placed.start_ms) if placed else None,
        price_cents=placed.price_cents if placed else None,
        rules=each.rules,
    )


def read_back(view: RequestView, request: Request, *, sees_doors: bool) -> RequestView:
    """With all that was asked; its doors only for those who may see them, the patient for nobody."""
    return replace(
        view, asked=as_asked(request, sees_doors=sees_doors), doors=Doors.EXACT if sees_doors else Doors.ZONE
    )


def as_asked(request: Request, *, sees_doors: bool) -> Request:
    """A request without its patient; with zones in place of doors for those who may not see these."""
    start, end = request.doors
    if not sees_doors:
        start, end = coarse_position(start), coarse_position(end) if end else None
    return request.with_doors(start, end, patient=None)


def owner_of(record: RequestRecord) -> str:
    """Whoever provides what it waits for; else by the table of states.

    Who would have it unmatched has it as soon as nobody is left to ask.
    """
    if record.requirements:
        return REQUIREMENT_OWNERS[record.requirements[0]].value
    return REQUEST_STATES[RequestState.UNMATCHED if record.has_nobody_left else record.state].owner


def _match(record: RequestRecord) -> Match | None:
    """The match of the vendor that has the work; else of the newest offer that takes capacity."""
    booked = [offer for offer in record.offers if offer.bookings]
    offer = record.dispatch or (booked[-1] if booked else None)
    return match_view(record, offer) if offer is not None and offer.bookings else None


def match_view(record: RequestRecord, offer: OfferRecord) -> Match:
    """The match behind an offer, with the facts of its choice."""
    return Match(
        request_id=record.id,
        vendor_id=offer.vendor_id,
        pool_id=offer.pool_id,
        start_at=to_instant(offer.start_ms),
        end_at=to_instant(offer.end_ms),
        price_cents=offer.price_cents,
        terms=offer.terms,
        runners_up=offer.runners_up,
        tuning_version=offer.tuning_version,
        snapshot=offer.snapshot,
        decided_at=to_instant(offer.made_ms),
        price_lines=prices.lines_view(prices.lines_of(offer)),
    )


def offer_view(record: RequestRecord, offer: OfferRecord, request: Request) -> Offer:
    """For the vendor before it accepts: zones, window, service, needs and price; no door, no name."""
    pickup, dropoff = request.doors
    return Offer(
        id=offer_id(record, offer),
        request_id=record.id,
        vendor_id=offer.vendor_id,
        state=offer.state,
        kind=record.kind,
        window=_window(record),
        start_at=to_instant(offer.start_ms),
        duration_minutes=(offer.end_ms - offer.start_ms) // MINUTE_MS,
        price_cents=offer.price_cents,
        pickup_zone=coarse_position(pickup),
        dropoff_zone=coarse_position(dropoff) if dropoff else None,
        distance_m=offer.distance_m,
        level_of_service=LevelOfService(offer.level) if offer.level else request.ride_level,
        priority=priority_of(record, request),
        skills=request.required_skills,
        needs=_in_full(request.passenger_needs, NeedsView) if request.passenger_needs else None,
        lines=tuple(_in_full(each, LineView) for each in request.order_lines),
        expires_at=to_instant(offer.expires_ms),
        assumed=offer.assumed,
        amendment=len(record.amendments) if _is_asked(record, offer) else 0,
        willing=offer.unanswered and offer.willing_ms > 0,
        decided_by=to_instant(record.collect_ms) if offer.wants and record.collect_ms else None,
        counter=counter_view(record, offer),
        price_lines=prices.lines_view(prices.lines_of(offer)),
        rates=prices.rates_view(offer.rates),
    )


def _is_asked(record: RequestRecord, offer: OfferRecord) -> bool:
    """Whether its vendor has an amendment to answer."""
    return record.pending is not None and record.pending.attempt == offer.attempt


def proposed_offer(record: RequestRecord, offer: OfferRecord, asked: Amendment, request: Request) -> Offer:
    """The work as it would be, once its vendor agrees; `request` is the amended one."""
    facts, placed = asked.facts, asked.placed
    assert facts is not None  # noqa: S101  (kept as long as it is pending)
    window = WindowView(earliest=to_instant(facts.earliest_ms), latest=to_instant(facts.latest_ms))
    if placed is not None:
        offer = replace(
            offer,
            start_ms=placed.start_ms,
            end_ms=placed.end_ms,
            distance_m=placed.distance_m,
            level=agreed_level(offer, asked.fields),
            **prices.amended(offer, placed.price_lines, placed.price_cents),
        )
    return replace(offer_view(record, offer, request), window=window)


def _in_full(asked: Wire, form: type[View]) -> View:
    """What was asked for as the vendor reads it: the same fields, none left out."""
    return form(**asdict(asked))


def refuse_unaccepted(record: RequestRecord, offer: OfferRecord) -> None:
    """Raises WrongState unless the offer's vendor has the work or has done it."""
    if offer.state not in SHOWS_PATIENT:
        code = f" ({offer.code})" if offer.code else ""
        is_unpaid = offer.is_unauthorized
        raise WrongState(
            f"offer {offer_id(record, offer)} is {offer.state}{code}; "
            f"{'nobody has the work' if is_unpaid else 'its dispatch is seen from acceptance on'}\n"
            f"{UNAUTHORIZED if is_unpaid else _HINTS[offer.state]}",
            state=offer.state.value,
        )


def dispatch_view(
    record: RequestRecord, offer: OfferRecord, request: Request, patient: Patient | None
) -> Dispatch:
    """For the vendor after it accepted: door, name and phone.

    Raises WrongState unless the vendor has the work or has done it: patient data has no other way out to it.
    """
    refuse_unaccepted(record, offer)
    pickup, dropoff = request.doors
    return Dispatch(
        id=offer_id(record, offer),
        offer=offer_view(record, offer, request),
        reference=offer.reference,
        status=offer.status,
        pickup=pickup,
        dropoff=dropoff,
        patient=replace(patient, contact=None, record_number="") if patient else None,
        identifiers=request.identifiers,
        price_lines=prices.lines_view(prices.lines_of(offer)),
    )


def _attempt(record: RequestRecord, offer: OfferRecord) -> Attempt:
    charged = prices.charged(offer)
    return Attempt(
        id=offer_id(record, offer),
        vendor_id=offer.vendor_id,
        state=offer.state,
        at=to_instant(offer.closed_ms or offer.made_ms),
        code=offer.code,
        reference=offer.reference,
        chosen_by=offer.chosen_by,
        mode=OfferMode(offer.mode) if offer.mode else None,
        willing=offer.unanswered and offer.willing_ms > 0,
        counter=counter_view(record, offer),
        price_cents=sum(each.cents for each in charged) if charged is not None else None,
        price_lines=prices.lines_view(charged or ()),
    )
