"""A write that cannot succeed is found before the first one: nothing is stored, and the key is named."""

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from redis.asyncio import Redis

from contracts.statements import WorkEnd
from dispatcher.domain import barriers
from dispatcher.domain.acceptance import Answer
from dispatcher.domain.barriers import PatternCount
from dispatcher.domain.fairness import GroupCount
from dispatcher.domain.refusals import Unavailable, Unwritable
from dispatcher.domain.request_kind import REQUEST_KIND, index_of
from dispatcher.domain.scorecards import Entry, Outcome, WorkOutcome, day_of
from dispatcher.domain.statements import Billed
from dispatcher.domain.statements import Item as Work
from dispatcher.domain.will_call import Called, DayKind
from dispatcher.serve.embedded import EmbeddedRedis
from dispatcher.store.aside import Item
from dispatcher.store.figures import FIGURE
from dispatcher.store.idempotency import IdempotencyRecord
from dispatcher.store.keys import Keys
from dispatcher.store.market import MarketStore
from dispatcher.store.outcome import Status
from dispatcher.store.program import Program
from dispatcher.store.store import Store
from solvers import acceptance
from tests.store.conftest import RING, everything
from tests.store.made import DAY, NOW_MS, booking, cancelled, offered, pools, received, record, trip, vendor

OTHER_TYPES = {
    "string": ("SET", "x"),
    "list": ("RPUSH", "x"),
    "hash": ("HSET", "x", "1"),
    "zset": ("ZADD", 1, "x"),
    "set": ("SADD", "x"),
    "stream": ("XADD", "*", "x", "1"),
}


async def put(raw: Redis, key: str, kind: str) -> None:
    name, *words = OTHER_TYPES[kind]
    await raw.delete(key)
    await raw.execute_command(name, key, *words)


async def refused(market: MarketStore, raw: Redis, keys: Keys, key: str, *decided: object) -> str:
    """A commit that must be refused for this key, with nothing written; what is said."""
    before = await everything(raw, keys)
    kept = IdempotencyRecord.of("platform", "refused", b"body")
    with pytest.raises(Unwritable) as told:
        await market.commit(decided or [received("a")], requests=[trip("a")], idempotency=kept)
    assert await everything(raw, keys) == before
    assert key in told.value.detail
    return told.value.detail


WRITTEN = ("events", REQUEST_KIND.timers, index_of(record("a").state))
READ = (f"{REQUEST_KIND.key}:a", f"k:{IdempotencyRecord.of('platform', 'refused', b'').digest}")


@pytest.mark.parametrize("kind", OTHER_TYPES)
@pytest.mark.parametrize("name", (*WRITTEN, *READ))
async def test_a_key_of_another_type_refuses_the_whole_commit(
    market: MarketStore, raw: Redis, keys: Keys, name: str, kind: str
) -> None:
    right = {"events": "stream", **dict.fromkeys(WRITTEN[1:], "zset"), **dict.fromkeys(READ, "string")}
    if right[name] == kind:
        pytest.skip("that is its type")
    await put(raw, keys.prefix + name, kind)
    told = await refused(market, raw, keys, keys.prefix + name)
    assert "WRONGTYPE" in told or right[name] in told


async def test_a_ledger_of_another_type_refuses_the_whole_commit(
    market: MarketStore, raw: Redis, keys: Keys
) -> None:
    await market.commit([received("a")], requests=[trip("a")])
    await market.capacity.put("v1", DAY, pools(1))
    for key in (keys.used("v1", "vans", DAY.isoformat()), keys.limit("v1", "vans", DAY.isoformat())):
        kept = await raw.dump(key)
        await put(raw, key, "list")
        before = await everything(raw, keys)
        with pytest.raises(Unwritable, match="vans"):
            await market.commit([offered(record("a"), booking())])
        assert await everything(raw, keys) == before
        await raw.delete(key)
        if kept:
            await raw.restore(key, 0, kept)
    assert (await market.commit([offered(record("a"), booking())])).ok


