"""Streams: pending until acknowledged, claimed when left lying, trimmed only where nobody needs them."""

import asyncio
from datetime import date

from msgspec.structs import replace
from redis.asyncio import Redis

from contracts.codes import ServiceClass
from contracts.events import OfferClosed, ReplyRefused, RequestUnmatched
from contracts.pools import Pool, Pools
from contracts.unmatched import Unmatched
from dispatcher.domain.decision import Message
from dispatcher.domain.request_kind import REQUEST_KIND
from dispatcher.store import events
from dispatcher.store.changes import NAMED, SOON_MS
from dispatcher.store.hints import MOST_BYTES, Come, Hint, come_of, heard_as
from dispatcher.store.keys import Keys
from dispatcher.store.market import MarketStore
from dispatcher.store.store import Store
from dispatcher.store.streams import GROUP, Streams
from tests.store.made import NOW_MS, changed, received, record, trip, vendor


async def submit(market: MarketStore, *ids: str) -> None:
    for each in ids:
        assert (await market.commit([received(each)], requests=[trip(each)])).ok


def subjects(entries: list[events.Entry]) -> list[str]:
    return [events.unpack_event(entry.event).subject for entry in entries]


async def test_an_event_is_a_cloudevent_with_an_id_that_a_replay_repeats(
    market: MarketStore, keys: Keys, streams: Streams
) -> None:
    await submit(market, "a")
    (entry,) = await streams.read(keys.events)
    event = events.unpack_event(entry.event)
    assert (event.specversion, event.id, event.source) == ("1.0", "a.1.0", f"/markets/{market.name}")
    assert (event.type, event.subject) == ("dispatch.request.changed", "a")
    assert int(event.time.timestamp() * 1000) == NOW_MS
    assert event.data == {"request_id": "a", "state": "received", "version": 1}


async def test_a_reader_goes_on_where_it_was(market: MarketStore, keys: Keys, streams: Streams) -> None:
    await submit(market, "a", "b", "c")
    first = await streams.read(keys.events, count=2)
    rest = await streams.read(keys.events, first[-1].id)
    assert subjects(first + rest) == ["a", "b", "c"]
    assert await streams.last_id(keys.events) == rest[-1].id
    assert await streams.last_id(keys.matches) == "0"


async def test_what_is_not_acknowledged_is_claimed_by_another_consumer(
    market: MarketStore, keys: Keys, streams: Streams
) -> None:
    await submit(market, "a", "b")
    await streams.ensure_group(keys.events, "g")
    await streams.ensure_group(keys.events, "g")
    taken = await streams.read_group(keys.events, "g", "first")
    await streams.acknowledge(keys.events, "g", taken[0].id)
    assert await streams.read_group(keys.events, "g", "second") == []
    claimed, following = await streams.claim(keys.events, "g", "second", idle_ms=0)
    assert (subjects(claimed), following) == (["b"], "0-0")


async def test_a_poisonous_entry_is_buried_by_name_without_its_body(
    market: MarketStore, raw: Redis, keys: Keys, streams: Streams
) -> None:
    await raw.xadd(keys.shared_replies, {"ce": b"\xc1 Canary Wren"})
    await raw.xadd(keys.shared_replies, {"other": b"Canary Wren"})
    await streams.ensure_group(keys.shared_replies, "g")
    entries = await streams.read_group(keys.shared_replies, "g", "c")
    assert [entry.event for entry in entries] == [b"\xc1 Canary Wren", b""]
    for entry in entries:
        await market.dead_letters.bury(entry, "g", "not MessagePack")
    dead = await market.dead_letters.get_all()
    assert [(each["stream"], each["id"], each["reason"]) for each in dead] == [
        (keys.shared_replies, entry.id, "not MessagePack") for entry in entries
    ]
    assert b"Canary" not in await raw.dump(keys.dead)
    assert (await streams.claim(keys.shared_replies, "g", "c", idle_ms=0))[0] == []


async def test_a_tail_waits_for_the_next_entry_and_longer_than_a_plain_client_would(
    store: Store, market: MarketStore, keys: Keys
) -> None:
    async with store.tail(wait_s=6.0) as tail:
        waiting = asyncio.create_task(tail.read({keys.events: "0", keys.matches: "0"}))
        await asyncio.sleep(0.05)
        await submit(market, "a")
        assert subjects(await waiting) == ["a"]
        client = await tail._line.to(keys.events)
        timeout = client.connection_pool.connection_kwargs["socket_timeout"]
        assert timeout > 6.0


