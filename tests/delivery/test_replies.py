"""Vendors who answer over Redis: their replies have their effect once, and nothing of theirs is lost."""

from __future__ import annotations

import asyncio
from typing import Any

import msgpack
import pytest

from contracts.codes import RequestState, Role, ServiceClass
from contracts.instants import HOUR_MS, to_instant
from contracts.pools import Pool, Pools
from contracts.problems import Unauthenticated
from dispatcher.delivery.replies import GROUP, Replies
from dispatcher.domain.refusals import Unavailable
from dispatcher.security.principal import Principal
from dispatcher.store.events import FIELD, Entry, unpack_event
from dispatcher.store.script import unwritable
from tests.domain import make
from tests.service.world import DAY, World

BEYOND = "2100-12-31T23:00:00-10:00"  # a year that is not taken, in UTC
CANARY = "Canary Nightingale"
POISON = [
    b"",
    b"\xc1",
    CANARY.encode(),
    msgpack.packb({"note": CANARY}),
    msgpack.packb({"specversion": "1.0", "id": "e", "data": {"note": CANARY}}),
    b"\x91" * 2_000,
]
MANY = Pool(id="vans", serves=(ServiceClass.WHEELCHAIR,), units=(100,))

SOON_MS = HOUR_MS  # so soon is a ride that it may be done already


def envelope(kind: str, data: dict[str, Any], *, token: str = "v1", name: str = "e9") -> dict[str, Any]:
    """A reply's event."""
    return {
        "specversion": "1.0",
        "id": name,
        "source": "/vendors/v1",
        "type": f"dispatch.reply.{kind}",
        "subject": str(data.get("offer_id", "")),
        "time": to_instant(make.NOW).isoformat(),
        "data": data,
        "dispatchtoken": token,
    }


class Post:
    """What a vendor writes to its reply stream, and who reads it. A token is a vendor's id here."""

    def __init__(self, world: World, stream: str = "") -> None:
        self.world = world
        self.stream = stream or world.keys.replies("v1")

    def verify(self, token: str, now_ms: int) -> Principal:
        if not token:
            raise Unauthenticated("there is no token")
        role = Role.PLATFORM if token == "platform" else Role.VENDOR
        return self.world.someone(role, token)

    def consumer(self, name: str = "a", **settings: Any) -> Replies:
        return Replies(
            self.world.service,
            self.verify,
            name,
            **({"wait_s": 0.05, "countered": self.world.quoter.countered} | settings),
        )

    async def write(self, kind: str, data: dict[str, Any], *, token: str = "v1", name: str = "e1") -> None:
        await self.write_bytes(msgpack.packb(envelope(kind, data, token=token, name=name)))

    async def write_bytes(self, raw: bytes, field: str = FIELD) -> None:
        await self.world.store.reader.ask("XADD", self.stream, "*", field, raw)

    async def read(self, consumer: Replies | None = None) -> None:
        """One round of a consumer."""
        store = self.world.store
        await store.streams.ensure_group(self.stream, GROUP)
        reader = consumer or self.consumer()
        await reader.take(
            self.world.market, await store.streams.read_group(self.stream, GROUP, reader.consumer)
        )

    async def given(self, consumer: Replies) -> list[Entry]:
        """What a consumer is given, and has not taken up yet."""
        await self.world.store.streams.ensure_group(self.stream, GROUP)
        return await self.world.store.streams.read_group(self.stream, GROUP, consumer.consumer)

    async def pending(self) -> int:
        found = await self.world.store.reader.ask("XPENDING", self.stream, GROUP)
        return int(found["pending"])


@pytest.fixture
async def post(world: World) -> Post:
    await world.open_with(make.vendor("v1"), make.vendor("v2"))
    await world.submit(make.trip("r1", ahead_ms=SOON_MS))
    await world.offer()
    return Post(world)


@pytest.fixture
def shared(post: Post) -> Post:
    """As vendors wrote before each had a stream of its own."""
    return Post(post.world, post.world.keys.shared_replies)


async def test_a_vendor_accepts_reports_and_completes_over_redis(world: World, post: Post) -> None:
    await post.write("accept", {"offer_id": "r1.1", "reference": "T-1"}, name="e1")
    await post.write("status", {"offer_id": "r1.1", "status": "en_route"}, name="e2")
    await post.write("status", {"offer_id": "r1.1", "status": "completed"}, name="e3")
    await post.read()
    record = await world.record()
    assert record.state is RequestState.COMPLETED
    assert record.offers[0].reference == "T-1"
    assert await post.pending() == 0


async def test_a_reply_is_gone_with_its_token_once_it_had_its_effect(world: World, post: Post) -> None:
    await post.write("accept", {"offer_id": "r1.1"})
    await post.write("accept", {"offer_id": "r1.7"})
    await post.read()
    assert await world.store.streams.read(post.stream) == []


