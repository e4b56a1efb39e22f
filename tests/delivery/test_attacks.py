"""A vendor with exactly the rights that `dispatcher vendor-access` gives harms nobody but itself."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from itertools import count
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import NoPermissionError, ResponseError

from client.streams import VendorStream
from contracts.codes import RequestState, TrackingStatus
from contracts.dispatches import StatusUpdate
from contracts.instants import to_instant
from dispatcher.delivery.replies import GROUP
from dispatcher.serve.embedded import EmbeddedRedis
from dispatcher.store import vendor_access
from tests.delivery.test_replies import Post
from tests.domain import make
from tests.service.world import World

LAST = "18446744073709551615-18446744073709551615"
NOW = to_instant(make.NOW)
SECRET = "secret"
_numbers = count()


class Vendor:
    """A vendor on Redis, with its own user: as it should be, or not."""

    def __init__(self, world: World, server: EmbeddedRedis, name: str) -> None:
        user = vendor_access.user_of(world.market, name)
        self.url = server.url.replace("unix://", f"unix://{user}:{SECRET}@")
        self.redis = Redis.from_url(self.url)
        self.stream, self.replies = world.keys.stream(name), world.keys.replies(name)
        self.client = VendorStream(self.url, world.market, name, name)

    async def say(self, *words: Any) -> Any:
        return await self.redis.execute_command(*words)

    async def close(self) -> None:
        await self.client.close()
        await self.redis.aclose()


@pytest.fixture
async def post(world: World) -> Post:
    await world.open_with(make.vendor("v1"), make.vendor("v2"))
    await world.submit(make.trip("r1"), make.trip("r2"))
    await world.offer("r1", make.vendor("v1"))
    await world.offer("r2", make.vendor("v2"))
    return Post(world)


@contextlib.asynccontextmanager
async def vendor_of(world: World, server: EmbeddedRedis, name: str) -> AsyncIterator[Vendor]:
    assert not await vendor_access.apply(world.store.reader, world.market, name, SECRET)
    vendor = Vendor(world, server, name)
    yield vendor
    await vendor.close()


@pytest.fixture
async def bad(world: World, post: Post, redis_server: EmbeddedRedis) -> AsyncIterator[Vendor]:
    async with vendor_of(world, redis_server, "v1") as vendor:
        yield vendor


@pytest.fixture
async def good(world: World, post: Post, redis_server: EmbeddedRedis) -> AsyncIterator[Vendor]:
    async with vendor_of(world, redis_server, "v2") as vendor:
        yield vendor


@pytest.fixture
async def running(world: World, post: Post) -> AsyncIterator[list[str]]:
    """Two web processes that take replies; the markets in which a stream was made anew."""
    made_anew: list[str] = []
    consumers = [post.consumer(name, idle_ms=300, made_anew=made_anew.append) for name in "ab"]
    tasks = [asyncio.create_task(each.run(world.market)) for each in consumers]
    yield made_anew
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks, timeout=20)
    assert all(task.done() for task in tasks)


async def until(world: World, name: str, state: RequestState) -> None:
    async with asyncio.timeout(20):
        while (await world.record(name)).state is not state:
            await asyncio.sleep(0.01)


async def test_the_normal_way_works(world: World, good: Vendor, running: list[str]) -> None:
    async with contextlib.aclosing(good.client.entries()) as entries:
        async for entry in entries:
            assert entry.event is not None
            assert (entry.event.type, entry.event.subject) == ("dispatch.offer.made", "r2.1")
            await good.client.acknowledge(entry)
            break
    await good.client.accept("r2.1", NOW)
    await until(world, "r2", RequestState.ACCEPTED)
    assert await good.say("XAUTOCLAIM", good.stream, "vendor", "2", 0, "0-0") == [b"0-0", [], []]
    assert (await good.say("XPENDING", good.stream, "vendor"))["pending"] == 0


FOREIGN = ("replies", "stream")


@pytest.mark.parametrize("whose", FOREIGN)
@pytest.mark.parametrize(
    "words",
    [
        ("XADD", "KEY", "MAXLEN", 0, "*", "ce", "x"),
        ("XADD", "KEY", "*", "ce", "x"),
        ("XADD", "KEY", LAST, "ce", "x"),
        ("XTRIM", "KEY", "MAXLEN", 0),
        ("XDEL", "KEY", "1-0"),
        ("XRANGE", "KEY", "-", "+"),
        ("XREAD", "STREAMS", "KEY", "0"),
        ("XREADGROUP", "GROUP", GROUP, "me", "STREAMS", "KEY", ">"),
        ("XACK", "KEY", GROUP, "1-0"),
        ("XAUTOCLAIM", "KEY", GROUP, "me", 0, "0-0"),
        ("XPENDING", "KEY", GROUP),
        ("XGROUP", "CREATE", "KEY", "mine", "0", "MKSTREAM"),
        ("XGROUP", "DESTROY", "KEY", GROUP),
        ("XSETID", "KEY", LAST),
        ("XINFO", "STREAM", "KEY"),
        ("DEL", "KEY"),
        ("RENAME", "KEY", "other"),
        ("EXPIRE", "KEY", 1),
    ],
)
async def test_others_streams_are_out_of_reach(
    bad: Vendor, good: Vendor, world: World, words: tuple[Any, ...], whose: str
) -> None:
    key = getattr(good, whose)
    with pytest.raises(NoPermissionError):
        await bad.say(*(key if word == "KEY" else word for word in words))


@pytest.mark.parametrize(
    "words",
    [
        ("KEYS", "*"),
        ("SCAN", "0"),
        ("EVAL", "return 1", 0),
        ("FUNCTION", "LIST"),
        ("CONFIG", "GET", "*"),
        ("ACL", "LIST"),
        ("PUBLISH", "dispatch:{m}:wake", ""),
        ("SUBSCRIBE", "dispatch:{m}:wake"),
        ("PSUBSCRIBE", "*"),
        ("CLIENT", "LIST"),
        ("CLIENT", "PAUSE", 100_000),
        ("MONITOR",),
        ("FLUSHALL",),
        ("SHUTDOWN",),
        ("SLOWLOG", "RESET"),
        ("SELECT", "1"),
        ("XREADGROUP", "GROUP", "g", "c", "STREAMS", "OWN", "SHARED", ">", ">"),
        ("XADD", "SHARED", "*", "ce", "x"),
        ("XADD", "ASIDE", "*", "ce", "x"),
        ("XADD", "OWN", "*", "ce", "x"),
        ("XADD", "OWN", LAST, "ce", "x"),
        ("XSETID", "OWN", LAST),
        ("XGROUP", "DESTROY", "OWN", "g"),
        ("XGROUP", "DESTROY", "REPLIES", GROUP),
        ("XREADGROUP", "GROUP", GROUP, "c", "STREAMS", "REPLIES", ">"),
        ("XACK", "REPLIES", GROUP, "1-0"),
        ("SET", "REPLIES", "x"),
    ],
)
async def test_nothing_else_is_allowed(bad: Vendor, world: World, words: tuple[Any, ...]) -> None:
    keys = {"SHARED": world.keys.shared_replies, "ASIDE": world.keys.aside("v1")}
    keys |= {"OWN": bad.stream, "REPLIES": bad.replies}
    with pytest.raises(NoPermissionError):
        await bad.say(*(keys.get(word, word) for word in words))


async def test_a_stream_that_is_trimmed_again_and_again_harms_only_its_own_vendor(
    world: World, bad: Vendor, good: Vendor, running: list[str]
) -> None:
    for _ in range(200):
        await bad.say("XADD", bad.replies, "MAXLEN", 0, "*", "ce", b"\xc1")
    await good.client.accept("r2.1", NOW)
    for _ in range(200):
        await bad.say("XADD", bad.replies, "MAXLEN", 0, "*", "ce", b"\xc1")
    await until(world, "r2", RequestState.ACCEPTED)
    await bad.client.accept("r1.1", NOW)
    await until(world, "r1", RequestState.ACCEPTED)
    assert "dispatch.reply.refused" not in await world.heard(good.stream)


@pytest.mark.parametrize("name", [LAST, "18446744073709551614-0", f"{2**63}-1", "9999999999999-0"])
async def test_a_stream_whose_ids_are_used_up_is_made_anew_and_nothing_in_it_is_lost(
    world: World, bad: Vendor, good: Vendor, running: list[str], name: str
) -> None:
    await bad.client.accept("r1.1", NOW)
    await bad.say("XADD", bad.replies, name, "ce", b"\xc1")
    await good.client.accept("r2.1", NOW)
    await until(world, "r2", RequestState.ACCEPTED)
    await until(world, "r1", RequestState.ACCEPTED)
    async with asyncio.timeout(20):
        while not running or await world.store.reader.ask("EXISTS", world.keys.aside("v1")):
            await asyncio.sleep(0.01)
    assert running == [world.market]
    await bad.client.report(
        "r1.1", StatusUpdate(status=TrackingStatus.EN_ROUTE), NOW
    )  # waits until it is healed
    await until(world, "r1", RequestState.IN_PROGRESS)


async def test_what_was_trimmed_and_used_up_at_once_heals_too(
    world: World, bad: Vendor, running: list[str]
) -> None:
    await bad.say("XADD", bad.replies, "MAXLEN", 0, LAST, "ce", b"x")
    with contextlib.suppress(ResponseError):
        await bad.say("XADD", bad.replies, "*", "ce", b"x")
    await bad.client.accept("r1.1", NOW)
    await until(world, "r1", RequestState.ACCEPTED)


async def test_what_a_group_was_set_to_by_a_vendor_does_not_stop_the_trimming_of_others(
    world: World, bad: Vendor, good: Vendor
) -> None:
    await bad.say("XGROUP", "CREATE", bad.stream, "mine", LAST)
    await bad.say("XADD", bad.replies, LAST, "ce", "x")
    await world.store.streams.ensure_group(bad.replies, GROUP, LAST)
    await world.store.streams.ensure_group(good.stream, "vendor", "$")
    await asyncio.sleep(0.005)
    await world.store.market(world.market).retention.trim_streams(done_ms=0)
    assert await world.store.streams.read(good.stream) == []


async def test_one_who_writes_without_end_does_not_hold_up_the_others(
    world: World, bad: Vendor, good: Vendor, running: list[str]
) -> None:
    flooding = True

    async def flood() -> None:
        while flooding:
            pipeline = bad.redis.pipeline(transaction=False)
            for _ in range(100):
                pipeline.execute_command("XADD", bad.replies, "*", "ce", b"\xc1")
            await pipeline.execute()

    task = asyncio.create_task(flood())
    await asyncio.sleep(0.5)
    before = asyncio.get_running_loop().time()
    await good.client.accept("r2.1", NOW)
    await until(world, "r2", RequestState.ACCEPTED)
    took_s = asyncio.get_running_loop().time() - before
    flooding = False
    await task
    assert took_s < 5.0
