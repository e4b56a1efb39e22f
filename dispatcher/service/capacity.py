"""A vendor's capacity of one day, as posted."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

from contracts.base import LAST_DAY, Day
from contracts.capacity import Capacity
from contracts.pools import LIMITS
from contracts.vendors import Vendor
from dispatcher.domain.credentials import local_day
from dispatcher.domain.refusals import Invalid, NotFound
from dispatcher.runtime.clock import Clock
from dispatcher.security.principal import Principal
from dispatcher.service.acts import Acts
from dispatcher.service.markets import Markets
from dispatcher.service.vendors import Vendors
from dispatcher.store.codec import Versioned


def _refuse_beyond(vendor: Vendor, capacity: Capacity) -> None:
    """Raises Invalid for a pool that says it carries more than its vendor does: it would get no such ride."""
    for pool in capacity.pools:
        for name in LIMITS:
            asked, most = getattr(pool, name), getattr(vendor, name)
            if asked is not None and asked > most:
                raise Invalid(
                    f"{name} of pool {pool.id} is {asked:g}; vendor {vendor.id} carries {most:g} at most\n"
                    f"Maybe raise {name} of the vendor first: its pools may carry less, not more."
                )


def _refuse_beyond_time(day: Day, now_ms: int, zone: ZoneInfo) -> None:
    """Raises Invalid for a day that is past, as one whose year is mistyped: its vendor would wait for offers.

    Yesterday is taken: it is still today where a vendor's clock is behind, or was when a week was begun.
    """
    today = local_day(now_ms, zone)
    first = today - timedelta(days=1)
    if not first <= day <= LAST_DAY:
        raise Invalid(
            f"day is {day}; {first} to {LAST_DAY} is what is taken: it is {today} in this market ({zone})\n"
            "Maybe the year is a slip."
        )


class Postings:
    """Versions as for vendors. They raise NotFound for what is not theirs, Stale, OverBooked, Invalid."""

    def __init__(self, markets: Markets, clock: Clock, vendors: Vendors, acts: Acts) -> None:
        self.markets, self.clock, self.vendors, self.acts = markets, clock, vendors, acts

    async def get(self, who: Principal, market: str, vendor_id: str, day: Day) -> Versioned[Capacity]:
        """What a vendor posted for a day."""
        self.markets.authorize(who, market)
        who.refuse_others(vendor_id)
        found = await self.markets.store(market).capacity.get(vendor_id, day)
        if found is None:
            raise NotFound(f"there is no capacity of {vendor_id} on {day}\nMaybe it was not posted yet.")
        return found

    async def put(
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
        vendor = (await self.vendors.get(who, market, vendor_id)).value
        _refuse_beyond(vendor, capacity)
        store, now_ms = self.markets.store(market).capacity, self.clock.now_ms()
        tz = self.markets.zones[market]
        _refuse_beyond_time(day, now_ms, tz)
        entry = None
        if not who.is_vendor:  # what a vendor posts of its own is its daily work
            detail = day.isoformat()
            entry = await self.acts.entry(who, market, "post_capacity", "capacity", vendor_id, detail=detail)
        return await store.put(vendor_id, day, capacity, expected_version, at_ms=now_ms, tz=tz, entry=entry)
