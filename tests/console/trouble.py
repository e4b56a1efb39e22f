"""A small town for the console's tests: two vendors with vans, and rides in every kind of trouble."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec

from tests.console.conftest import Desk
from tests.http.conftest import NOW, trip
from tests.http.test_offers import PAPERS
from tests.http.test_versions import POOLS, VENDOR

DAY = "2026-03-03"


async def vendor(desk: Desk, market: str, name: str, units: int = 2, **changes: Any) -> None:
    """A vendor that may serve what `ride` asks for, with so many vans tomorrow."""
    body = VENDOR | {"id": name, "credentials": msgspec.to_builtins(PAPERS)} | changes
    await desk.call(market, "PUT", f"/vendors/{name}", body)
    pool = POOLS["pools"][0] | {"units": [units]}  # type: ignore[index]
    await desk.call(market, "PUT", f"/vendors/{name}/capacity/{DAY}", POOLS | {"pools": [pool]})


async def ride(desk: Desk, market: str, name: str, minutes: float = 24 * 60, **changes: Any) -> None:
    """A ride so many minutes from now, within half an hour."""
    at = NOW + timedelta(minutes=minutes)
    window = {"earliest": at.isoformat(), "latest": (at + timedelta(minutes=30)).isoformat()}
    await desk.call(market, "POST", "/requests", trip(name, pickup_window=window, **changes))


async def town(desk: Desk) -> str:
    """A market with two vendors; a ride that nobody has, one that is offered, one that is on hold."""
    market = desk.new_market()
    for name in ("v1", "v2"):
        await vendor(desk, market, name)
    await ride(desk, market, "soon", 40)
    await ride(desk, market, "asked", identifiers=[{"system": "broker", "value": "TRIP 9"}])
    await ride(desk, market, "later")
    await ride(desk, market, "held", hold="predecessor")
    await desk.call(market, "POST", "/requests/asked/offer", {"vendor_id": "v1"})
    return market