async def test_a_tail_without_news_returns_nothing(store: Store, keys: Keys) -> None:
    async with store.tail(wait_s=0.01) as tail:
        assert await tail.read({keys.events: "0"}) == []


async def test_a_tail_reads_for_a_group(store: Store, market: MarketStore, keys: Keys) -> None:
    await submit(market, "a")
    await store.streams.ensure_group(keys.events, "g")
    async with store.tail(wait_s=1.0) as tail:
        assert subjects(await tail.read_group({keys.events: ">"}, "g", "c")) == ["a"]
        assert subjects(await tail.read_group({keys.events: "0"}, "g", "c")) == ["a"]


async def test_a_storm_of_new_work_is_looked_for_not_listed(market: MarketStore) -> None:
    many = [f"r{number}" for number in range(NAMED + 1)]
    async with market.wake() as wake:
        decisions = [received(each) for each in many]
        assert (await market.commit(decisions, requests=[trip(each) for each in many])).ok
        assert await wake.wait(5.0) == Hint(look=True)


async def test_a_hint_names_the_vendor_that_is_another_or_posted_something(market: MarketStore) -> None:
    pool = Pool(id="vans", serves=(ServiceClass.WHEELCHAIR,), units=(1,))
    async with market.wake() as wake:
        await market.vendors.put(vendor("v1"))
        assert await wake.wait(5.0) == Hint(vendors=("v1",))
        await market.capacity.put("v1", date(2026, 3, 2), Pools(pools=(pool,)))
        assert await wake.wait(5.0) == Hint(vendors=("v1",))


async def test_a_request_that_comes_by_itself_is_in_its_hint_as_it_is_stored(
    store: Store, market: MarketStore, keys: Keys
) -> None:
    async with market.wake() as wake:
        await submit(market, "a")
        heard = await wake.wait(5.0)
    stored = await store.reader.get_all([keys.record(REQUEST_KIND, "a"), keys.body(REQUEST_KIND, "a")])
    assert heard == Hint(ids=("a",), come={"a": Come(*(each or b"" for each in stored))})


async def test_what_waits_for_a_batch_is_no_more_than_named_in_its_hint(market: MarketStore) -> None:
    later = received("a", earliest_ms=NOW_MS + SOON_MS + 1, latest_ms=NOW_MS + 2 * SOON_MS)
    async with market.wake() as wake:
        assert (await market.commit([later], requests=[trip("a")])).ok
        assert await wake.wait(5.0) == Hint(ids=("a",))


def test_hints_that_came_together_are_one_and_what_was_cut_is_passed_over() -> None:
    whole = come_of("a", b"record", b"body")
    heard = heard_as([b"b", whole, b"*v1", whole, b"c =QQ==", b"d =Q,Q==", b"e =,,", b"=Qg==,Qg=="])
    assert heard.ids == ("b", "a", "c", "d", "e")
    assert (heard.come, heard.vendors, heard.look) == ({"a": Come(b"record", b"body")}, ("v1",), False)
    assert heard_as([b"", b"a"]) == Hint(ids=("a",), look=True)
    assert heard_as([whole, b"a"]) == Hint(ids=("a",)), "it is another by now"


def test_what_is_large_is_read_not_sent_to_all_who_hear() -> None:
    assert heard_as([come_of("a", b"record", b"b" * MOST_BYTES)]) == Hint(ids=("a",))


async def test_new_work_wakes_whoever_waits(market: MarketStore) -> None:
    async with market.wake() as wake:
        assert not await wake.wait(0.01)
        await submit(market, "a", "b")
        hint = await wake.wait(5.0)
        assert hint
        assert set(hint.ids) <= {"a", "b"}, "it says who waits"
        further = 0
        while await wake.wait(0.05):
            further += 1
        assert further <= 1, "there are no more wakes than hints"


async def test_an_announcement_goes_to_its_vendor(market: MarketStore, keys: Keys, streams: Streams) -> None:
    data = ReplyRefused(reply_id="reply-1", type="/problems/not-found", detail="no such offer")
    message = Message(vendor_id="v1", type="dispatch.reply.refused", subject="a", data=data)
    await market.announce(message, event_id="reply-1", at_ms=NOW_MS)
    (entry,) = await streams.read(keys.stream("v1"))
    assert events.unpack_event(entry.event).id == "reply-1"


