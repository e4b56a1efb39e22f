"""What the ordering client says: an offer, an order, a task, a cancellation, as telegrams. Pure.

Before acceptance a place is the zone's centre; door, name and phone come with the order. What the schema has
no element for stands in a tripRequest's `openAttribute`, as `name=value; …`, and later as text to the driver.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from zoneinfo import ZoneInfo

from contracts.codes import DoorLevel, LevelOfService, OfferState
from contracts.dispatches import Dispatch
from contracts.events import OfferClosed
from contracts.geo import Position
from contracts.offers import NeedsView, Offer
from contracts.patients import Patient
from dispatcher.interop.tds.writing import Element, element, listed, optional, place, telegram, time

NUMBERS = {  # in the report, of those that are sent
    "tripRequest": "1A",
    "clientOrderConfirmation": "2A",
    "tripTask": "3A",
    "tripCancelRequest": "6A",
}
ZONE_PRECISION_M, DOOR_PRECISION_M = 1_500, 10
PLAIN_PHONE = (
    re.compile(  # up to E.164's 15 digits; no 0 at the head or in brackets, which a whole number loses
        r"(?!.*\(0\))\+?[ (]*[1-9](?:[ ().\-]*[0-9]){2,14}", re.ASCII
    )
)
AIDS = {
    LevelOfService.AMBULATORY: "A",
    LevelOfService.WHEELCHAIR: "W",
    LevelOfService.BARIATRIC_WHEELCHAIR: "WW",
}
DOORS = {
    DoorLevel.DOOR_TO_DOOR: ("D2D",),
    DoorLevel.DOOR_THROUGH_DOOR: ("DTD",),
    DoorLevel.HAND_TO_HAND: ("DTD", "NLA"),
}


def trip_request(offer: Offer, sent: dt.datetime, tz: ZoneInfo) -> bytes:
    """1A: whether this trip would be taken; no door, no name."""
    return telegram(
        "tripRequest",
        offer.id,
        time("timestamp", sent, tz),
        _zone("pickupAddress", offer.pickup_zone),
        _zone("dropoffAddress", offer.dropoff_zone),
        *_times(offer, tz),
        element("hardConstraintOnPickupTime", text="true"),
        specialAttributes=listed(_special(offer)),
        transportServices=offer.level_of_service,
        openAttribute="; ".join(_open(offer, tz)),
    )


def order(dispatch: Dispatch, payer: str, sent: dt.datetime, tz: ZoneInfo) -> bytes:
    """2A: the order, with doors, name and phone. `payer`: who funds it."""
    offer, patient = dispatch.offer, dispatch.patient
    needs = offer.needs or NeedsView()
    return telegram(
        "clientOrderConfirmation",
        offer.id,
        time("timestamp", sent, tz),
        element("tripRequestId", text=offer.id),  # the schema has it twice
        _door("pickupAddress", dispatch.pickup, _words(dispatch)),
        _door("dropoffAddress", dispatch.dropoff or dispatch.pickup),
        *_times(offer, tz),
        element("hardConstraintOnPickupTime", text="true"),
        optional("detailedDropoffLocationDescription", patient and patient.dropoff_address),
        optional("detailedPickupLocationDescription", patient and patient.pickup_address),
        element("customerName", text=patient.name if patient else ""),
        optional("customerMobilePhone", digits(patient)),
        optional("numOtherReservedPassengers", needs.escorts or None),
        element("fundingEntityId", text=payer),
        fareAmount=f"{offer.price_cents / 100:.2f}",
    )


def task(dispatch: Dispatch, sent: dt.datetime, tz: ZoneInfo) -> bytes:
    """3A: the same for a vehicle. One trip is one task; its places in the vehicle's day are the vendor's."""
    offer, patient = dispatch.offer, dispatch.patient
    needs = offer.needs or NeedsView()
    return telegram(
        "tripTask",
        offer.id,
        time("timestamp", sent, tz),
        element("tripTaskId", text=dispatch.reference or offer.id),
        element("customerPickupLocInVehPerformanceSequence", text="1"),
        _door("pickupNodeAddress", dispatch.pickup),
        time("pickupNodeScheduledTime", offer.start_at, tz),
        optional("detailedPickupLocationDescription", patient and patient.pickup_address),
        element("customerDropoffLocInVehPerformanceSequence", text="2"),
        _door("dropoffNodeAddress", dispatch.dropoff or dispatch.pickup),
        time("dropoffNodeScheduledTime", _end(offer), tz),
        optional("detailedDropoffLocationDescription", patient and patient.dropoff_address),
        optional("customerMobilePhone", digits(patient)),
        element("customerName", text=patient.name if patient else ""),
        optional("numOtherReservedPassengers", needs.escorts or None),
        notesForDriver=_words(dispatch) or None,
        specialAttributes=listed(_special(offer)),
        fareAmount=f"{offer.price_cents / 100:.2f}",
    )


def cancellation(trip_id: str, closed: OfferClosed, sent: dt.datetime, tz: ZoneInfo) -> bytes:
    """6A: an offer or dispatch is taken back, or was not answered in time."""
    return telegram(
        "tripCancelRequest",
        trip_id,
        time("timestamp", sent, tz),
        time("cancellationTime", sent, tz),
        reason=_reason(closed),
    )


def _reason(closed: OfferClosed) -> str:
    if closed.code.startswith("amend"):
        return "BOOKING_TIME"
    is_cancelled = closed.state == OfferState.CANCELLED and not closed.code
    return "UNABLE_TO_MAKE_TRIP" if is_cancelled else "OTHER"


def digits(patient: Patient | None) -> str:
    """A telephone number as the schema has it, a whole number; "" for one that would lose a part of it."""
    phone = patient.phone.strip() if patient else ""
    return re.sub("[^0-9]", "", phone) if PLAIN_PHONE.fullmatch(phone) else ""


def _zone(name: str, where: Position | None) -> Element | None:
    return element(name, place(where, ZONE_PRECISION_M)) if where is not None else None


def _door(name: str, where: Position, words: str = "") -> Element:
    note = (
        element(
            "manualDescriptionAddress",
            sendtoInvoice=False,
            sendtoVehicle=True,
            sendtoOperator=True,
            manualText=words,
            vehicleConfirmation=False,
        )
        if words
        else None
    )
    return element(name, note, place(where, DOOR_PRECISION_M))


def _times(offer: Offer, tz: ZoneInfo) -> Iterator[Element | None]:
    yield time("pickupTime", offer.start_at, tz)
    yield time("dropoffTime", _end(offer), tz)
    yield time("pickupWindowStartTime", offer.window.earliest, tz)
    yield time("pickupWindowEndTime", offer.window.latest, tz)


def _end(offer: Offer) -> dt.datetime:
    return offer.start_at + dt.timedelta(minutes=offer.duration_minutes)


def _special(offer: Offer) -> Iterator[str]:
    """Codes of specialAttributes, as far as there are any."""
    needs = offer.needs
    if offer.level_of_service in AIDS:
        yield AIDS[offer.level_of_service]
    if needs is not None:
        yield from DOORS.get(needs.door_level, ())
        if needs.oxygen_l_min:
            yield "O"


def _open(offer: Offer, tz: ZoneInfo) -> Iterator[str]:
    """All that has no place of its own, `name=value`, by our names."""
    said = {
        "level_of_service": offer.level_of_service,
        "price_cents": offer.price_cents,
        "expires_at": offer.expires_at.astimezone(tz).replace(microsecond=0).isoformat(),
        "assumed": offer.assumed or None,
        "priority": offer.priority,
        "amendment": offer.amendment or None,
        "distance_m": offer.distance_m or None,
    } | _needs(offer)
    for name, value in said.items():
        if value is not None:
            yield f"{name}={str(value).lower() if isinstance(value, bool) else value}"


def _needs(offer: Offer) -> dict[str, object]:
    """What the passenger needs, without what is none."""
    needs = offer.needs or NeedsView()
    return {
        "attendants": needs.attendants or None,
        "escorts": needs.escorts or None,
        "oxygen_l_min": needs.oxygen_l_min or None,
        "stairs": needs.stairs or None,
        "weight_kg": needs.weight_kg,
        "infectious_precautions": needs.infectious_precautions or None,
        "door_level": needs.door_level,
        "skills": ",".join(offer.skills) or None,
    }


def _words(dispatch: Dispatch) -> str:
    """What driver and dispatcher have to know and no element holds."""
    patient, needs = dispatch.patient, _needs(dispatch.offer)
    told = [f"{name} {value}" for name, value in needs.items() if value is not None]
    if patient is not None and patient.phone and not digits(patient):
        told.append(f"phone {patient.phone}")
    told += [f"number {each.value}" for each in dispatch.identifiers]
    notes = [patient.notes] if patient is not None and patient.notes else []
    return "; ".join([*notes, f"level of service {dispatch.offer.level_of_service}", *told])
