"""Requests, records, offers and decisions for tests of the store; no rule of the business is tested here."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from msgspec.structs import replace

from contracts.codes import LevelOfService, OfferState, RequestState, ServiceClass
from contracts.events import OfferClosed, RequestChanged
from contracts.geo import Circle, Place, Window
from contracts.patients import Patient
from contracts.pools import Pool, Pools
from contracts.requests import TripRequest
from contracts.vendors import Vendor
from contracts.will_call import WillCall
from dispatcher.domain.booking import Booking
from dispatcher.domain.decision import Change, Decision, Message
from dispatcher.domain.offers import OfferRecord
from dispatcher.domain.requests import RequestRecord, Transition

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
NOW_MS = int(NOON.timestamp() * 1000)
DAY = date(2026, 11, 23)
PATIENT = Patient(name="Canary Wren", phone="+1 555 0100", pickup_address="7 Canary Row")


def trip(request_id: str, patient: Patient | None = PATIENT) -> TripRequest:
    window = Window(earliest=NOON + timedelta(hours=2), latest=NOON + timedelta(hours=2, minutes=30))
    return TripRequest(
        id=request_id,
        pickup=Place(position=(-74.0, 40.7)),
        dropoff=Place(position=(-73.9, 40.8)),
        level_of_service=LevelOfService.WHEELCHAIR,
        pickup_window=window,
        patient=patient,
    )


def will_call(request_id: str, patient: Patient | None = PATIENT) -> TripRequest:
    return replace(trip(request_id, patient), pickup_window=None, will_call=WillCall(day=DAY))


def record(request_id: str, **changes: Any) -> RequestRecord:
    fresh = RequestRecord(
        id=request_id,
        version=1,
        state=RequestState.RECEIVED,
        kind="trip",
        received_ms=NOW_MS,
        match_by_ms=NOW_MS + 7_200_000,
        earliest_ms=NOW_MS + 7_200_000,
        latest_ms=NOW_MS + 9_000_000,
        timer_ms=NOW_MS + 7_200_000,
        history=(Transition(RequestState.RECEIVED, NOW_MS, "platform"),),
    )
    return replace(fresh, **changes)


def decided(before: RequestRecord | None, after: RequestRecord, **more: Any) -> Decision:
    """The request goes from `before` to `after`, and all who follow requests hear of it."""
    told = more.pop("messages", (changed(after),))
    return Decision(changes=(Change(before, after),), messages=told, at_ms=after.history[-1].at_ms, **more)


def received(request_id: str, **changes: Any) -> Decision:
    return decided(None, record(request_id, **changes))


def changed(after: RequestRecord) -> Message:
    data = RequestChanged(request_id=after.id, state=after.state, version=after.version)
    return Message(type="dispatch.request.changed", subject=after.id, data=data)


def booking(units: int = 1, first: int = 168, count: int = 6, **changes: Any) -> Booking:
    return replace(Booking("v1", "vans", DAY.isoformat(), first, count, units), **changes)


def offered(before: RequestRecord, *bookings: Booking) -> Decision:
    """The request is offered to vendor v1, who gets a message."""
    offer = OfferRecord(
        attempt=len(before.offers) + 1,
        vendor_id="v1",
        pool_id="vans",
        state=OfferState.REQUESTED,
        made_ms=NOW_MS,
        expires_ms=NOW_MS + 600_000,
        start_ms=NOW_MS + 7_200_000,
        end_ms=NOW_MS + 9_000_000,
        price_cents=4_500,
        assumed=False,
        bookings=bookings,
    )
    after = moved(before, RequestState.OFFERED, offers=(*before.offers, offer), timer_ms=offer.expires_ms)
    name = f"{after.id}.{offer.attempt}"
    news = OfferClosed(offer_id=name, state="requested")
    told = Message(type="dispatch.offer.closed", subject=name, data=news, vendor_id="v1")
    return decided(before, after, book=bookings, messages=(changed(after), told))


def released(before: RequestRecord) -> Decision:
    """The vendor declines: back to matching, the units are free."""
    return answered(before, OfferState.REJECTED, RequestState.MATCHING)


def cancelled(before: RequestRecord) -> Decision:
    """The platform takes it back; what was booked is free."""
    if not before.offers:
        return decided(before, moved(before, RequestState.CANCELLED))
    return answered(before, OfferState.CANCELLED, RequestState.CANCELLED)


def accepted(before: RequestRecord) -> Decision:
    """The vendor takes it; the units stay booked."""
    offer = replace(before.offers[-1], state=OfferState.ACCEPTED)
    return decided(before, moved(before, RequestState.ACCEPTED, offers=(*before.offers[:-1], offer)))


def forgotten(before: RequestRecord) -> Decision:
    """Nothing is left of it."""
    return Decision(changes=(Change(before, None),), at_ms=NOW_MS)


def answered(before: RequestRecord, offer_state: OfferState, state: RequestState) -> Decision:
    """The newest offer is over, and what it had booked is free."""
    offer = replace(before.offers[-1], state=offer_state, bookings=())
    after = moved(before, state, offers=(*before.offers[:-1], offer))
    return decided(before, after, unbook=before.offers[-1].bookings)


def moved(before: RequestRecord, state: RequestState, **changes: Any) -> RequestRecord:
    step = Transition(state, NOW_MS + before.version, "test")
    history = (*before.history, step)
    return replace(before, version=before.version + 1, state=state, history=history, **changes)


def pools(units: int, daily_cap: int = 10_000, pool_id: str = "vans") -> Pools:
    pool = Pool(id=pool_id, serves=(ServiceClass.WHEELCHAIR,), units=(units,) * 24, daily_cap=daily_cap)
    return Pools(pools=(pool,))


def vendor(vendor_id: str = "v1") -> Vendor:
    area = Circle(centre=(-74.0, 40.7), radius_m=30_000)
    return Vendor(id=vendor_id, name="Gull Rides", service_area=(area,))
