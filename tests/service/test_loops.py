"""A loop that fails is begun anew after a growing pause and told of; the other markets' go on."""

from __future__ import annotations

import asyncio
import contextlib
import errno
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
import structlog

from contracts.codes import RequestState, Role
from contracts.instants import HOUR_MS
from dispatcher.delivery.replies import Replies
from dispatcher.domain.refusals import Unavailable
from dispatcher.domain.request_kind import REQUEST_KIND
from dispatcher.jobs.timers import Timers
from dispatcher.service import loops
from dispatcher.service.loops import REPLIES, REPLY_STREAMS, TIMERS, TROUBLES, WHAT_IFS, Work, keep_running
from dispatcher.service.service import Service
from dispatcher.store.store import Store
from dispatcher.store.streams import GROUP
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
            raise OSError(errno.ENOSPC, "Canary Wren")
        await asyncio.Event().wait()

    async with running(world.store, world.market, TIMERS, work):
        await until(lambda: failing(world, {TIMERS: "OSError: No space left on device"}))
        await until(lambda: failing(world, {}))
    assert await troubles.counts() == {"failed:timers": 3}
    pauses = [after - before for before, after in pairwise(begun)]
    assert len(begun) == 4
    assert pauses[0] >= 0.05
    assert pauses[1] >= 0.1
    assert pauses[2] >= 0.2


async def test_a_store_that_is_away_is_waited_for_and_is_no_failure_of_a_loop(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loops, "SETTLED_S", 0.05)
    monkeypatch.setattr(loops, "AWAY_PAUSE_S", 0.001)
    away = 3

    async def work() -> None:
        nonlocal away
        if away:
            away -= 1
            raise Unavailable("the store gave no answer\nMaybe ask again.")
        await asyncio.Event().wait()

    with structlog.testing.capture_logs() as lines:
        async with running(world.store, world.market, WHAT_IFS, work), asyncio.timeout(20):
            while len(lines) < 2:
                await asyncio.sleep(0.005)
    assert [(each["event"], each["market"]) for each in lines] == [
        ("waits_for_store", world.market),
        ("store_answers", world.market),
    ]
    assert lines[0]["loop"] == WHAT_IFS
    assert await world.store.market(world.market).troubles.counts() == {}


async def test_one_that_is_cancelled_from_within_is_begun_anew(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loops, "FIRST_PAUSE_S", 0.0)
    begun = asyncio.Semaphore(0)

    async def work() -> None:
        begun.release()
        raise asyncio.CancelledError  # of something that it waited for: nobody told it to end

    async with running(world.store, world.market, TIMERS, work), asyncio.timeout(20):
        await begun.acquire()
        await begun.acquire()
        await until(lambda: failing(world, {TIMERS: "Ended"}))


async def failing(world: World, expected: dict[str, str]) -> bool:
    return await world.store.market(world.market).troubles.now(TROUBLES) == expected


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
            work = partial(timers.run, each.market, REQUEST_KIND)
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


async def test_replies_of_a_wrong_type_are_their_markets_own_trouble(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loops, "SETTLED_S", 0.1)  # that the loop works does not end what it has found
    other = neighbour(world)
    await world.open_with(make.vendor("v1"), make.vendor("v2"))
    await other.open_with(make.vendor("v1"))
    await world.store.reader.ask("SET", world.keys.replies("v1"), "no stream")
    replies = Replies(
        world.service,
        lambda token, now_ms: world.someone(Role.VENDOR),
        "a",
        wait_s=0.05,
        countered=world.quoter.countered,
    )
    async with contextlib.AsyncExitStack() as stack:
        for each in (world, other):
            work = partial(replies.run, each.market)
            await stack.enter_async_context(running(world.store, each.market, REPLIES, work))
        for each, vendor in ((other, "v1"), (world, "v2")):
            await each.store.reader.ask("XADD", each.keys.replies(vendor), "*", "ce", b"\xc1")
            await until(partial(told, each, vendor))
        counts = await world.store.market(world.market).troubles.counts()
        assert counts["unreadable:reply stream"] == 1
        assert await failing(world, {REPLY_STREAMS: f"{world.keys.replies('v1')} is no stream"})
        await world.store.reader.ask("DEL", world.keys.replies("v1"))
        await world.store.reader.ask("XADD", world.keys.replies("v1"), "*", "ce", b"\xc1")
        await until(partial(told, world, "v1"))
        await until(lambda: failing(world, {}))


async def test_a_group_of_replies_that_was_destroyed_is_made_again(world: World) -> None:
    await world.open_with(make.vendor("v1"))
    stream, ask = world.keys.replies("v1"), world.store.reader.ask
    replies = Replies(
        world.service,
        lambda token, now_ms: world.someone(Role.VENDOR),
        "a",
        wait_s=0.05,
        countered=world.quoter.countered,
    )
    work = partial(replies.run, world.market)
    async with running(world.store, world.market, REPLIES, work):
        for number in range(3):
            await ask("XADD", stream, "*", "ce", b"\xc1")
            await until(partial(told, world, "v1", number + 1))
            await ask("XGROUP", "DESTROY", stream, GROUP)


async def told(world: World, vendor: str, times: int = 1) -> bool:
    heard = await world.heard(world.keys.stream(vendor))
    return heard.count("dispatch.reply.refused") >= times
