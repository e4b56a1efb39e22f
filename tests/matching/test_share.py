"""Several matchers share the markets; whoever comes or goes, no market and no request is left lying."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Mapping

import pytest

from contracts.capacity import Capacity
from contracts.codes import RequestState, ServiceClass
from contracts.pools import Pool, Pools
from dispatcher.audit.auditor import audit
from dispatcher.domain.commands.submit import receive
from dispatcher.domain.context import Context
from dispatcher.matching import matcher as matcher_module
from dispatcher.matching import share as share_module
from dispatcher.matching.process import run_matchers
from dispatcher.matching.share import Share
from dispatcher.matching.solving import SolverPool
from dispatcher.serve.embedded import EmbeddedRedis
from dispatcher.service.service import Service
from dispatcher.store.matchers import MatchersPart
from dispatcher.store.store import Store
from dispatcher.tuning.registry import Registry
from tests.clock import ManualClock
from tests.matching.conftest import RING
from tests.solvers.town import DAY, NOW_MS, TZ, trip, vendor

_numbers = itertools.count()
USUAL = (
    matcher_module.LEASE_MS / 1000,
    share_module.LIVES_MS / 1000,
    share_module.EVERY_S,
)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second is long here."""
    monkeypatch.setattr(matcher_module, "LEASE_MS", 900)
    monkeypatch.setattr(share_module, "LIVES_MS", 900)
    monkeypatch.setattr(share_module, "EVERY_S", 0.2)
    monkeypatch.setattr(share_module, "LYING_S", 60.0)


@pytest.fixture
def names() -> list[str]:
    return [f"share{next(_numbers)}" for _ in range(6)]


@contextlib.asynccontextmanager
async def matchers(
    server: EmbeddedRedis, names: list[str], solvers: SolverPool, owner: str
) -> AsyncIterator[asyncio.Task[None]]:
    """A matcher process of its own, but for the process."""
    async with Store(server.url, RING) as store:
        service = Service(store, ManualClock(NOW_MS), dict.fromkeys(names, TZ), Registry(()))
        task = asyncio.create_task(run_matchers(service, solvers, owner))
        try:
            yield task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def owners(store: Store, names: list[str]) -> dict[str | None, int]:
    found = [await store.market(name).lease.owner() for name in names]
    return {each: found.count(each) for each in set(found)}


async def until(
    store: Store, names: list[str], wanted: Mapping[str | None, int], timeout_s: float = 30.0
) -> None:
    found: Mapping[str | None, int] = {}
    try:
        async with asyncio.timeout(timeout_s):
            while (found := await owners(store, names)) != wanted:
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"{found}, not {wanted}") from None


async def test_two_matchers_hold_half_of_the_markets_each(
    redis_server: EmbeddedRedis, store: Store, solvers: SolverPool, names: list[str]
) -> None:
    async with matchers(redis_server, names, solvers, "one"):
        await until(store, names, {"one": 6})
        async with matchers(redis_server, names, solvers, "two"):
            await until(store, names, {"one": 3, "two": 3})
            await asyncio.sleep(1.0)
            await until(store, names, {"one": 3, "two": 3})
            async with matchers(redis_server, names, solvers, "three"):
                await until(store, names, {"one": 2, "two": 2, "three": 2})
        await until(store, names, {"one": 6})


async def test_two_that_start_together_share_at_once(
    redis_server: EmbeddedRedis, store: Store, solvers: SolverPool, names: list[str]
) -> None:
    async with (
        matchers(redis_server, names, solvers, "one"),
        matchers(redis_server, names, solvers, "two"),
    ):
        await until(store, names, {"one": 3, "two": 3})


async def test_a_matcher_that_was_killed_is_replaced(
    redis_server: EmbeddedRedis, store: Store, solvers: SolverPool, names: list[str]
) -> None:
    for name in names[:3]:
        assert await store.market(name).lease.acquire("killed", 900)
    for name in names:
        await store.market(name).matchers.announce("killed", 900)
    async with matchers(redis_server, names, solvers, "one"):
        await until(store, names, {"one": 6})


async def test_the_markets_of_one_that_was_killed_go_evenly_to_those_that_are_left(
    redis_server: EmbeddedRedis, store: Store, solvers: SolverPool, names: list[str]
) -> None:
    for name in names:
        await store.market(name).matchers.announce("killed", 60_000)
    for name in names[:2]:
        assert await store.market(name).lease.acquire("killed", 60_000)
    async with (
        matchers(redis_server, names, solvers, "one"),
        matchers(redis_server, names, solvers, "two"),
    ):
        await until(store, names, {"killed": 2, "one": 2, "two": 2})
        for name in names:  # nobody renews what it had: it has run out
            await store.market(name).matchers.announce("killed", 1)
        for name in names[:2]:
            await store.market(name).lease.renew("killed", 1)  # unless who was refused cut it short already
        await until(store, names, {"one": 3, "two": 3})


def test_a_killed_matcher_is_replaced_within_two_leases() -> None:
    """At the worst: its lease runs out, the others hear that it is gone, and look again."""
    lease_s, lives_s, every_s = USUAL
    late_s = share_module.LATE_S
    assert max(lease_s, lives_s) + every_s + late_s + lease_s / 3 <= 2 * lease_s


