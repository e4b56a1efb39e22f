"""A whole service over a real server, with a clock that a test moves."""

from __future__ import annotations

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from contracts.capacity import Pool, Pools
from contracts.codes import Role, ServiceClass
from contracts.offers import Accept
from contracts.requests import TripRequest
from contracts.vendors import Vendor
from dispatcher.domain.proposal import Precondition
from dispatcher.domain.record import RequestRecord
from dispatcher.security.principal import Principal
from dispatcher.service.dispatcher import Dispatcher
from dispatcher.store.events import unpack_event
from dispatcher.store.keys import Keys
from dispatcher.store.ledger import LedgerKey
from dispatcher.store.outcome import Command, Outcome
from dispatcher.store.store import Store
from dispatcher.tuning.registry import Registry
from tests.clock import ManualClock
from tests.domain import make

DAY = date(2026, 3, 2)
REGISTRY = Registry.found()


class World:
    """One market: the service, its store, and shortcuts for what most tests begin with."""

    def __init__(self, store: Store, market: str) -> None:
        self.store = store
        self.market = market
        self.keys = Keys(market)
        self.clock = ManualClock(make.NOW)
        self.service = Dispatcher(store, self.clock, {market: ZoneInfo("UTC")}, REGISTRY)
        self.platform = self.someone(Role.PLATFORM)
        self.ops = self.someone(Role.OPS)
        self.fence = 0

    def someone(self, role: Role, vendor_id: str = "") -> Principal:
        return Principal(role=role, markets=frozenset({self.market}), vendor_id=vendor_id)

    def vendor(self, name: str = "v1") -> Principal:
        return self.someone(Role.VENDOR, name)

    async def open_with(self, *vendors: Vendor, units: int = 3) -> None:
        """Vendors with `units` of one pool all day, and a fence to offer under."""
        pool = Pool(id="vans", serves=(ServiceClass.WHEELCHAIR,), units=(units,))
        for each in vendors:
            await self.service.put_vendor(self.ops, self.market, each, 0)
            await self.service.put_capacity(
                self.ops, self.market, each.id, DAY, Pools(pools=(pool,)), expected_version=0
            )
        self.fence = await self.store.acquire(self.market, "test", 60_000) or 0

    async def submit(self, *requests: TripRequest, key: str = "k1", body: bytes = b"body") -> tuple[str, ...]:
        return await self.service.submit(
            self.platform, self.market, requests or (make.trip(),), Command.of("requests", key, body)
        )

    async def offer(self, name: str = "r1", to: Vendor | None = None, **changes: Any) -> Outcome:
        """As the matcher does: from what it has read."""
        record, request = await self.record(name), await self.store.request(self.market, name)
        assert request is not None
        vendor = to or make.vendor()
        plan = replace(make.proposal(record, vendor), preconditions=await self._grounds(vendor.id))
        fence = changes.get("fence", self.fence)
        return await self.service.offer(self.market, record, request, plan, fence=fence)

    async def _grounds(self, vendor_id: str) -> tuple[Precondition, ...]:
        """The vendor as it is now."""
        found = await self.store.vendor(self.market, vendor_id)
        return (Precondition(vendor_id, "", found.version),) if found else ()

    async def accepted(self, name: str = "r1") -> RequestRecord:
        """A request that its first vendor has accepted."""
        await self.open_with(make.vendor())
        await self.submit(make.trip(name))
        assert (await self.offer(name)).ok
        return await self.service.accept(self.vendor(), self.market, f"{name}.1", Accept())

    async def record(self, name: str = "r1") -> RequestRecord:
        record = await self.store.record(self.market, name)
        assert record is not None
        return record

    async def booked(self, vendor_id: str = "v1") -> int:
        """Dispatches and offers that count against the vendor's day."""
        key = LedgerKey(vendor_id, "vans", DAY.isoformat())
        found = await self.store.ledger(self.market, [key])
        return int.from_bytes(found[key].used[:2], "big")

    async def heard(self, stream: str) -> list[str]:
        """The types of all events of a stream, in order."""
        return [unpack_event(entry.event).type for entry in await self.store.read(stream)]
