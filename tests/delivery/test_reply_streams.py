"""The streams that vendors reply on: found as they come, made anew when used up, read in order."""

from __future__ import annotations

import asyncio
from typing import Any

import msgpack
import pytest

from contracts.codes import RequestState
from dispatcher.delivery.replies import GROUP
from dispatcher.domain.commands.counter import CounterOffer
from dispatcher.domain.refusals import Unavailable
from dispatcher.domain.requests import RequestRecord
from dispatcher.store.events import Entry
from dispatcher.store.tail import Tail
from tests.delivery.test_attacks import LAST, post, running, until
from tests.delivery.test_replies import Post, envelope
from tests.domain import make
from tests.service.world import World

__all__ = ["post", "running"]  # fixtures


async def test_what_stands_in_a_stream_that_was_set_aside_comes_first(world: World, post: Post) -> None:
    keys, ask = world.keys, world.store.reader.ask
    await post.write("accept", {"offer_id": "r1.1"}, name="e1")
    await ask("RENAME", post.stream, keys.aside("v1"))
    await post.write("status", {"offer_id": "r1.1", "status": "en_route"}, name="e2")
    running = asyncio.create_task(post.consumer().run(world.market))
    await until(world, "r1", RequestState.IN_PROGRESS)
    running.cancel()
    await asyncio.wait([running], timeout=20)
    assert "dispatch.reply.refused" not in await world.heard(keys.stream("v1"))


async def test_replies_on_the_stream_that_all_shared_are_taken_still(
    world: World, post: Post, running: list[str]
) -> None:
    shared = Post(world, world.keys.shared_replies)
    await shared.write("accept", {"offer_id": "r2.1"}, token="v2")
    await until(world, "r2", RequestState.ACCEPTED)


async def test_the_stream_that_all_shared_is_made_anew_too(
    world: World, post: Post, running: list[str]
) -> None:
    shared, ask = Post(world, world.keys.shared_replies), world.store.reader.ask
    await shared.write_bytes(b"\xc1")
    await shared.write("accept", {"offer_id": "r2.1"}, token="v2")
    await ask("XADD", shared.stream, LAST, "ce", b"\xc1")
    await until(world, "r2", RequestState.ACCEPTED)
    async with asyncio.timeout(20):
        while not running or await ask("EXISTS", world.keys.aside("")):
            await asyncio.sleep(0.01)
    await shared.write("status", {"offer_id": "r2.1", "status": "en_route"}, token="v2", name="e2")
    await until(world, "r2", RequestState.IN_PROGRESS)


async def test_a_last_id_that_was_given_before_a_crash_does_not_begin_again(world: World, post: Post) -> None:
    ask, stream = world.store.reader.ask, post.stream
    await post.write("accept", {"offer_id": "r1.1"}, name="e1")
    assert await post.given(post.consumer("other")), "who has not finished it"
    report = {"offer_id": "r1.1", "status": "en_route"}
    await ask("XADD", stream, LAST, "ce", msgpack.packb(envelope("status", report)))
    assert await post.given(post.consumer("mine"))
    mine = asyncio.create_task(post.consumer("mine", idle_ms=500).run(world.market))
    await until(world, "r1", RequestState.IN_PROGRESS)
    mine.cancel()
    await asyncio.wait([mine], timeout=20)


