"""A loop that fails is begun anew after a growing pause and told of; the other markets' go on."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from contracts.codes import RequestState, Role
from contracts.instants import HOUR_MS
from dispatcher.delivery.replies import Replies
from dispatcher.domain.request_kind import REQUEST_KIND
from dispatcher.jobs.timers import Timers
from dispatcher.service import loops
from dispatcher.service.loops import LOOPS, REPLIES, TIMERS, Work, keep_running
from dispatcher.service.service import Service
from dispatcher.store.keys import Keys
from dispatcher.store.store import Store
from tests.domain import make
from tests.service.world import REGISTRY, World


@contextlib.asynccontextmanager
async def running(store: Store, market: str, loop: str, work: Work) -> AsyncIterator[None]:
    task = asyncio.create_task(keep_running(store, market, loop, work))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(found: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(20):
        while not await found():
            await asyncio.sleep(0.01)


async def test_it_is_begun_anew_told_of_and_over_once_it_works(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loops, "SETTLED_S", 0.1)
    monkeypatch.setattr(loops, "FIRST_PAUSE_S", 0.05)
    troubles, begun = world.store.market(world.market).troubles, []

    async def work() -> None:
        begun.append(asyncio.get_running_loop().time())
        if len(begun) <= 3:
            raise RuntimeError("Canary Wren")
        await asyncio.Event().wait()

    async with running(world.store, world.market, TIMERS, work):
        await until(lambda: failing(world, {TIMERS: "RuntimeError"}))
        await until(lambda: failing(world, {}))
    assert await troubles.counts() == {"failed:timers": 3}
    pauses = [after - before for before, after in pairwise(begun)]
    assert len(begun) == 4
    assert pauses[0] >= 0.05
    assert pauses[1] >= 0.1
    assert pauses[2] >= 0.2


async def failing(world: World, expected: dict[str, str]) -> bool:
    return await world.store.market(world.market).troubles.now(LOOPS) == expected


def neighbour(world: World) -> World:
    """A second market of the same service."""
    other = World(world.store, f"{world.market}b", world.clock)
    zones = {each: ZoneInfo("UTC") for each in (world.market, other.market)}
    world.service = other.service = Service(world.store, world.clock, zones, REGISTRY)
    return other


async def test_timers_of_a_wrong_type_are_their_markets_own_trouble(world: World) -> None:
    other = neighbour(world)
    await other.open_with()
    await other.submit()
    await world.store.reader.ask("SET", world.keys.list(REQUEST_KIND.timers), "no list")
    world.clock.ms += 6 * HOUR_MS
    timers = Timers(world.service)
    async with contextlib.AsyncExitStack() as stack:
        for each in (world, other):
            work = partial(timers.run, each.market)
            await stack.enter_async_context(running(world.store, each.market, TIMERS, work))
        await until(lambda: failing(world, {TIMERS: "ResponseError WRONGTYPE"}))
        await until(lambda: is_unmatched(other))
        await world.store.reader.ask("DEL", world.keys.list(REQUEST_KIND.timers))
        await world.open_with()
        await world.submit(make.trip(ahead_ms=12 * HOUR_MS))
        world.clock.ms += 12 * HOUR_MS
        await until(lambda: is_unmatched(world))


async def is_unmatched(world: World) -> bool:
    return (await world.record()).state is RequestState.UNMATCHED


async def test_replies_of_a_wrong_type_are_their_markets_own_trouble(world: World) -> None:
    other = neighbour(world)
    await world.store.reader.ask("SET", world.keys.replies, "no stream")
    replies = Replies(world.service, lambda token, now_ms: world.someone(Role.VENDOR), "a", wait_s=0.05)
    async with contextlib.AsyncExitStack() as stack:
        for each in (world, other):
            work = partial(replies.run, each.market)
            await stack.enter_async_context(running(world.store, each.market, REPLIES, work))
        await until(lambda: failing(world, {REPLIES: "ResponseError WRONGTYPE"}))
        await world.store.reader.ask("XADD", Keys(other.market).replies, "*", "ce", b"\xc1")
        await until(lambda: buried(other))
        await world.store.reader.ask("DEL", world.keys.replies)
        await world.store.reader.ask("XADD", world.keys.replies, "*", "ce", b"\xc1")
        await until(lambda: buried(world))


async def buried(world: World) -> bool:
    return bool(await world.store.market(world.market).dead_letters.get_all())
