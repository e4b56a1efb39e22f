"""Streams to many listeners: in order, none twice, none left out, and nothing left behind."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence

import pytest

from contracts.events import GapReason
from dispatcher.delivery.feed import Feed
from dispatcher.delivery.hub import Hub
from dispatcher.delivery.joint import JointFeed
from dispatcher.domain.refusals import Invalid
from dispatcher.store.events import FIELD, Entry, place
from dispatcher.store.streams import Span
from tests.delivery.test_attacks import LAST
from tests.service.world import World


@pytest.fixture
async def hub(world: World) -> AsyncIterator[Hub]:
    hub = Hub(world.store, queue_limit=8)
    yield hub
    await hub.aclose()


async def write(world: World, *numbers: int) -> list[str]:
    ids = await world.store.reader.ask_all(
        [("XADD", world.keys.events, "*", FIELD, str(number)) for number in numbers]
    )
    return [each.decode() for each in ids]


async def hear(feed: Feed, count: int) -> list[int]:
    heard: list[int] = []
    async with asyncio.timeout(20):
        while len(heard) < count:
            heard += [int(entry.event) for entry in await feed.next(5.0)]
    return heard


async def until_closed(feed: Feed | JointFeed) -> None:
    async with asyncio.timeout(20):
        while not feed.closed:
            await feed.next(5.0)


async def test_a_listener_hears_what_is_new_in_order(world: World, hub: Hub) -> None:
    await write(world, 0)
    async with hub.follow(world.keys.events) as feed:
        await write(world, 1, 2, 3)
        assert await hear(feed, 3) == [1, 2, 3]


async def test_a_listener_that_comes_back_resumes_after_the_last_entry_it_has(world: World, hub: Hub) -> None:
    ids = await write(world, *range(600))
    async with hub.follow(world.keys.events, ids[99]) as feed:
        await write(world, 600)
        assert await hear(feed, 501) == list(range(100, 601))
        await write(world, 601)
        assert await hear(feed, 1) == [601]


async def test_entries_written_while_a_listener_catches_up_are_heard_once(world: World, hub: Hub) -> None:
    await write(world, *range(400))
    async with hub.follow(world.keys.events, "0") as feed:
        writer = asyncio.create_task(write(world, *range(400, 700)))
        assert await hear(feed, 700) == list(range(700))
        await writer
        assert await feed.next(0.0) == []


async def test_a_listener_too_slow_for_its_queue_loses_no_entry(world: World, hub: Hub) -> None:
    async with hub.follow(world.keys.events) as slow, hub.follow(world.keys.events) as quick:
        await write(world, 0)
        assert await hear(slow, 1) == [0]
        await write(world, *range(1, 100))
        assert await hear(quick, 100) == list(range(100))
        assert await hear(slow, 99) == list(range(1, 100))


async def test_many_who_are_late_together_read_once_for_all(
    world: World, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads, at_once, read = list[str](), [0], world.store.streams.read

    async def counted(stream: str, after: str, count: int) -> list[Entry]:
        reads.append(after)
        at_once.append(at_once[-1] + 1)
        found = await read(stream, after, count)
        at_once.append(at_once[-1] - 1)
        return found

    await write(world, *range(600))
    monkeypatch.setattr(world.store.streams, "read", counted)
    async with contextlib.AsyncExitStack() as all_of_them:
        feeds = [await all_of_them.enter_async_context(hub.follow(world.keys.events, "0")) for _ in range(50)]
        heard = await asyncio.gather(*(hear(each, 600) for each in feeds))
    assert heard == [list(range(600))] * 50
    assert len(set(reads)) == 3, "two full pages, and what is left"
    assert len(reads) <= 2 + 50, "what is left may have grown"
    assert max(at_once) == 1, "one after another: hundreds at once would wait longer than anybody does"


async def test_many_listeners_share_what_is_read(world: World, hub: Hub) -> None:
    feeds = [hub.follow(world.keys.events) for _ in range(20)]
    opened = [await feed.__aenter__() for feed in feeds]
    assert hub.listeners == 20
    await write(world, *range(5))
    assert await asyncio.gather(*(hear(feed, 5) for feed in opened)) == [list(range(5))] * 20
    for feed in feeds:
        await feed.__aexit__(None, None, None)
    assert hub.listeners == 0


async def test_a_cancelled_wait_loses_nothing(world: World, hub: Hub) -> None:
    async with hub.follow(world.keys.events) as feed:
        assert await feed.next(0.0) == []
        waiting = asyncio.create_task(feed.next(60.0))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await write(world, 1)
        assert await hear(feed, 1) == [1]


async def test_closing_the_hub_wakes_every_listener(world: World) -> None:
    hub = Hub(world.store)
    async with hub.follow(world.keys.events) as feed:
        assert await feed.next(0.0) == []
        waiting = asyncio.create_task(feed.next(60.0))
        await asyncio.sleep(0.01)
        await hub.aclose()
        assert await asyncio.wait_for(waiting, 20) == []
        assert feed.closed
        assert await feed.next(60.0) == []
    async with hub.follow(world.keys.events) as late:
        assert late.closed


async def test_a_listener_hears_only_its_own_stream(world: World, hub: Hub) -> None:
    async with hub.follow(world.keys.stream("v1"), "0") as feed:
        await write(world, 1)
        await world.store.reader.ask("XADD", world.keys.stream("v1"), "*", FIELD, "7")
        assert await hear(feed, 1) == [7]
        assert await feed.next(0.0) == []


@pytest.mark.parametrize("after", ["$", "", "-1", "1-2-3", "x", "9" * 40])
async def test_an_entry_id_that_is_none_is_refused(world: World, hub: Hub, after: str) -> None:
    with pytest.raises(Invalid, match="is no position"):
        async with hub.follow(world.keys.events, after):
            pass
    assert hub.listeners == 0


async def test_two_streams_are_heard_as_one_and_resumed_behind_each(world: World, hub: Hub) -> None:
    keys, streams = world.keys, (world.keys.events, world.keys.matches)
    ask = world.store.reader.ask
    for stream, entry_id in ((keys.events, "5-0"), (keys.matches, "3-0"), (keys.events, "9-0")):
        await ask("XADD", stream, entry_id, FIELD, entry_id)
    async with hub.follow_all(streams, "0-0") as feed:
        heard = [(each.position, each.entry.id) for each in await feed.next(5.0)]
        assert heard == [("0-0~3-0", "3-0"), ("5-0~3-0", "5-0"), ("9-0~3-0", "9-0")]
        await ask("XADD", keys.matches, "4-0", FIELD, "4-0")  # by its id before what was heard already
        assert [each.position for each in await feed.next(5.0)] == ["9-0~4-0"]
        assert feed.position == "9-0~4-0"
    for position, expected in (("5-0~3-0", ["4-0", "9-0"]), ("9-0~3-0", ["4-0"]), ("5-0", ["9-0"])):
        async with hub.follow_all(streams, position) as feed:
            assert feed.gap is None
            assert [each.entry.id for each in await feed.next(5.0)] == expected
    async with hub.follow_all(streams, "9-0~8-0") as feed:
        assert feed.gap is GapReason.AHEAD


async def test_a_wait_on_two_streams_that_is_cancelled_loses_nothing(world: World, hub: Hub) -> None:
    streams = (world.keys.events, world.keys.matches)
    async with hub.follow_all(streams) as feed:
        waiting = asyncio.create_task(feed.next(60.0))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await write(world, 1, 2)
        heard = list[int]()
        while len(heard) < 2:
            heard += [int(each.entry.event) for each in await feed.next(5.0)]
        assert heard == [1, 2]
        assert hub.listeners == 1


@pytest.mark.parametrize("passed_by", [f"{2**50}-0", LAST])
async def test_who_follows_a_stream_that_fell_back_is_let_go_and_told_of_it_and_hears_what_comes(
    world: World, hub: Hub, passed_by: str
) -> None:
    """After a fail-over to a server that lacks the latest and whose clock is behind, or FLUSHALL."""
    ask, events = world.store.reader.ask, world.keys.events
    await ask("XADD", events, passed_by, FIELD, "0")
    async with hub.follow(events, "0") as feed:
        assert await hear(feed, 1) == [0]
        async with hub.follow(events, feed.last_id) as resumed:
            assert await resumed.next(0.0) == []
        await ask("DEL", events)
        await write(world, 1)
        await until_closed(feed)
    async with hub.follow(events, feed.last_id) as again:
        assert again.gap is GapReason.AHEAD
        for number in (2, 3):
            await write(world, number)
            assert await hear(again, 1) == [number]


async def test_who_follows_two_streams_of_which_one_fell_back_is_let_go_and_others_are_not(
    world: World, hub: Hub
) -> None:
    ask, keys = world.store.reader.ask, world.keys
    for stream in (keys.events, keys.matches):
        await ask("XADD", stream, f"{2**50}-0", FIELD, "0")
    async with hub.follow_all((keys.events, keys.matches)) as both, hub.follow(keys.events) as other:
        await ask("DEL", keys.matches)
        await until_closed(both)
        await ask("XADD", keys.events, f"{2**50}-1", FIELD, "1")
        assert await hear(other, 1) == [1]
        assert not other.closed


async def test_who_joins_just_as_a_stream_falls_back_is_let_go_too(
    world: World, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    last_id = world.store.streams.last_id

    async def fallen_back(stream: str) -> str:
        await world.store.reader.ask("DEL", stream)
        return await last_id(stream)

    monkeypatch.setattr(world.store.streams, "last_id", fallen_back)
    await write(world, 0)
    async with hub.follow(world.keys.events) as feed:
        await until_closed(feed)


async def test_who_was_let_go_while_joining_leaves_nothing_behind(
    world: World, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    last_id, joining, go_on = world.store.streams.last_id, list[str](), asyncio.Event()

    async def slow(stream: str) -> str:
        joining.append(stream)
        if len(joining) == 2:
            await go_on.wait()
        return await last_id(stream)

    async def follow_to_its_end(stream: str) -> None:
        async with hub.follow(stream) as feed:
            await until_closed(feed)

    await write(world, 0)
    monkeypatch.setattr(world.store.streams, "last_id", slow)
    both = [asyncio.create_task(follow_to_its_end(world.keys.events)) for _ in range(2)]
    async with asyncio.timeout(20):
        while len(joining) < 2:
            await asyncio.sleep(0)
        await world.store.reader.ask("DEL", world.keys.events)
        await both[0]
        go_on.set()
        await both[1]
    await world.store.reader.ask("XADD", world.keys.matches, f"{2**50}-0", FIELD, "0")
    async with hub.follow(world.keys.matches) as feed:
        await world.store.reader.ask("DEL", world.keys.matches)
        await until_closed(feed)


async def test_all_that_are_followed_are_looked_at_in_one_trip_and_nothing_else(
    world: World, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks, spans = list[list[str]](), world.store.streams.spans

    async def seen(streams: Sequence[str]) -> list[Span]:
        looks.append(list(streams))
        return await spans(streams)

    both = [world.keys.events, world.keys.matches]
    monkeypatch.setattr(world.store.streams, "spans", seen)
    async with hub.follow_all(both) as feed, asyncio.timeout(20):
        looks.clear()
        while both not in looks:
            await feed.next(0.01)
        assert all(set(each) <= set(both) for each in looks)
    looks.clear()
    await asyncio.sleep(0.2)
    assert looks == []


def test_entry_ids_compare_as_entries_follow_each_other() -> None:
    ids = ["9-1", "10-0", "10-2", "10-10", "11"]
    assert sorted(set(ids), key=place) == ids
