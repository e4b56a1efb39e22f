"""A real store, a market of the test's own, a clock that the test sets, and warm solver processes."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field

import pytest

from contracts.codes import RequestState, Role, ServiceClass
from contracts.offers import Decline
from contracts.pools import Pool, Pools
from contracts.requests import Request
from contracts.vendors import Vendor
from dispatcher.domain.commands.decline import DeclineOffer
from dispatcher.domain.commands.submit import receive
from dispatcher.domain.context import Context
from dispatcher.domain.joining import joined
from dispatcher.domain.requests import RequestRecord, offer_id
from dispatcher.matching.commits import Ownership
from dispatcher.matching.market import Market
from dispatcher.matching.solving import SolverPool
from dispatcher.runtime import traces
from dispatcher.security.key_files import PatientKeyFile
from dispatcher.security.principal import Principal
from dispatcher.serve.embedded import EmbeddedRedis
from dispatcher.service.service import Service
from dispatcher.store.store import Store
from dispatcher.tuning.registry import Registry
from tests.clock import ManualClock
from tests.solvers.town import DAY, NOW_MS, TZ

RING = PatientKeyFile("dev", {"dev": bytes(range(32))})
_numbers = itertools.count()


@dataclass
class Town:
    """The platform's and the vendors' side of a market, spoken straight to the store."""

    market: Market
    store: Store
    clock: ManualClock
    service: Service
    ids: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.market.name

    async def add_vendor(self, vendor: Vendor, units: int = 2, daily_cap: int = 100) -> None:
        await self.store.market(self.name).vendors.put(vendor)
        pool = Pool(id="vans", serves=tuple(ServiceClass), units=(units,) * 24, daily_cap=daily_cap)
        await self.store.market(self.name).capacity.put(vendor.id, DAY, Pools(pools=(pool,)))

    async def submit(self, *requests: Request) -> None:
        context = self.context("platform", trace=traces.carried())
        decisions = joined([receive(each, context) for each in requests], {}, context)
        outcome = await self.store.market(self.name).commit(decisions, requests=requests)
        assert outcome.ok
        self.ids += [each.id for each in requests]

    async def record(self, request_id: str) -> RequestRecord:
        found = await self.store.market(self.name).requests.records.get(request_id)
        assert found is not None
        return found

    async def decline(self, request_id: str, answer: Decline) -> None:
        record = await self.record(request_id)
        offer = record.offers[-1]
        command = DeclineOffer(offer_id=offer_id(record, offer), code=answer.code)
        vendor = Principal.of(Role.VENDOR, markets=frozenset({self.name}), vendor_id=offer.vendor_id)
        await self.service.execute(vendor, self.name, command)

    async def until(self, request_id: str, state: RequestState, timeout_s: float = 20.0) -> RequestRecord:
        """Wait for a state; the time limit only stops a test that would never end."""
        async with asyncio.timeout(timeout_s):
            while (found := await self.record(request_id)).state is not state:
                await asyncio.sleep(0.005)
        return found

    async def vendors_of(self, ids: Sequence[str]) -> list[str | None]:
        records = await self.store.market(self.name).requests.records.get_all(ids)
        asked = [next((offer for offer in records[each].offers if offer.unanswered), None) for each in ids]
        return [offer.vendor_id if offer else None for offer in asked]

    def context(self, by: str, vendor_id: str = "", trace: bytes = b"") -> Context:
        return Context(now_ms=self.clock.now_ms(), by=by, vendor_id=vendor_id, tz=TZ, trace=trace)


@pytest.fixture
async def store(redis_server: EmbeddedRedis) -> AsyncIterator[Store]:
    async with Store(redis_server.url, RING) as opened:
        yield opened


@pytest.fixture
async def town(store: Store) -> Town:
    return new_town(store)


def new_town(store: Store) -> Town:
    """A market of its own, with nobody in it."""
    clock = ManualClock(NOW_MS)
    name = f"match{next(_numbers)}"
    service = Service(store, clock, {name: TZ}, Registry(()))
    return Town(Market(store.market(name), TZ, clock), store, clock, service)


async def own_market(town: Town) -> Ownership:
    """The right to commit for it."""
    fence = await town.store.market(town.name).lease.acquire("test", 60_000)
    assert fence is not None
    return Ownership(town.service.executor, fence)


@pytest.fixture(scope="session")
def solvers() -> Iterator[SolverPool]:
    """One warm solver process for all tests of a worker."""
    pool = SolverPool(workers=1)
    asyncio.run(pool.warm())
    yield pool
    asyncio.run(pool.aclose())


@pytest.fixture
async def own(town: Town) -> Ownership:
    """The market, owned by the test."""
    return await own_market(town)
