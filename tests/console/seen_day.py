"""A day that is seen on the map and the Gantt: two vendors, some rides, one offered, declined, accepted."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec

from contracts.capacity import Capacity
from contracts.codes import DeclineCode, Role
from contracts.instants import to_instant
from contracts.vendors import Vendor
from dispatcher.domain.commands.accept import AcceptOffer
from dispatcher.domain.commands.decline import DeclineOffer
from dispatcher.matching.market import Market
from dispatcher.security.principal import Principal
from solvers.travel import DetourTravel
from tests.console.conftest import Desk
from tests.http.conftest import trip
from tests.http.test_by_hand import VENDOR

OPS = Principal.of(Role.OPS, markets=None)
POOLS = {"kind": "pools", "pools": [{"id": "vans", "serves": ["wheelchair"], "units": [2]}]}
RIDES = 8
PATIENT = {"name": "Robin Wren", "record_number": "MRN 7", "notes": "Ring twice"}


def ride(name: str, at: datetime, **changes: Any) -> dict[str, Any]:
    """A ride within half an hour from then."""
    window = {"earliest": at.isoformat(), "latest": (at + timedelta(minutes=30)).isoformat()}
    return trip(name, pickup_window=window, **changes)


_settled: dict[Desk, tuple[str, str]] = {}


async def settle(desk: Desk) -> tuple[str, str]:
    """A market with this day, and the day; made once for all who only look."""
    if desk not in _settled:
        _settled[desk] = await _settle(desk)
    return _settled[desk]


async def _settle(desk: Desk) -> tuple[str, str]:
    """v1 declines r1, v2 takes it, a minute apart."""
    market, day = await asked(desk)
    service, clock = desk.parts.service, desk.parts.clock
    answers = {
        "v1": DeclineOffer(offer_id="r1.1", code=DeclineCode.NO_VEHICLES_AVAILABLE),
        "v2": AcceptOffer(offer_id="r1.2"),
    }
    for vendor, answer in answers.items():
        await clock.sleep(60)
        await desk.call(market, "POST", "/requests/r1/offer", {"vendor_id": vendor}, Role.OPS)
        await clock.sleep(60)
        who = Principal.of(Role.VENDOR, vendor_id=vendor, markets=frozenset({market}))
        await service.execute(who, market, answer)
    return market, day


async def asked(desk: Desk, *, days_ahead: int = 0) -> tuple[str, str]:
    """A market with two vendors and rides for that day, and the day; nobody has them yet."""
    market, service, clock = desk.new_market(), desk.parts.service, desk.parts.clock
    zone, quoter = desk.zones[market], desk.parts.quoter
    made: Any = Market(service.store.market(market), zone, clock, DetourTravel.of)
    quoter._markets[market] = made  # type: ignore[attr-defined]  # it knows those of its beginning
    now = to_instant(clock.now_ms()) + timedelta(days=days_ahead)
    day = now.astimezone(zone).date()
    for name in ("v1", "v2"):
        one = msgspec.convert(VENDOR | {"id": name, "name": f"Rides {name}"}, Vendor)
        await service.vendors.put(OPS, market, one, None)
        capacity = msgspec.convert(POOLS, Capacity)
        await service.capacity.put(OPS, market, name, day, capacity, expected_version=None)
    rides = [ride(f"r{nth}", now + timedelta(minutes=60 + 30 * nth)) for nth in range(1, RIDES + 1)]
    rides[0] |= {"patient": PATIENT}
    await desk.call(market, "POST", "/requests", {"requests": rides}, Role.PLATFORM)
    return market, day.isoformat()
