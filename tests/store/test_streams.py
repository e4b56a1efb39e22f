"""Streams: pending until acknowledged, claimed when left lying, trimmed only where nobody needs them."""

import asyncio

from msgspec.structs import replace
from redis.asyncio import Redis

from dispatcher.domain.decision import Message, To
from dispatcher.store import events
from dispatcher.store.decisions import NAMED
from dispatcher.store.keys import Keys
from dispatcher.store.store import Store
from tests.store.made import NOW_MS, changed, received, record, trip, vendor


async def submit(store: Store, market: str, *ids: str) -> None:
    for each in ids:
        assert (await store.commit(market, [received(each)], requests=[trip(each)])).ok


def subjects(entries: list[events.Entry]) -> list[str]:
    return [events.unpack_event(entry.event).subject for entry in entries]


async def test_an_event_is_a_cloudevent_with_an_id_that_a_replay_repeats(
    store: Store, market: str, keys: Keys
) -> None:
    await submit(store, market, "a")
    (entry,) = await store.read(keys.events)
    event = events.unpack_event(entry.event)
    assert (event.specversion, event.id, event.source) == ("1.0", "a.1.0", f"/markets/{market}")
    assert (event.type, event.subject) == ("dispatch.request.changed", "a")
    assert int(event.time.timestamp() * 1000) == NOW_MS
    assert event.data == {"request_id": "a", "state": "received", "version": 1}


async def test_a_reader_goes_on_where_it_was(store: Store, market: str, keys: Keys) -> None:
    await submit(store, market, "a", "b", "c")
    first = await store.read(keys.events, count=2)
    rest = await store.read(keys.events, first[-1].id)
    assert subjects(first + rest) == ["a", "b", "c"]
    assert await store.last_id(keys.events) == rest[-1].id
    assert await store.last_id(keys.matches) == "0"


async def test_what_is_not_acknowledged_is_claimed_by_another_consumer(
    store: Store, market: str, keys: Keys
) -> None:
    await submit(store, market, "a", "b")
    await store.ensure_group(keys.events, "g")
    await store.ensure_group(keys.events, "g")
    taken = await store.read_group(keys.events, "g", "first")
    await store.acknowledge(keys.events, "g", taken[0].id)
    assert await store.read_group(keys.events, "g", "second") == []
    claimed, following = await store.claim(keys.events, "g", "second", idle_ms=0)
    assert (subjects(claimed), following) == (["b"], "0-0")


async def test_a_poisonous_entry_is_buried_by_name_without_its_body(
    store: Store, market: str, raw: Redis, keys: Keys
) -> None:
    await raw.xadd(keys.replies, {"ce": b"\xc1 Canary Wren"})
    await raw.xadd(keys.replies, {"other": b"Canary Wren"})
    await store.ensure_group(keys.replies, "g")
    entries = await store.read_group(keys.replies, "g", "c")
    assert [entry.event for entry in entries] == [b"\xc1 Canary Wren", b""]
    for entry in entries:
        await store.bury(market, entry, "g", "not MessagePack")
    dead = await store.dead(market)
    assert [(each["stream"], each["id"], each["reason"]) for each in dead] == [
        (keys.replies, entry.id, "not MessagePack") for entry in entries
    ]
    assert b"Canary" not in await raw.dump(keys.dead)
    assert (await store.claim(keys.replies, "g", "c", idle_ms=0))[0] == []


async def test_a_tail_waits_for_the_next_entry_and_longer_than_a_plain_client_would(
    store: Store, market: str, keys: Keys
) -> None:
    async with store.tail(wait_s=6.0) as tail:
        waiting = asyncio.create_task(tail.read({keys.events: "0", keys.matches: "0"}))
        await asyncio.sleep(0.05)
        await submit(store, market, "a")
        assert subjects(await waiting) == ["a"]
        timeout = tail._client.connection_pool.connection_kwargs["socket_timeout"]
        assert timeout > 6.0


async def test_a_tail_without_news_returns_nothing(store: Store, keys: Keys) -> None:
    async with store.tail(wait_s=0.01) as tail:
        assert await tail.read({keys.events: "0"}) == []


async def test_a_tail_reads_for_a_group(store: Store, market: str, keys: Keys) -> None:
    await submit(store, market, "a")
    await store.ensure_group(keys.events, "g")
    async with store.tail(wait_s=1.0) as tail:
        assert subjects(await tail.read_group({keys.events: ">"}, "g", "c")) == ["a"]
        assert subjects(await tail.read_group({keys.events: "0"}, "g", "c")) == ["a"]


