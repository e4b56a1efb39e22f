"""Why a vendor gets no offers, for the vendor itself and for ops."""

from __future__ import annotations

from datetime import timedelta

from contracts.instants import to_instant
from contracts.why_vendor import VendorWhy
from dispatcher.domain.losses import told
from dispatcher.runtime.clock import Clock
from dispatcher.security.principal import Principal
from dispatcher.service.markets import Markets
from dispatcher.service.vendors import Vendors


class WhyVendor:
    """It raises NotFound for what is unknown or another's, Unreadable, Unavailable."""

    def __init__(self, markets: Markets, clock: Clock, vendors: Vendors) -> None:
        self.markets, self.clock, self.vendors = markets, clock, vendors

    async def of(self, who: Principal, market: str, vendor_id: str, days: int) -> VendorWhy:
        """Of the last days, today among them."""
        vendor = (await self.vendors.get(who, market, vendor_id)).value
        today = to_instant(self.clock.now_ms()).astimezone(self.markets.zones[market]).date()
        first = today - timedelta(days=days - 1)
        each_day = [first + timedelta(days=n) for n in range(days)]
        counts = await self.markets.store(market).losses.of(vendor_id, each_day)
        return told(counts, vendor, first, today)