async def test_a_vendor_s_stream_of_another_type_refuses_its_offer_alone(
    market: MarketStore, raw: Redis, keys: Keys
) -> None:
    await market.commit([received("a"), received("b")], requests=[trip("a"), trip("b")])
    await market.capacity.put("v1", DAY, pools(1))
    await put(raw, keys.stream("v1"), "list")
    before = await everything(raw, keys)
    with pytest.raises(Unwritable, match="vendor:v1"):
        await market.commit([cancelled(record("b")), offered(record("a"), booking())])
    assert await everything(raw, keys) == before
    assert (await market.commit([cancelled(record("b"))])).ok


async def test_a_set_and_a_list_of_days_of_another_type_refuse_a_vendor_and_its_posting(
    market: MarketStore, raw: Redis, keys: Keys
) -> None:
    for key, put_it in (
        (keys.vendors, lambda: market.vendors.put(vendor(), 0)),
        (keys.capacities, lambda: market.capacity.put("v1", DAY, pools(1))),
    ):
        await put(raw, key, "string")
        before = await everything(raw, keys)
        with pytest.raises(Unwritable, match=key.removeprefix(keys.prefix)):
            await put_it()
        assert await everything(raw, keys) == before


ENTRY = Entry(at_ms=NOW_MS, start_ms=0, level="bls")
COUNTED = msgspec.structs.replace(
    received("a"),
    outcomes=(WorkOutcome("v1", "a.1", Outcome.ON_TIME, ENTRY, kept_ms=60_000),),
    answers=(Answer("v1", "2026-W10", acceptance.Cell(0, 0, 0, 0), yes=True),),
    counts=(PatternCount("2026-W10", barriers.Cell("weather", "", "v1", "bls"), 1, 60_000),),
    groups=(GroupCount("2026-03-02", "bls@0,0"),),
    called=Called("2026-03", DayKind.WEEKDAY, 9),
)
FIGURES = {  # a key of counts, and a field of it that the commit adds to
    f"marks:{day_of(NOW_MS)}": "v1:bls:on_time",
    "acceptance:2026-W10": "v1:0:0:0:0:yes",
    "patterns:2026-W10": "weather::v1:bls",
    "fairness:2026-03-02": "asked:bls@0,0",
    "calls:2026-03": "weekday:9",
}


async def test_figures_are_counted(market: MarketStore, raw: Redis, keys: Keys) -> None:
    assert (await market.commit([COUNTED], requests=[trip("a")])).left_out == frozenset()
    counted = {name: await raw.hget(keys.prefix + name, field) for name, field in FIGURES.items()}
    assert counted == dict.fromkeys(FIGURES, b"1")


@pytest.mark.parametrize("value", ("many", "9223372036854775807", "1.5", "", None))
@pytest.mark.parametrize("name", FIGURES)
async def test_a_figure_that_cannot_be_counted_on_is_left_out_and_named_and_stops_nothing(
    market: MarketStore, raw: Redis, keys: Keys, name: str, value: str | None
) -> None:
    key = keys.prefix + name
    await (raw.set(key, "x") if value is None else raw.hset(key, FIGURES[name], value))
    kept = IdempotencyRecord.of("platform", "counted", b"body")
    outcome = await market.commit([COUNTED], requests=[trip("a")], idempotency=kept)
    assert (outcome.status, outcome.left_out) == (Status.OK, {key})
    assert await market.requests.records.get("a") == record("a")
    left = await (raw.get(key) if value is None else raw.hget(key, FIGURES[name]))
    assert left == (b"x" if value is None else value.encode())
    others = {other: await raw.hget(keys.prefix + other, FIGURES[other]) for other in FIGURES.keys() - {name}}
    assert others == dict.fromkeys(FIGURES.keys() - {name}, b"1")
    assert Item(FIGURE, name) in market.node.aside.known(market.name)