async def test_trimming_keeps_what_is_pending_unread_or_young(
    market: MarketStore, raw: Redis, keys: Keys, streams: Streams
) -> None:
    await submit(market, "a", "b", "c", "d")
    assert await market.retention.trim_streams() == 0, "all of them are young"
    await streams.ensure_group(keys.events, "slow")
    await streams.ensure_group(keys.events, "quick")
    await until_the_clock_moves(raw)
    assert await market.retention.trim_streams(retention_ms=0) == 0, "nobody has read them"
    quick = await streams.read_group(keys.events, "quick", "c")
    await streams.acknowledge(keys.events, "quick", *[entry.id for entry in quick])
    slow = await streams.read_group(keys.events, "slow", "c", count=3)
    await streams.acknowledge(keys.events, "slow", slow[0].id, slow[2].id)
    assert await market.retention.trim_streams(retention_ms=0) == 1, "b is pending"
    claimed, _ = await streams.claim(keys.events, "slow", "c", idle_ms=0)
    assert subjects(claimed) == ["b"]


async def test_what_every_group_is_done_with_goes_early_and_what_is_read_by_position_stays(
    market: MarketStore, raw: Redis, keys: Keys, streams: Streams
) -> None:
    await market.vendors.put(vendor("v1"))
    await market.vendors.put(vendor("v2"))
    names = (keys.matches, keys.stream("v1"), keys.stream("v2"), keys.events)
    no_vendor = RequestUnmatched(request_id="a", unmatched=Unmatched(vendors=1))
    unmatched = Message(type="dispatch.request.unmatched", subject="a", data=no_vendor)
    over = OfferClosed(offer_id="a.1", state="cancelled")
    closed = Message(type="dispatch.offer.closed", subject="a.1", data=over, vendor_id="v1")
    messages = (unmatched, closed, replace(closed, vendor_id="v2"), changed(record("a")))
    for name, told in zip(names, messages, strict=True):
        for number in range(3):
            await market.announce(told, event_id=f"{name}{number}", at_ms=NOW_MS)
    for name in (keys.matches, keys.stream("v1"), keys.events):  # v2 follows by server-sent events
        await streams.ensure_group(name, "reader")
        entries = await streams.read_group(name, "reader", "c")
        await streams.acknowledge(name, "reader", *[entry.id for entry in entries])
    await streams.ensure_group(keys.stream("v1"), "second")
    await until_the_clock_moves(raw)
    assert await market.retention.trim_streams() == 0, "an hour is left to look again"
    await market.retention.trim_streams(done_ms=0)
    assert [len(await streams.read(name)) for name in names] == [0, 3, 3, 3], "the second group has not read"
    second = await streams.read_group(keys.stream("v1"), "second", "c")
    await streams.acknowledge(keys.stream("v1"), "second", *[entry.id for entry in second])
    await market.retention.trim_streams(done_ms=0)
    assert [len(await streams.read(name)) for name in names] == [0, 0, 3, 3]


async def until_the_clock_moves(raw: Redis) -> None:
    """Past the millisecond in which the last entry was made."""
    started = await raw.time()
    while (await raw.time())[1] // 1000 == started[1] // 1000:
        await asyncio.sleep(0.001)


async def consumers(raw: Redis, keys: Keys) -> set[str]:
    return {each["name"].decode() for each in await raw.xinfo_consumers(keys.replies("v1"), GROUP)}


async def test_a_consumer_whose_process_ended_is_forgotten_unless_it_left_something(
    market: MarketStore, keys: Keys, streams: Streams, raw: Redis
) -> None:
    await market.vendors.put(vendor("v1"))
    assert await market.retention.forget_consumers() == 0  # there is no stream yet
    await raw.xadd(keys.replies("v1"), {"ce": b"reply"})
    assert await market.retention.forget_consumers() == 0  # nor, while no web process runs, its group
    await streams.ensure_group(keys.replies("v1"), GROUP)
    assert len(await streams.read_group(keys.replies("v1"), GROUP, "left-something")) == 1
    for name in ("ended", "alive"):
        await streams.read_group(keys.replies("v1"), GROUP, name)
    await asyncio.sleep(0.2)
    await streams.read_group(keys.replies("v1"), GROUP, "alive")
    assert await market.retention.forget_consumers(idle_ms=150) == 1
    assert await consumers(raw, keys) == {"left-something", "alive"}
    (entry,), _ = await streams.claim(keys.replies("v1"), GROUP, "alive", idle_ms=0)
    await streams.acknowledge(keys.replies("v1"), GROUP, entry.id)
    await asyncio.sleep(0.2)
    assert await market.retention.forget_consumers(idle_ms=150) == 2
    assert await streams.read_group(keys.replies("v1"), GROUP, "alive") == []
    assert await consumers(raw, keys) == {"alive"}  # it comes back by itself
