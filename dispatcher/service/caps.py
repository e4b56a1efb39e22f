"""Caps per payer and vendor: set, and read with what is used of them."""

from __future__ import annotations

from datetime import date

from contracts.caps import Cap, Caps, CapsView, CapView
from contracts.instants import to_instant
from dispatcher.domain.caps import CapRecord, span
from dispatcher.domain.commands.caps import PutCaps
from dispatcher.security.principal import Principal
from dispatcher.service.execute import Executor
from dispatcher.service.markets import Markets
from dispatcher.service.vendors import Vendors
from dispatcher.store.caps import used_of


class VendorCaps:
    """They raise NotFound for what is unknown or another's, Stale, Unreadable, Unavailable."""

    def __init__(self, markets: Markets, executor: Executor, vendors: Vendors) -> None:
        self.markets, self.executor, self.vendors = markets, executor, vendors

    async def put(self, who: Principal, market: str, vendor_id: str, caps: Caps, version: int) -> CapsView:
        """All of them, over those of that version; what is booked beyond a lower one stays booked."""
        await self.vendors.get(who, market, vendor_id)
        command = PutCaps(vendor_id=vendor_id, caps=caps.caps, expected_version=version)
        record = await self.executor.execute(who, market, command)
        return await self._view(market, vendor_id, record, None)

    async def get(self, who: Principal, market: str, vendor_id: str, day: date | None = None) -> CapsView:
        """With what is used in the day, month and year of that day; none, at version 0, if none were set."""
        await self.vendors.get(who, market, vendor_id)
        record = await self.markets.store(market).caps.records.get(vendor_id)
        if record is None:
            return CapsView(vendor_id=vendor_id, version=0, caps=())
        return await self._view(market, vendor_id, record, day)

    async def _view(self, market: str, vendor_id: str, record: CapRecord, day: date | None) -> CapsView:
        tz = self.markets.zones[market]
        day = day or to_instant(self.executor.clock.now_ms()).astimezone(tz).date()
        stored = self.markets.store(market).caps
        used = await stored.used([(vendor_id, each, day) for each in record.caps])

        def shown(cap: Cap) -> CapView:
            trips, cents = (used_of(used, vendor_id, cap, day, unit) for unit in ("trips", "cents"))
            first, last = span(day, cap.period)
            return CapView(
                payer=cap.payer,
                period=cap.period,
                first_day=first,
                last_day=last,
                trips=cap.trips,
                used_trips=trips,
                left_trips=None if cap.trips is None else max(0, cap.trips - trips),
                cents=cap.cents,
                used_cents=cents,
                left_cents=None if cap.cents is None else max(0, cap.cents - cents),
            )

        return CapsView(vendor_id=vendor_id, version=record.version, caps=tuple(map(shown, record.caps)))