async def test_a_decline_carries_its_code(world: World, post: Post) -> None:
    await post.write("decline", {"offer_id": "r1.1", "code": "BAD_WEATHER"})
    await post.read()
    assert (await world.record()).offers[0].code == "BAD_WEATHER"


async def test_an_entry_that_is_read_twice_has_its_effect_once(world: World, post: Post) -> None:
    for _ in range(3):
        await post.write("accept", {"offer_id": "r1.1"}, name="same id")
    await post.read()
    await post.write("accept", {"offer_id": "r1.1"}, name="same id")
    await post.read()
    told = await world.heard(world.keys.stream("v1"))
    assert told == ["dispatch.offer.made", "dispatch.dispatch.confirmed"]


async def test_what_a_dead_consumer_left_is_taken_over(world: World, post: Post) -> None:
    await post.write("accept", {"offer_id": "r1.1"})
    await world.store.streams.ensure_group(post.stream, GROUP)
    assert len(await world.store.streams.read_group(post.stream, GROUP, "dead")) == 1
    await post.read()
    assert (await world.record()).state is RequestState.OFFERED
    await post.consumer("b", idle_ms=0).take_over(world.market)
    assert (await world.record()).state is RequestState.ACCEPTED
    assert await post.pending() == 0


async def test_what_one_consumer_reads_waits_for_what_another_was_given_before(
    world: World, post: Post
) -> None:
    await post.write("accept", {"offer_id": "r1.1"}, name="e1")
    first, second = post.consumer("a"), post.consumer("b")
    given = await post.given(first)
    await post.write("status", {"offer_id": "r1.1", "status": "en_route"}, name="e2")
    reported = await post.given(second)
    await second.take(world.market, reported)
    assert (await world.record()).state is RequestState.OFFERED
    await first.take(world.market, given)
    await second.take(world.market, reported)
    assert (await world.record()).state is RequestState.IN_PROGRESS
    assert "dispatch.reply.refused" not in await world.heard(world.keys.stream("v1"))
    assert await post.pending() == 0


async def test_another_offers_replies_do_not_wait(world: World, post: Post) -> None:
    await world.submit(make.trip("r2"), key="k2")
    await world.offer("r2")
    await post.write("accept", {"offer_id": "r1.1"}, name="e1")
    await post.given(post.consumer("a"))
    await post.write("accept", {"offer_id": "r2.1"}, name="e2")
    await post.read(post.consumer("b"))
    assert (await world.record("r2")).state is RequestState.ACCEPTED
    assert (await world.record("r1")).state is RequestState.OFFERED


async def test_running_consumers_keep_the_order_although_one_of_them_died(world: World, post: Post) -> None:
    await post.write("accept", {"offer_id": "r1.1"}, name="e1")
    assert await post.given(post.consumer("dead"))
    await post.write("status", {"offer_id": "r1.1", "status": "en_route"}, name="e2")
    await post.write("status", {"offer_id": "r1.1", "status": "completed"}, name="e3")
    running = [asyncio.create_task(post.consumer(name, idle_ms=300).run(world.market)) for name in "ab"]
    async with asyncio.timeout(20):
        while (await world.record()).state is not RequestState.COMPLETED or await post.pending():
            await asyncio.sleep(0.01)
    for task in running:
        task.cancel()
    await asyncio.wait(running, timeout=20)
    assert "dispatch.reply.refused" not in await world.heard(world.keys.stream("v1"))


async def test_a_vendor_accepts_and_reports_in_one_breath_to_many_consumers(world: World, post: Post) -> None:
    names = [f"many{number}" for number in range(20)]
    await world.store.market(world.market).capacity.put("v1", DAY, Pools(pools=(MANY,)))
    await world.submit(*(make.trip(name, ahead_ms=SOON_MS) for name in names), key="many")
    for name in names:
        assert (await world.offer(name)).ok
    consumers = [post.consumer(name, wait_s=0.01) for name in "abc"]
    running = [asyncio.create_task(each.run(world.market)) for each in consumers]
    steps = [
        ("accept", {}),
        *(("status", {"status": each}) for each in ("en_route", "on_board", "completed")),
    ]
    for number, (kind, more) in enumerate(steps):
        for name in names:
            await post.write(kind, {"offer_id": f"{name}.1", **more}, name=f"{name}-{number}")
    async with asyncio.timeout(30):
        while {(await world.record(name)).state for name in names} != {RequestState.COMPLETED}:
            await asyncio.sleep(0.01)
    for task in running:
        task.cancel()
    await asyncio.wait(running, timeout=20)
    assert "dispatch.reply.refused" not in await world.heard(world.keys.stream("v1"))


