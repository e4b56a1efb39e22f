"""A real store, a market of the test's own, a clock that the test sets, and warm solver processes."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field

import pytest

from contracts.codes import OfferState, RequestState, ServiceClass
from contracts.offers import Decline
from contracts.pools import Pool, Pools
from contracts.requests import Request
from contracts.vendors import Vendor
from dispatcher.domain.decisions.decline import decline
from dispatcher.domain.decisions.receive import receive
from dispatcher.domain.record import RequestRecord, offer_id
from dispatcher.matching.commits import Ownership
from dispatcher.matching.market import Market
from dispatcher.matching.solving import SolverPool
from dispatcher.security.key_files import PatientKeyFile
from dispatcher.serve.embedded import EmbeddedRedis
from dispatcher.service.machinery import Machinery
from dispatcher.store.store import Store
from dispatcher.tuning.registry import Registry
from tests.solvers.town import DAY, NOW_MS, TZ

RING = PatientKeyFile("dev", {"dev": bytes(range(32))})
_numbers = itertools.count()


@dataclass
class HandClock:
    """Shows what it is told; sleeps are real."""

    at_ms: int = NOW_MS

    def now_ms(self) -> int:
        return self.at_ms

    def real_s(self, clock_s: float) -> float:
        return clock_s

    async def sleep(self, clock_s: float) -> None:
        await asyncio.sleep(clock_s)


@dataclass
class Town:
    """The platform's and the vendors' side of a market, spoken straight to the store."""

    market: Market
    store: Store
    clock: HandClock
    service: Machinery
    ids: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.market.name

    async def add_vendor(self, vendor: Vendor, units: int = 2, daily_cap: int = 100) -> None:
        await self.store.put_vendor(self.name, vendor)
        pool = Pool(id="vans", serves=tuple(ServiceClass), units=(units,) * 24, daily_cap=daily_cap)
        await self.store.put_capacity(self.name, vendor.id, DAY, Pools(pools=(pool,)))

    async def submit(self, *requests: Request) -> None:
        decisions = [receive(each, self.clock.now_ms(), {}) for each in requests]
        outcome = await self.store.commit(self.name, decisions, requests=requests)
        assert outcome.ok
        self.ids += [each.id for each in requests]

    async def record(self, request_id: str) -> RequestRecord:
        found = await self.store.record(self.name, request_id)
        assert found is not None
        return found

    async def decline(self, request_id: str, answer: Decline) -> None:
        record = await self.record(request_id)
        assert record.offer is not None
        offered = offer_id(record, record.offer)
        decision = decline(record, offered, record.offer.vendor_id, answer, now_ms=self.clock.now_ms())
        assert decision is not None
        assert (await self.store.commit(self.name, [decision])).ok

    async def until(self, request_id: str, state: RequestState, timeout_s: float = 20.0) -> RequestRecord:
        """Wait for a state; the time limit only stops a test that would never end."""
        async with asyncio.timeout(timeout_s):
            while (found := await self.record(request_id)).state is not state:
                await asyncio.sleep(0.005)
        return found

    async def vendors_of(self, ids: Sequence[str]) -> list[str | None]:
        records = await self.store.records(self.name, ids)
        offers = [records[each].offer for each in ids]
        return [each.vendor_id if each and each.state is OfferState.REQUESTED else None for each in offers]


@pytest.fixture
async def store(redis_server: EmbeddedRedis) -> AsyncIterator[Store]:
    async with Store(redis_server.url, RING) as opened:
        yield opened


@pytest.fixture
async def town(store: Store) -> Town:
    return new_town(store)


def new_town(store: Store) -> Town:
    """A market of its own, with nobody in it."""
    clock = HandClock()
    name = f"match{next(_numbers)}"
    service = Machinery(store, clock, {name: TZ}, Registry(()))
    return Town(Market(name, TZ, store, clock), store, clock, service)


async def own_market(town: Town) -> Ownership:
    """The right to commit for it."""
    fence = await town.store.acquire(town.name, "test", 60_000)
    assert fence is not None
    return Ownership(town.service, fence)


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