async def test_a_market_that_another_should_take_and_does_not_is_taken_for_good(
    redis_server: EmbeddedRedis,
    store: Store,
    solvers: SolverPool,
    names: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(share_module, "LYING_S", 0.5)
    for name in names:
        await store.market(name).matchers.announce("hangs", 60_000)
    async with matchers(redis_server, names, solvers, "one"):
        await until(store, names, {"one": 6})
        await asyncio.sleep(1.0)
        await until(store, names, {"one": 6})


async def test_a_market_of_ones_own_is_not_counted_against_it(
    redis_server: EmbeddedRedis,
    store: Store,
    solvers: SolverPool,
    names: list[str],
) -> None:
    async with (
        matchers(redis_server, names, solvers, "one"),
        matchers(redis_server, names[:2], solvers, "two"),
    ):
        await until(store, names, {"one": 5, "two": 1})  # the four that only it serves are its own


async def test_no_request_is_lost_and_none_offered_twice_while_markets_change_hands(
    redis_server: EmbeddedRedis, store: Store, solvers: SolverPool, names: list[str]
) -> None:
    ids = [f"r{number}" for number in range(12)]
    for name in names:
        await store.market(name).vendors.put(vendor("v1"))
        await store.market(name).capacity.put("v1", DAY, _capacity())

    async def submit(each: str) -> None:
        request = trip(each, start_min=30)
        for name in names:
            decision = receive(request, Context(now_ms=NOW_MS, by="platform"))
            assert (await store.market(name).commit([decision], requests=[request])).ok
        await asyncio.sleep(0.2)

    async with matchers(redis_server, names, solvers, "one"):
        for each in ids[:4]:
            await submit(each)
        async with matchers(redis_server, names, solvers, "two"):
            for each in ids[4:8]:
                await submit(each)
        for each in ids[8:]:
            await submit(each)
        async with asyncio.timeout(30):
            for name in names:
                while True:
                    records = await store.market(name).requests.records.get_all(ids)
                    if all(record.state is RequestState.OFFERED for record in records.values()):
                        break
                    await asyncio.sleep(0.05)
    for name in names:
        records = await store.market(name).requests.records.get_all(ids)
        assert [len(record.offers) for record in records.values()] == [1] * len(ids)
        assert (await audit(store.reader, name, ids, streams=True))["findings"] == []


def _capacity() -> Capacity:
    return Pools(pools=(Pool(id="vans", serves=tuple(ServiceClass), units=(50,) * 24, daily_cap=500),))


class Nobody(MatchersPart):
    """Who lives is said by the test."""

    def __init__(self, *living: str) -> None:
        self.living = frozenset(living)

    async def announce(self, name: str, ttl_ms: int) -> frozenset[str]:
        return self.living | {name}


@pytest.mark.parametrize(
    ("markets", "others", "limit"), [(20, 0, 20), (20, 1, 10), (20, 2, 7), (1, 3, 1), (6, 9, 1)]
)
async def test_a_share_is_an_equal_part_rounded_up(markets: int, others: int, limit: int) -> None:
    living = [f"m{number}" for number in range(others)]
    share = Share({f"x{number}": Nobody(*living) for number in range(markets)}, "us")
    for name in share.markets:
        await share._look(name)
    assert share.limit == limit


async def test_a_share_counts_of_each_market_only_those_who_serve_it() -> None:
    """Whoever would hold the last one is not left to which of two asks first."""
    alone, shared = Nobody(), Nobody("two")
    one = Share({f"x{number}": shared if number < 2 else alone for number in range(6)}, "one")
    for name in one.markets:
        await one._look(name)
    assert one.limit == 4 + 1


class Away(Nobody):
    """Its server does not answer."""

    async def announce(self, name: str, ttl_ms: int) -> frozenset[str]:
        return await asyncio.get_running_loop().create_future()

    async def leave(self, name: str) -> frozenset[str]:
        return frozenset()


class Leaving(Nobody):
    """It answers at the end, too."""

    async def leave(self, name: str) -> frozenset[str]:
        return frozenset()


async def test_a_market_whose_server_is_away_keeps_no_other_waiting_and_is_no_reason_to_take_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(share_module, "LATE_S", 0.05)
    away, there = {f"a{number}": Away() for number in range(3)}, Leaving("two")
    share = Share({**away, **{f"x{number}": there for number in range(4)}}, "one")
    running = asyncio.create_task(share.run())

    async def never() -> str | None:
        return await asyncio.get_running_loop().create_future()

    async def at_once() -> str | None:
        return "1-fence"

    async def nobody() -> str | None:
        return None

    lost = [asyncio.create_task(share.take(name, never, nobody)) for name in away]
    async with asyncio.timeout(20):
        taken = [await share.take(f"x{number}", at_once, nobody) for number in range(4)]
    assert [fence is not None for fence in taken] == [True, True, False, False], "its share of those four"
    for each in (*lost, running):
        each.cancel()
    await asyncio.gather(*lost, running, return_exceptions=True)


async def test_the_last_place_is_taken_once_though_many_are_asked_for_at_the_same_time() -> None:
    share = Share(dict.fromkeys((f"x{number}" for number in range(6)), Leaving("two")), "one")
    running = asyncio.create_task(share.run())

    async def acquired(name: str) -> str | None:
        async def acquire() -> str | None:
            await asyncio.sleep(0)
            return None if name == "x0" else "1-fence"

        async def owner() -> str | None:
            return "two"

        return await share.take(name, acquire, owner)

    taken = await asyncio.gather(*map(acquired, share.markets))
    assert len([each for each in taken if each]) == 3, (
        "x0 is another's: its place is taken by one that waited"
    )
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