async def test_what_the_store_could_not_take_stays_pending(
    world: World, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object, **__: object) -> None:
        raise Unavailable("the store is away")

    await post.write("accept", {"offer_id": "r1.1"})
    with monkeypatch.context() as fault:
        fault.setattr(world.store.market(world.market), "commit", away)
        with pytest.raises(Unavailable):
            await post.read()
    assert await post.pending() == 1
    await post.consumer(idle_ms=0).take_over(world.market)
    assert (await world.record()).state is RequestState.ACCEPTED


async def test_what_follows_a_reply_that_waits_for_a_key_to_be_mended_waits_with_it(
    world: World, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else its report is refused, for an offer that it has accepted before."""

    async def cannot_be_written(*_: object, **__: object) -> None:
        raise unwritable("a key", "it is of another type")

    await post.write("accept", {"offer_id": "r1.1"}, name="e1")
    await post.write("status", {"offer_id": "r1.1", "status": "en_route"}, name="e2")
    with monkeypatch.context() as fault:
        fault.setattr(world.store.market(world.market), "commit", cannot_be_written)
        await post.read()
    assert await post.pending() == 2
    await post.consumer(idle_ms=0).take_over(world.market)
    assert (await world.record()).state is RequestState.IN_PROGRESS
    assert "dispatch.reply.refused" not in await world.heard(world.keys.stream("v1"))


@pytest.mark.parametrize(
    ("kind", "data", "problem"),
    [
        ("decline", {"offer_id": "r1.1"}, "invalid-request"),
        ("decline", {"offer_id": "r1.1", "code": "NO_CLIENT"}, "invalid-request"),
        ("status", {"offer_id": "r1.1"}, "invalid-request"),
        ("status", {"offer_id": "r1.1", "status": "completed"}, "wrong-state"),
        ("status", {"offer_id": "r1.1", "status": "flying"}, "invalid-message"),
        ("status", {"offer_id": "r1.1", "status": "completed", "at": BEYOND}, "invalid-message"),
        ("accept", {"offer_id": "r9.1"}, "not-found"),
        ("accept", {"offer": "r1.1"}, "invalid-message"),
        ("praise", {"offer_id": "r1.1"}, "invalid-request"),
    ],
)
async def test_a_reply_that_is_refused_is_answered_on_its_vendors_own_stream(
    world: World, post: Post, kind: str, data: dict[str, Any], problem: str
) -> None:
    await post.write(kind, data, name="reply-7")
    await post.read()
    entry = (await world.store.streams.read(world.keys.stream("v1")))[-1]
    event = unpack_event(entry.event)
    assert event.type == "dispatch.reply.refused"
    assert (event.data["reply_id"], event.data["type"]) == ("reply-7", f"/problems/{problem}")
    assert await post.pending() == 0
    assert await world.store.market(world.market).dead_letters.get_all() == []


async def test_another_vendors_offer_is_refused_and_its_own_vendor_hears_nothing(
    world: World, post: Post
) -> None:
    others = Post(world, world.keys.replies("v2"))
    await others.write("accept", {"offer_id": "r1.1"}, token="v2")
    await others.read()
    assert (await world.record()).state is RequestState.OFFERED
    assert await world.heard(world.keys.stream("v2")) == ["dispatch.reply.refused"]
    assert await world.heard(world.keys.stream("v1")) == ["dispatch.offer.made"]


async def test_a_running_consumer_takes_what_comes_until_it_is_told_to_stop(world: World, post: Post) -> None:
    running = asyncio.create_task(post.consumer().run(world.market))
    await post.write("accept", {"offer_id": "r1.1"})
    async with asyncio.timeout(20):
        while (await world.record()).state is not RequestState.ACCEPTED:
            await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.wait([running], timeout=20)
    assert running.done()


@pytest.mark.parametrize("loss", [("XGROUP", "DESTROY", GROUP), ("DEL",)])
async def test_a_group_that_was_destroyed_is_made_again_and_no_reply_is_lost(
    world: World, post: Post, loss: tuple[str, ...]
) -> None:
    await world.store.streams.ensure_group(post.stream, GROUP)
    running = asyncio.create_task(post.consumer(wait_s=5.0).run(world.market))
    await asyncio.sleep(0.2)  # it waits for news
    name, *rest = loss
    words = (name, *rest[:1], post.stream, *rest[1:])
    assert await world.store.reader.ask(*words) == 1
    await post.write("accept", {"offer_id": "r1.1"})
    async with asyncio.timeout(20):
        while (await world.record()).state is not RequestState.ACCEPTED:
            assert not running.done()
            await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.wait([running], timeout=20)
