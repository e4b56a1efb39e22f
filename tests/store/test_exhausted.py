"""A stream whose ids are used up gets a successor: nothing is lost, groups go on, the old one lies aside."""

import asyncio
from pathlib import Path

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from dispatcher.audit.auditor import audit
from dispatcher.domain.refusals import Unwritable
from dispatcher.serve.embedded import EmbeddedRedis
from dispatcher.store.exhausted import is_sane
from dispatcher.store.keys import Keys
from dispatcher.store.market import MarketStore
from dispatcher.store.outcome import Status
from dispatcher.store.store import Store
from dispatcher.store.streams import Streams
from tests.store.conftest import RING, everything
from tests.store.made import DAY, booking, offered, pools, received, record, trip

LAST = (1 << 64) - 1
END = f"{LAST}-{LAST}"


async def submit(market: MarketStore, *ids: str) -> Status:
    decided = [received(each) for each in ids]
    return (await market.commit(decided, requests=[trip(each) for each in ids])).status


@pytest.mark.parametrize("last", (END, f"{LAST}-{LAST - 1}", f"{LAST}-0", "9999999999999999-0"))
@pytest.mark.parametrize("by", ("XADD", "XSETID", "XADD and XDEL"))
async def test_a_commit_replaces_it_and_goes_on(
    market: MarketStore, raw: Redis, keys: Keys, last: str, by: str
) -> None:
    await submit(market, "a")
    (kept,) = await raw.xrange(keys.events)
    await raw.execute_command(by[:4] if by != "XSETID" else by, keys.events, last, *_fields(by))
    if by.endswith("XDEL"):
        await raw.xdel(keys.events, last)
    with capture_logs() as lines:
        assert await submit(market, "b", "c") is Status.OK
    entries = await raw.xrange(keys.events)
    assert entries[0] == kept, "who reads by position goes on"
    assert len(entries) == 3
    assert all(is_sane(name.decode()) for name, _ in entries)
    (told,) = [line for line in lines if line["event"] == "stream_replaced"]
    assert (told["stream"], told["entries"]) == (keys.events, 1)
    assert await raw.exists(told["aside"])
    report = await audit(market.node.reader, market.name, ["a", "b", "c"], streams=True)
    assert report["findings"] == []
    assert [f"{keys.prefix}{name}" for name in report["streams_set_aside"]] == [told["aside"]]
    assert await market.retention.set_aside() == 1


def _fields(by: str) -> tuple[str, ...]:
    return () if by == "XSETID" else ("poison", "1")


async def test_a_consumer_group_goes_on_where_it_was_with_what_it_has_not_acknowledged(
    market: MarketStore, raw: Redis, keys: Keys, streams: Streams
) -> None:
    await streams.ensure_group(keys.events, "readers")
    await streams.ensure_group(keys.events, "lazy")
    await submit(market, "a", "b", "c")
    read = await streams.read_group(keys.events, "readers", "one", count=2)
    await streams.acknowledge(keys.events, "readers", read[0].id)
    await raw.execute_command("XADD", keys.events, END, "poison", "1")
    await submit(market, "d")
    pending = await raw.xpending_range(keys.events, "readers", "-", "+", 10)
    assert [(each["message_id"].decode(), each["consumer"]) for each in pending] == [(read[1].id, b"one")]
    assert len(await streams.read_group(keys.events, "readers", "one")) == 2
    assert len(await streams.read_group(keys.events, "lazy", "one")) == 4


async def test_a_group_that_read_the_last_id_of_all_hears_what_comes_after(
    market: MarketStore, raw: Redis, keys: Keys, streams: Streams
) -> None:
    await streams.ensure_group(keys.events, "readers")
    await submit(market, "a")
    await raw.execute_command("XADD", keys.events, END, "poison", "1")
    assert len(await streams.read_group(keys.events, "readers", "one")) == 2
    await submit(market, "b")
    (entry,) = await streams.read_group(keys.events, "readers", "one")
    assert is_sane(entry.id)


async def test_several_of_one_commit_and_commits_at_once(market: MarketStore, raw: Redis, keys: Keys) -> None:
    await submit(market, "a", "b")
    await market.capacity.put("v1", DAY, pools(3))
    for key in (keys.events, keys.stream("v1")):
        await raw.execute_command("XADD", key, END, "poison", "1")
    commits = [market.commit([offered(record(each), booking())]) for each in ("a", "b")]
    assert [outcome.status for outcome in await asyncio.gather(*commits)] == [Status.OK, Status.OK]
    assert (await raw.xlen(keys.events), await raw.xlen(keys.stream("v1"))) == (4, 2)
    assert await market.retention.set_aside() == 2


async def test_housekeeping_replaces_streams_that_others_write_to(
    market: MarketStore, raw: Redis, keys: Keys, streams: Streams
) -> None:
    await streams.ensure_group(keys.matches, "platform")
    await raw.execute_command("XADD", keys.matches, END, "poison", "1")
    (replaced,) = await market.retention.replace_exhausted()
    assert (replaced.entries, replaced.groups, replaced.left_behind) == (0, 1, 1)
    assert await raw.xadd(keys.matches, {"ce": "a match"})
    assert len(await streams.read_group(keys.matches, "platform", "one")) == 1
    assert await market.retention.replace_exhausted() == []


async def test_where_the_acl_forbids_it_nothing_is_written_and_the_right_is_named(
    tmp_path: Path,
) -> None:
    async with EmbeddedRedis(tmp_path) as server, Store(server.url, RING) as admin:
        raw = admin.reader.client
        rights = ("on", ">secret", "~*", "&*", "+@all", "-rename")
        await raw.execute_command("ACL", "SETUSER", "svc", *rights)
        url = server.url.replace("unix://", "unix://svc:secret@")
        keys = Keys("metro")
        async with Store(url, RING) as store:
            await submit(store.market("metro"), "a")
            await raw.execute_command("XADD", keys.events, END, "poison", "1")
            before = await everything(raw, keys)
            with pytest.raises(Unwritable, match=r"metro}:events: its ids are used up.*RENAME"):
                await submit(store.market("metro"), "b")
            assert await everything(raw, keys) == before


async def test_a_dead_letter_is_written_and_acknowledged_or_neither(
    market: MarketStore, raw: Redis, keys: Keys, streams: Streams
) -> None:
    await streams.ensure_group(keys.shared_replies, "service")
    await raw.xadd(keys.shared_replies, {"ce": "?"})
    (entry,) = await streams.read_group(keys.shared_replies, "service", "one")
    await raw.set(keys.dead, "no stream")
    with pytest.raises(Unwritable, match="dead"):
        await market.dead_letters.bury(entry, "service", "a test")
    assert (await raw.xpending(keys.shared_replies, "service"))["pending"] == 1
    await raw.delete(keys.dead)
    await market.dead_letters.bury(entry, "service", "a test")
    assert (await raw.xpending(keys.shared_replies, "service"))["pending"] == 0
    assert [each["id"] for each in await market.dead_letters.get_all()] == [entry.id]
