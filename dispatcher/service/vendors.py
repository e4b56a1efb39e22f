"""Vendors: versioned documents."""

from __future__ import annotations

from collections.abc import Iterable

from contracts.codes import Role
from contracts.requests import Request
from contracts.vendors import Vendor
from dispatcher.domain.refusals import NotFound
from dispatcher.runtime.clock import Clock
from dispatcher.security.principal import Principal
from dispatcher.service.markets import Markets
from dispatcher.store.codec import Versioned


class Vendors:
    """Reads give a version (the ETag); writes take the expected one (If-Match): 0: new, None: any.

    They raise NotFound for what is unknown or another's, Stale, Unavailable.
    """

    def __init__(self, markets: Markets, clock: Clock) -> None:
        self.markets, self.clock = markets, clock

    async def get(self, who: Principal, market: str, vendor_id: str) -> Versioned[Vendor]:
        """One vendor: its own, or any for platform and ops."""
        self.markets.authorize(who, market)
        who.refuse_others(vendor_id)
        found = await self.markets.store(market).vendors.get(vendor_id)
        if found is None:
            raise NotFound(f"there is no vendor {vendor_id}\nMaybe the id is misspelt.")
        return found

    async def get_all(self, who: Principal, market: str) -> list[Vendor]:
        """All vendors of the market, by id; for a vendor, itself."""
        self.markets.authorize(who, market)
        found = await self.markets.store(market).vendors.get_all()
        return [
            each.value
            for each in found.values()
            if who.role is not Role.VENDOR or each.value.id == who.vendor_id
        ]

    async def unknown(self, market: str, requests: Iterable[Request]) -> frozenset[str]:
        """Vendors that these requests prefer or exclude, and that are not registered."""
        named = dict.fromkeys(each for request in requests for each in request.named_vendors)
        return await self.markets.store(market).vendors.unknown(list(named))

    async def put(self, who: Principal, market: str, vendor: Vendor, expected_version: int | None) -> int:
        """Register or change a vendor; its new version."""
        self.markets.authorize(who, market)
        who.refuse_others(vendor.id)
        vendors, now_ms = self.markets.store(market).vendors, self.clock.now_ms()
        return await vendors.put(vendor, expected_version, at_ms=now_ms)