async def test_a_storm_of_new_work_is_looked_for_not_listed(store: Store, market: str) -> None:
    many = [f"r{number}" for number in range(NAMED + 1)]
    async with store.wake(market) as wake:
        decisions = [received(each) for each in many]
        assert (await store.commit(market, decisions, requests=[trip(each) for each in many])).ok
        assert await wake.wait(5.0) == ((), True)


async def test_new_work_wakes_whoever_waits(store: Store, market: str) -> None:
    async with store.wake(market) as wake:
        assert not await wake.wait(0.01)
        await submit(store, market, "a", "b")
        hint = await wake.wait(5.0)
        assert hint
        assert set(hint.ids) <= {"a", "b"}, "it says who waits"
        further = 0
        while await wake.wait(0.05):
            further += 1
        assert further <= 1, "there are no more wakes than hints"


async def test_an_announcement_goes_to_its_vendor(store: Store, market: str, keys: Keys) -> None:
    data = changed(record("a")).data
    message = Message(to=To.VENDOR, vendor_id="v1", type="dispatch.reply.refused", subject="a", data=data)
    await store.announce(market, message, event_id="reply-1", at_ms=NOW_MS)
    (entry,) = await store.read(keys.stream("v1"))
    assert events.unpack_event(entry.event).id == "reply-1"


async def test_trimming_keeps_what_is_pending_unread_or_young(
    store: Store, market: str, raw: Redis, keys: Keys
) -> None:
    await submit(store, market, "a", "b", "c", "d")
    assert await store.trim_streams(market) == 0, "all of them are young"
    await store.ensure_group(keys.events, "slow")
    await store.ensure_group(keys.events, "quick")
    await until_the_clock_moves(raw)
    assert await store.trim_streams(market, retention_ms=0) == 0, "nobody has read them"
    quick = await store.read_group(keys.events, "quick", "c")
    await store.acknowledge(keys.events, "quick", *[entry.id for entry in quick])
    slow = await store.read_group(keys.events, "slow", "c", count=3)
    await store.acknowledge(keys.events, "slow", slow[0].id, slow[2].id)
    assert await store.trim_streams(market, retention_ms=0) == 1, "b is pending"
    claimed, _ = await store.claim(keys.events, "slow", "c", idle_ms=0)
    assert subjects(claimed) == ["b"]


async def test_what_every_group_is_done_with_goes_early_and_what_is_read_by_position_stays(
    store: Store, market: str, raw: Redis, keys: Keys
) -> None:
    await store.put_vendor(market, vendor("v1"))
    await store.put_vendor(market, vendor("v2"))
    streams = (keys.matches, keys.stream("v1"), keys.stream("v2"), keys.events)
    message = changed(record("a"))
    for name in streams:
        to = {keys.matches: To.MATCHES, keys.events: To.EVENTS}.get(name, To.VENDOR)
        told = replace(message, to=to, vendor_id=name.rpartition(":")[2])
        for number in range(3):
            await store.announce(market, told, event_id=f"{name}{number}", at_ms=NOW_MS)
    for name in (keys.matches, keys.stream("v1"), keys.events):  # v2 follows by server-sent events
        await store.ensure_group(name, "reader")
        entries = await store.read_group(name, "reader", "c")
        await store.acknowledge(name, "reader", *[entry.id for entry in entries])
    await store.ensure_group(keys.stream("v1"), "second")
    await until_the_clock_moves(raw)
    assert await store.trim_streams(market) == 0, "an hour is left to look again"
    await store.trim_streams(market, done_ms=0)
    assert [len(await store.read(name)) for name in streams] == [0, 3, 3, 3], "the second group has not read"
    second = await store.read_group(keys.stream("v1"), "second", "c")
    await store.acknowledge(keys.stream("v1"), "second", *[entry.id for entry in second])
    await store.trim_streams(market, done_ms=0)
    assert [len(await store.read(name)) for name in streams] == [0, 0, 3, 3]


async def until_the_clock_moves(raw: Redis) -> None:
    """Past the millisecond in which the last entry was made."""
    started = await raw.time()
    while (await raw.time())[1] // 1000 == started[1] // 1000:
        await asyncio.sleep(0.001)