async def test_what_was_given_before_a_crash_is_taken_up_though_a_connection_breaks_meanwhile(
    world: World, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, breaks = Tail.read_group, [True]

    async def broken_once(tail: Tail, *words: Any, **more: Any) -> list[Entry] | None:
        return None if breaks and breaks.pop() else await whole(tail, *words, **more)

    monkeypatch.setattr(Tail, "read_group", broken_once)
    await post.write("accept", {"offer_id": "r1.1"})
    assert await post.given(post.consumer("mine"))
    mine = asyncio.create_task(post.consumer("mine", idle_ms=10**9).run(world.market))
    await until(world, "r1", RequestState.ACCEPTED)
    mine.cancel()
    await asyncio.wait([mine], timeout=20)


async def test_a_thousand_unfinished_replies_up_to_the_last_id_are_counted(world: World, post: Post) -> None:
    for number in range(3):
        await world.store.reader.ask("XADD", post.stream, f"1-{number + 1}", "ce", b"x")
    await world.store.reader.ask("XADD", post.stream, LAST, "ce", b"x")
    await post.given(post.consumer())
    found = await world.store.streams.unfinished(post.stream, GROUP, LAST, count=2)
    assert found == ["1-1", "1-2", "1-3", LAST]


async def test_what_a_broken_connection_did_not_tell_is_told_again(world: World, post: Post) -> None:
    class Broken(Tail):
        async def read_group(self, *_: object, **__: object) -> None:
            return None

    streams, servers = post.consumer().streams(world.market), world.store.servers
    for name in ("e1", "e2"):
        await post.write("accept", {"offer_id": "r1.1"}, name=name)
    first, second = await post.given(post.consumer("a"))
    await streams.look()
    streams.finish(first.stream, [first.id])
    assert await streams.read(Broken(servers, 0.05), {post.stream: ">"}, "a", 1) is None
    assert await post.pending() == 2
    async with world.store.tail(wait_s=0.05) as tail:
        assert await streams.read(tail, {post.stream: ">"}, "a", 1) == []
    assert await post.pending() == 1
    streams.finish(second.stream, [second.id])
    await streams.read_now("a", 1)
    assert await post.pending() == 0
    assert await world.store.streams.read(post.stream) == []


async def test_what_is_finished_is_told_before_its_stream_is_set_aside(world: World, post: Post) -> None:
    streams, ask = post.consumer().streams(world.market), world.store.reader.ask
    await ask("XADD", post.stream, LAST, "ce", b"\xc1")
    (last,) = await post.given(post.consumer("a"))
    streams.finish(last.stream, [last.id])
    await streams.look()
    assert await ask("XLEN", world.keys.aside("v1")) == 0
    assert await ask("XLEN", post.stream) == 0


async def test_what_a_store_that_takes_no_writes_did_not_note_is_told_again(world: World, post: Post) -> None:
    streams, ask = post.consumer().streams(world.market), world.store.reader.ask
    await post.write("accept", {"offer_id": "r1.1"})
    (first,) = await post.given(post.consumer("a"))
    streams.finish(first.stream, [first.id])
    await ask("CONFIG", "SET", "min-replicas-to-write", 1)
    try:
        with pytest.raises(Unavailable, match="NOREPLICAS"):
            await streams.tell()
    finally:
        await ask("CONFIG", "SET", "min-replicas-to-write", 0)
    await streams.tell()
    assert await post.pending() == 0


async def test_what_is_done_is_told_although_another_vendors_reply_takes_long(
    world: World, post: Post
) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(market: str, record: RequestRecord, command: CounterOffer) -> CounterOffer:
        begun.set()
        await go_on.wait()
        return command

    await post.write("accept", {"offer_id": "r1.1"})
    counter = {"offer_id": "r2.1", "counter": {"price_cents": 9_000}}
    await Post(world, world.keys.replies("v2")).write("counter", counter, token="v2")
    running = asyncio.create_task(post.consumer(countered=slow).run(world.market))
    await until(world, "r1", RequestState.ACCEPTED)
    async with asyncio.timeout(20):
        await begun.wait()
        while await post.pending():
            await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.wait([running], timeout=20)


async def test_a_vendor_that_is_new_is_heard_without_a_restart(
    world: World, post: Post, running: list[str]
) -> None:
    await asyncio.sleep(0.1)
    await world.service.vendors.put(world.ops, world.market, make.vendor("v3"), 0)
    new = Post(world, world.keys.replies("v3"))
    await new.write("accept", {"offer_id": "r9.1"}, token="v3")
    async with asyncio.timeout(20):
        while await world.heard(world.keys.stream("v3")) != ["dispatch.reply.refused"]:
            await asyncio.sleep(0.01)