async def test_a_count_that_something_is_held_to_refuses_the_whole_commit(
    market: MarketStore, raw: Redis, keys: Keys
) -> None:
    """What a payer has spent is no figure: more than a cap allows must not be booked."""
    program, key = Program(), keys.spent("v1", "2026")
    program.write(keys.events, "XADD", "*", "x", "1")
    program.write(key, "HINCRBY", "payer:2026:trips", 1)
    await raw.hset(key, "payer:2026:trips", "many")
    with pytest.raises(Unwritable, match="payer:2026:trips is no count"):
        await market.node.committer.commit(program)
    assert not await raw.exists(keys.events)


async def test_after_the_cause_is_gone_the_same_command_has_its_effect(
    market: MarketStore, raw: Redis, keys: Keys
) -> None:
    await put(raw, keys.events, "list")
    await refused(market, raw, keys, keys.events)
    await raw.delete(keys.events)
    kept = IdempotencyRecord.of("platform", "refused", b"body")
    outcome = await market.commit([received("a")], requests=[trip("a")], idempotency=kept)
    assert outcome.status is Status.OK


@pytest.fixture
async def private(tmp_path: Path) -> AsyncIterator[tuple[EmbeddedRedis, Redis]]:
    """A server whose users and limits a test may change."""
    async with EmbeddedRedis(tmp_path) as server, Store(server.url, RING) as store:
        yield server, store.reader.client


def url_of(server: EmbeddedRedis, user: str) -> str:
    return server.url.replace("unix://", f"unix://{user}:secret@")


@pytest.mark.parametrize("forbidden", ("xadd", "zadd", "set"))
async def test_a_command_that_the_user_may_not_use_refuses_the_whole_commit(
    private: tuple[EmbeddedRedis, Redis], forbidden: str
) -> None:
    server, raw = private
    await raw.execute_command("ACL", "SETUSER", "svc", "on", ">secret", "~*", "&*", "+@all", f"-{forbidden}")
    async with Store(url_of(server, "svc"), RING) as store:
        market = store.market("metro")
        told = await refused(market, raw, market.keys, "", received("a"))
        assert forbidden.upper() in told


async def test_a_hint_that_the_user_may_not_publish_does_not_hold_up_the_commit(
    private: tuple[EmbeddedRedis, Redis],
) -> None:
    server, raw = private
    for rights in (("resetchannels",), ("allchannels", "-publish")):
        await raw.execute_command("ACL", "SETUSER", "svc", "reset", "on", ">secret", "~*", "+@all", *rights)
        async with Store(url_of(server, "svc"), RING) as store:
            market = store.market(f"m{len(rights)}")
            outcome = await market.commit([received("a")], requests=[trip("a")])
            assert outcome.ok
            assert await market.requests.records.get("a") == record("a")
            assert await raw.xlen(market.keys.events) == 1


async def test_a_server_without_memory_stores_nothing_of_a_commit(
    private: tuple[EmbeddedRedis, Redis],
) -> None:
    server, raw = private
    async with Store(server.url, RING) as store:
        market = store.market("metro")
        assert (await market.commit([received("b")], requests=[trip("b")])).ok
        used = (await raw.info("memory"))["used_memory"]
        refusals = 0
        for room in (0, 200, 1_000, 5_000, 20_000):
            await raw.config_set("maxmemory", used + room)
            before = await everything(raw, market.keys)
            try:
                await market.commit([received(f"a{room}")], requests=[trip(f"a{room}")])
            except Unavailable as told:
                refusals += 1
                assert "maxmemory" in told.detail
                assert await everything(raw, market.keys) == before
        assert refusals


async def test_a_statement_that_cannot_be_written_is_named_and_stops_no_work(
    market: MarketStore, raw: Redis, keys: Keys
) -> None:
    item = Billed("v1", "2026-03-02", "a.1", Work(NOW_MS, NOW_MS, WorkEnd.COMPLETED), 60_000)
    decided = msgspec.structs.replace(received("a"), billed=(item,))
    await raw.set(key := keys.statement("v1", "2026-03-02"), "x")
    outcome = await market.commit([decided], requests=[trip("a")])
    assert (outcome.status, outcome.left_out) == (Status.OK, {key})
    assert await market.statements.of("v1", ["2026-03-02"]) == []
