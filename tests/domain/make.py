"""Requests, vendors and proposals for tests of the domain; times in ms, day 0 is 2026-03-02 in UTC."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from contracts.codes import LevelOfService
from contracts.geo import Circle, Place, Window
from contracts.requests import EquipmentOrder, OrderLine, Patient, TripRequest
from contracts.vendors import AssumedAnswer, ExplicitAnswer, Vendor
from dispatcher.domain.booking import PoolBooking as Booking
from dispatcher.domain.commands.make_offer import MakeOffer
from dispatcher.domain.commands.submit import receive
from dispatcher.domain.commands.table import decide
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Decision
from dispatcher.domain.instants import HOUR_MS, MINUTE_MS, to_instant, to_ms
from dispatcher.domain.proposal import Proposal
from dispatcher.domain.requests import RequestRecord

NOW = to_ms(datetime(2026, 3, 2, 8, 0, tzinfo=UTC))
DOOR = (-73.98571, 40.74844)
FAR_DOOR = (-73.96851, 40.78523)
PATIENT = Patient(name="Canary Nightingale", phone="555-0142", pickup_address="7 Canary Row", notes="canary")
VALUES: dict[str, int | float] = {}


def trip(name: str = "r1", *, ahead_ms: int = 4 * HOUR_MS, **changes: Any) -> TripRequest:
    """A ride whose window opens `ahead_ms` from NOW and lasts half an hour."""
    earliest = NOW + ahead_ms
    facts: dict[str, Any] = {
        "pickup": Place(position=DOOR),
        "dropoff": Place(position=FAR_DOOR),
        "level_of_service": LevelOfService.WHEELCHAIR,
        "pickup_window": Window(earliest=to_instant(earliest), latest=to_instant(earliest + 30 * MINUTE_MS)),
        "patient": PATIENT,
    }
    return TripRequest(id=name, **(facts | changes))


def equipment(name: str = "e1", *, ahead_ms: int = 4 * HOUR_MS) -> EquipmentOrder:
    """An oxygen concentrator, delivered within two hours."""
    earliest = NOW + ahead_ms
    return EquipmentOrder(
        id=name,
        place=Place(position=DOOR),
        window=Window(earliest=to_instant(earliest), latest=to_instant(earliest + 2 * HOUR_MS)),
        lines=(OrderLine(hcpcs="E1390"),),
    )


def vendor(name: str = "v1", *, assumed: bool = False, limit_s: int = 600) -> Vendor:
    """A vendor near the door that answers within `limit_s`."""
    answer = AssumedAnswer(reject_within_s=limit_s) if assumed else ExplicitAnswer(time_limit_s=limit_s)
    return Vendor(
        id=name,
        name=f"Vendor {name}",
        service_area=(Circle(centre=DOOR, radius_m=20_000),),
        levels_of_service=(LevelOfService.WHEELCHAIR,),
        answer=answer,
    )


def proposal(record: RequestRecord, to: Vendor) -> Proposal:
    """One unit of the vendor's pool for half an hour from the window's start."""
    start_ms = record.earliest_ms
    hold = Booking(to.id, "vans", "2026-03-02", 144, 6, 1)
    return Proposal(
        vendor=to,
        pool_id="vans",
        start_ms=start_ms,
        end_ms=start_ms + 30 * MINUTE_MS,
        units=1,
        bookings=(hold,),
        price_cents=4_500,
        distance_m=4_300,
        tuning_version=3,
        snapshot="abc",
    )


def received(request: TripRequest | EquipmentOrder | None = None, now_ms: int = NOW) -> RequestRecord:
    """A request that has come in."""
    return receive(request or trip(), Context(now_ms=now_ms, by="platform")).after


def offered(
    to: Vendor | None = None, *, record: RequestRecord | None = None, now_ms: int = NOW, **changes: Any
) -> RequestRecord:
    """A request offered to a vendor."""
    request = trip(**changes)
    base = record or received(request, now_ms)
    command = MakeOffer(request_id=base.id, request=request, proposal=proposal(base, to or vendor()))
    return after(decide(base, command, Context(now_ms=now_ms, by="matcher")))


def after(decision: Decision | None) -> RequestRecord:
    """The record after a decision that did something."""
    assert decision is not None
    return decision.after
