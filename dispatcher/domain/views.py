"""What each user sees (P6): a view is a type, so that a field that is not in it cannot leak."""

from __future__ import annotations

from contracts.dispatches import Dispatch
from contracts.geo import Window
from contracts.matches import Match
from contracts.offers import Offer
from contracts.request_views import Attempt, RequestView, Transition
from contracts.requests import Patient, Request
from dispatcher.domain.coarse_position import zone
from dispatcher.domain.instants import MINUTE_MS, to_instant
from dispatcher.domain.record import OfferRecord, RequestRecord, offer_id
from dispatcher.domain.refusals import WrongState
from dispatcher.domain.states import REQUEST_STATES, SHOWS_PATIENT


def request_view(record: RequestRecord) -> RequestView:
    """For platform and ops: state, owner, match or reasons, history; no patient block."""
    offer = record.offer
    return RequestView(
        id=record.id,
        kind=record.kind,
        state=record.state,
        owner=REQUEST_STATES[record.state].owner,
        version=record.version,
        received_at=to_instant(record.received_ms),
        match_by=to_instant(record.match_by_ms),
        status=record.status,
        match=match_view(record, offer) if offer and offer.bookings else None,
        unmatched=record.unmatched,
        attempts=tuple(_attempt(record, each) for each in record.offers),
        history=tuple(
            Transition(state=step.state, at=to_instant(step.at_ms), by=step.by, code=step.code)
            for step in record.history
        ),
    )


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
        window=Window(earliest=to_instant(record.earliest_ms), latest=to_instant(record.latest_ms)),
        start_at=to_instant(offer.start_ms),
        duration_minutes=(offer.end_ms - offer.start_ms) // MINUTE_MS,
        price_cents=offer.price_cents,
        pickup_zone=zone(pickup),
        dropoff_zone=zone(dropoff) if dropoff else None,
        distance_m=offer.distance_m,
        level_of_service=request.ride_level,
        needs=request.passenger_needs,
        lines=request.order_lines,
        expires_at=to_instant(offer.expires_ms),
        assumed=offer.assumed,
    )


def dispatch_view(
    record: RequestRecord, offer: OfferRecord, request: Request, patient: Patient | None
) -> Dispatch:
    """For the vendor after it accepted: door, name and phone.

    Raises WrongState unless the vendor has the work or has done it: patient data has no other way out to it.
    """
    if offer.state not in SHOWS_PATIENT:
        raise WrongState(
            f"offer {offer_id(record, offer)} is {offer.state}; its dispatch is seen after acceptance\n"
            "Maybe accept it first.",
            state=offer.state.value,
        )
    pickup, dropoff = request.doors
    return Dispatch(
        id=offer_id(record, offer),
        offer=offer_view(record, offer, request),
        reference=offer.reference,
        status=record.status,
        pickup=pickup,
        dropoff=dropoff,
        patient=patient,
    )


def _attempt(record: RequestRecord, offer: OfferRecord) -> Attempt:
    return Attempt(
        id=offer_id(record, offer),
        vendor_id=offer.vendor_id,
        state=offer.state,
        at=to_instant(offer.closed_ms or offer.made_ms),
        code=offer.code,
        reference=offer.reference,
    )
