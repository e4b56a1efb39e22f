"""Many listeners of one stream: all of them hear all of it in order, and others have their turn meanwhile."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from dispatcher.delivery import crowd as delivery_crowd
from dispatcher.delivery.crowd import FEW, TOGETHER, Crowd, Followed
from dispatcher.delivery.feed import Feed
from dispatcher.delivery.gaps import Beginning
from dispatcher.delivery.hub import Hub
from dispatcher.delivery.pages import Pages
from dispatcher.delivery.recent import AT_ONCE, Recent
from dispatcher.store.events import FIELD, Entry
from tests.service.world import World

MANY = 2 * FEW + 1


def entry(number: int) -> Entry:
    return Entry("s", f"{number + 1}-0", str(number).encode())


def filled(limit: int, count: int) -> Recent:
    recent = Recent(limit)
    for number in range(count):
        recent.add(entry(number))
    return recent


def numbers(recent: Recent, since: int) -> list[int]:
    return [int(each.event) for each in recent.since(since)]


def test_what_is_recent_is_heard_as_far_as_it_is_told_and_forgotten_once_everybody_has_it() -> None:
    recent = filled(limit=8, count=5)
    assert numbers(recent, 0) == []
    recent.tell(3)
    assert numbers(recent, 0) == [0, 1, 2]
    assert recent.since(1) is recent.since(1)
    recent.tell(3)
    assert numbers(recent, 2) == [2, 3, 4]
    recent.forget(4)
    assert (recent.begin, recent.end, numbers(recent, 4)) == (4, 5, [4])


def test_of_more_than_the_limit_the_oldest_are_dropped() -> None:
    recent = filled(limit=4, count=10)
    assert (recent.begin, recent.end) == (6, 10)
    recent.tell(2)
    assert numbers(recent, 6) == [6, 7]


async def test_who_comes_back_late_is_sent_no_more_at_once_than_others(world: World) -> None:
    """Or a thousand slow listeners had all that is kept in memory, each once more."""
    followed, (feed,) = crowded(1, world)
    await feed.fill()
    for number in range(2 * AT_ONCE):
        followed.recent.add(entry(number))
    followed.tell()
    taken = [[int(each.event) for each in await feed.next(5.0)] for _ in range(2)]
    assert taken == [list(range(AT_ONCE)), list(range(AT_ONCE, 2 * AT_ONCE))]
    assert not feed.is_behind


async def hear(feed: Feed, last: int) -> list[int]:
    heard = list[int]()
    async with asyncio.timeout(20):
        while not heard or heard[-1] < last:
            heard += [int(each.event) for each in await feed.next(5.0)]
    return heard


async def test_a_crowd_hears_all_in_order_also_who_is_too_slow_for_what_is_kept(world: World) -> None:
    hub, ask, stream = Hub(world.store, queue_limit=8), world.store.reader.ask, world.keys.events
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(hub.aclose)
        feeds = [await stack.enter_async_context(hub.follow(stream)) for _ in range(MANY)]
        *quick, slow = feeds
        for numbers in (range(5), range(5, 60)):  # fewer than are kept, and more
            for number in numbers:
                await ask("XADD", stream, "*", FIELD, str(number))
            heard = await asyncio.gather(*(hear(each, numbers[-1]) for each in quick))
            assert heard == [list(numbers)] * len(quick)
        assert await hear(slow, 59) == list(range(60))


def crowded(count: int, world: World) -> tuple[Followed, list[Feed]]:
    followed = Followed(limit=2 * AT_ONCE)
    feeds = [Feed(Pages(world.store.streams), "s", Beginning("0-0"), followed.recent) for _ in range(count)]
    followed.feeds.update(feeds)
    return followed, feeds


async def test_others_have_their_turn_while_a_crowd_is_told(world: World) -> None:
    followed, feeds = crowded(MANY, world)
    assert followed.is_crowded
    followed.recent.add(entry(0))
    crowd, most, told = Crowd(), 0, 0
    telling = asyncio.create_task(crowd.run())
    crowd.tell(followed)
    async with asyncio.timeout(20):
        while told < MANY:
            before, _ = told, await asyncio.sleep(0)  # a turn of somebody else's
            told = sum(each.news.is_set() for each in feeds)
            most = max(most, told - before)
    assert most == TOGETHER
    telling.cancel()
    await asyncio.gather(telling, return_exceptions=True)


async def test_what_is_too_much_for_a_round_is_told_in_the_next(world: World) -> None:
    followed, feeds = crowded(MANY, world)
    for number in range(AT_ONCE + 1):
        followed.recent.add(entry(number))
    telling = asyncio.create_task((crowd := Crowd()).run())
    crowd.tell(followed)
    async with asyncio.timeout(20):
        while followed.recent.told <= AT_ONCE or not all(each.news.is_set() for each in feeds):
            await asyncio.sleep(0)
    assert followed.recent.told == AT_ONCE + 1
    telling.cancel()
    await asyncio.gather(telling, return_exceptions=True)


async def test_a_crowd_is_told_after_all_when_telling_it_failed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody else tells them, and each looks well: it follows, and hears nothing more."""
    followed, feeds = crowded(MANY, world)
    followed.recent.add(entry(0))
    telling = asyncio.create_task((crowd := Crowd()).run())
    with monkeypatch.context() as patched:
        patched.setattr(feeds[0].news, "set", no_memory)
        patched.setattr(delivery_crowd, "PAUSE_S", 0.0)
        crowd.tell(followed)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    async with asyncio.timeout(20):
        while not all(each.news.is_set() for each in feeds):
            await asyncio.sleep(0)
    telling.cancel()
    await asyncio.gather(telling, return_exceptions=True)


def no_memory() -> None:
    raise MemoryError
