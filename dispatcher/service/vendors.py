"""Vendors, their capacity, and a market's tuning: versioned documents."""

from __future__ import annotations

from contracts.base import Day
from contracts.capacity import Capacity
from contracts.codes import Role
from contracts.tuning import Tuning, TuningUpdate, TuningView
from contracts.vendors import Vendor
from dispatcher.domain.instants import to_instant
from dispatcher.domain.refusals import NotFound
from dispatcher.security.principal import Principal
from dispatcher.service.base import Base
from dispatcher.store.codec import Versioned


class Vendors(Base):
    """Reads give a version (the ETag); writes take the expected one (If-Match): 0: new, None: any.

    They raise NotFound for what is unknown or another's, Stale, OverBooked, Invalid, Unavailable.
    """

    async def vendor(self, who: Principal, market: str, vendor_id: str) -> Versioned[Vendor]:
        """One vendor: its own, or any for platform and ops."""
        self.enter(who, market)
        who.refuse_others(vendor_id)
        found = await self.store.vendor(market, vendor_id)
        if found is None:
            raise NotFound(f"there is no vendor {vendor_id}\nMaybe the id is misspelt.")
        return found

    async def vendors(self, who: Principal, market: str) -> list[Vendor]:
        """All vendors of the market, by id; for a vendor, itself."""
        self.enter(who, market)
        found = await self.store.vendors(market)
        return [
            each.value
            for each in found.values()
            if who.role is not Role.VENDOR or each.value.id == who.vendor_id
        ]

    async def put_vendor(
        self, who: Principal, market: str, vendor: Vendor, expected_version: int | None
    ) -> int:
        """Register or change a vendor; its new version."""
        self.enter(who, market)
        who.refuse_others(vendor.id)
        return await self.store.put_vendor(market, vendor, expected_version, at_ms=self.clock.now_ms())

    async def capacity(self, who: Principal, market: str, vendor_id: str, day: Day) -> Versioned[Capacity]:
        """What a vendor posted for a day."""
        self.enter(who, market)
        who.refuse_others(vendor_id)
        found = await self.store.capacity(market, vendor_id, day)
        if found is None:
            raise NotFound(f"there is no capacity of {vendor_id} on {day}\nMaybe it was not posted yet.")
        return found

    async def put_capacity(
        self,
        who: Principal,
        market: str,
        vendor_id: str,
        day: Day,
        capacity: Capacity,
        *,
        expected_version: int | None,
    ) -> int:
        """Post a day's capacity; its new version. Less than what is booked is refused, bucket by bucket."""
        await self.vendor(who, market, vendor_id)
        now_ms = self.clock.now_ms()
        return await self.store.put_capacity(market, vendor_id, day, capacity, expected_version, at_ms=now_ms)

    async def tuning(self, who: Principal, market: str) -> TuningView:
        """Every parameter with its value in force, as stored this moment."""
        self.enter_for_requests(who, market)
        return self.registry.view(await self.store.tuning(market))

    async def put_tuning(
        self, who: Principal, market: str, update: TuningUpdate, expected_version: int | None
    ) -> TuningView:
        """Replace all overrides; what is left out goes back to its default. In force within a second."""
        self.enter_for_requests(who, market)
        self.registry.check(update.values)
        before = expected_version
        if before is None:
            before = (await self.store.tuning(market)).version
        tuning = Tuning(
            version=before + 1,
            values=update.values,
            by=who.subject or who.name,
            reason=update.reason,
            at=to_instant(self.clock.now_ms()),
        )
        await self.store.put_tuning(market, tuning, before)
        self._tunings.pop(market, None)
        return self.registry.view(tuning)
