"""The audit finds every broken promise, nothing on a sound store, and never shows a patient."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from msgspec.structs import replace
from redis.asyncio import Redis

from contracts.codes import RequestState
from contracts.tasks import TaskKind
from dispatcher.audit.auditor import audit
from dispatcher.cli import main
from dispatcher.domain.commands.set_aside import unread
from dispatcher.domain.context import Context
from dispatcher.domain.request_kind import REQUEST_KIND, index_of, offers_of
from dispatcher.domain.requests import RequestRecord
from dispatcher.domain.tasks import TASK_KIND, opened
from dispatcher.serve.embedded import EmbeddedRedis
from dispatcher.store import codec
from dispatcher.store.keys import Keys
from dispatcher.store.ledger import CELLS, LedgerKey
from dispatcher.store.market import MarketStore
from dispatcher.store.store import Store
from tests.store.conftest import everything
from tests.store.made import (
    DAY,
    NOW_MS,
    PATIENT,
    booking,
    moved,
    offered,
    pools,
    received,
    record,
    trip,
    vendor,
)
from tests.store.work import Writers

VANS = LedgerKey("v1", "vans", DAY.isoformat())
Damage = Callable[[Redis, Keys], Awaitable[object]]


async def fill(market: MarketStore) -> None:
    """Request a is offered to v1, request b is open."""
    await market.vendors.put(vendor())
    await market.capacity.put("v1", DAY, pools(2))
    await market.commit([received("a"), received("b")], requests=[trip("a"), trip("b")])
    assert (await market.commit([offered(record("a"), booking(2))])).ok


async def rules(store: Store, market: MarketStore, *acknowledged: str) -> set[str]:
    report = await audit(store.reader, market.name, acknowledged, streams=True)
    return {finding["rule"] for finding in report["findings"]}


def written(changed: RequestRecord) -> Damage:
    return lambda raw, keys: raw.set(of(keys, changed.id), codec.pack(changed.version, changed))


def of(keys: Keys, request_id: str) -> str:
    return keys.record(REQUEST_KIND, request_id)


def body(keys: Keys, request_id: str) -> str:
    return keys.body(REQUEST_KIND, request_id)


def listed(name: str, member: str) -> Damage:
    return lambda raw, keys: raw.zadd(keys.list(name), {member: 5})


def unlisted(name: str, member: str) -> Damage:
    return lambda raw, keys: raw.zrem(keys.list(name), member)


ended_twice = moved(moved(record("b"), RequestState.CANCELLED), RequestState.COMPLETED)

ORPHAN = opened(TaskKind.UNMATCHED, "gone", Context(now_ms=NOW_MS))

DAMAGES: dict[str, tuple[Damage, set[str], str]] = {  # what was done, the rules it breaks, what is told
    "ended twice": (
        written(ended_twice),
        {"one end", "table", "lists"},
        "has ended as cancelled and completed",
    ),
    "ended without a step": (
        written(replace(record("b"), state=RequestState.FAILED)),
        {"one end", "table", "lists", "tasks"},
        "its place in i:failed is missing",
    ),
    "a person is needed, and nobody is asked": (
        written(moved(record("b"), RequestState.UNMATCHED)),
        {"lists", "tasks"},
        "is unmatched and names no task",
    ),
    "a task that is gone": (
        written(replace(record("b"), tasks=("b.1.overdue",))),
        {"tasks"},
        "names task b.1.overdue, which is not there",
    ),
    "a task without its request": (
        lambda raw, keys: raw.set(keys.record(TASK_KIND, "gone.unmatched"), codec.pack(1, ORPHAN)),
        {"lists", "tasks"},
        "has outlived its request",
    ),
    "a step the table does not have": (
        written(moved(record("b"), RequestState.IN_PROGRESS)),
        {"table", "lists"},
        "went from received to in_progress",
    ),
    "another version inside": (
        lambda raw, keys: raw.set(of(keys, "b"), codec.pack(7, record("b"))),
        {"whole"},
        "holds version 1 of b under version 7",
    ),
    "unreadable record": (
        lambda raw, keys: raw.setrange(of(keys, "b"), 4, b"\xc1"),
        {"whole"},
        "cannot be decoded",
    ),
    "cut record": (lambda raw, keys: raw.set(of(keys, "b"), bytes(5)), {"whole"}, "cannot be decoded"),
    "empty record": (lambda raw, keys: raw.set(of(keys, "b"), bytes(4)), {"whole"}, "cannot be decoded"),
    "no body": (lambda raw, keys: raw.delete(body(keys, "b")), {"whole"}, "has a record and no body"),
    "left over": (
        lambda raw, keys: raw.set(body(keys, "gone"), b"sealed"),
        {"whole", "readable"},
        "has a body and no record",
    ),
    "cut body": (lambda raw, keys: raw.set(body(keys, "b"), bytes(5)), {"readable"}, "cannot be decoded"),
    "cut vendor": (
        lambda raw, keys: raw.setrange(keys.vendor("v1"), 14, b"\xc1\xc1"),
        {"readable"},
        "cannot be decoded",
    ),
    "cut posting": (
        lambda raw, keys: raw.set(keys.capacity("v1", DAY.isoformat()), bytes(13)),
        {"readable"},
        "cannot be decoded",
    ),
    "a vendor of a wrong type": (
        lambda raw, keys: raw.rename(keys.vendors, keys.vendor("v1")),
        {"readable"},
        "is no document",
    ),
    "cut tuning": (lambda raw, keys: raw.set(keys.tuning, b"\0\0"), {"readable"}, "cannot be decoded"),
    "a ledger that is too long": (
        lambda raw, keys: raw.setrange(keys.limit(*VANS), 2 * CELLS, b"\0\1"),
        {"readable"},
        "more cells than a day",
    ),
    "no timer": (unlisted(REQUEST_KIND.timers, "b"), {"lists"}, "its place in timers is missing"),
    "another timer": (listed(REQUEST_KIND.timers, "b"), {"lists"}, "its place in timers is at 5"),
    "a timer for nobody": (listed(REQUEST_KIND.timers, "ghost"), {"lists"}, "stands in timers"),
    "listed twice": (listed(index_of(RequestState.FAILED), "b"), {"lists"}, "stands in i:failed"),
    "listed nowhere": (
        unlisted(index_of(RequestState.RECEIVED), "b"),
        {"lists"},
        "its place in i:received is missing",
    ),
    "not in the vendor's list": (unlisted(offers_of("v1"), "a.1"), {"lists"}, "its place in o:v1 is missing"),
    "a stray offer": (listed(offers_of("v2"), "a.1"), {"lists"}, "stands in o:v2"),
    "booked without an offer": (
        lambda raw, keys: raw.setrange(keys.used(*VANS), 20, b"\0\1"),
        {"ledger"},
        "1 booked, 0 held by offers",
    ),
    "not booked": (
        lambda raw, keys: raw.delete(keys.used(*VANS)),
        {"ledger"},
        "0 booked, 2 held by offers",
    ),
    "fewer posted than booked": (
        lambda raw, keys: raw.setrange(keys.limit(*VANS), 2 * 169, b"\0\1"),
        {"overbooked"},
        "2 booked, 1 posted",
    ),
}


async def test_a_sound_store_has_no_findings(store: Store, market: MarketStore) -> None:
    await fill(market)
    report = await audit(store.reader, market.name, ["a", "b"], streams=True)
    assert report["findings"] == []
    assert (report["requests"], report["states"]) == (2, {"received": 1, "offered": 1})
    assert report["messages"] == 4


async def test_what_is_told_of_an_unreadable_item_may_outlive_its_request(
    store: Store, market: MarketStore
) -> None:
    await fill(market)
    assert (await market.commit([unread("gone", "body", Context(now_ms=NOW_MS))])).ok
    assert await rules(store, market) == set()


@pytest.mark.parametrize("damage", DAMAGES)
async def test_each_broken_promise_is_found(
    store: Store, market: MarketStore, raw: Redis, keys: Keys, damage: str
) -> None:
    await fill(market)
    hurt, broken, told = DAMAGES[damage]
    await hurt(raw, keys)
    report = await audit(store.reader, market.name, streams=True)
    assert {finding["rule"] for finding in report["findings"]} == broken
    assert any(told in finding["detail"] for finding in report["findings"])


async def test_a_lost_request_and_a_repeated_message_are_found(
    store: Store, market: MarketStore, raw: Redis, keys: Keys
) -> None:
    await fill(market)
    assert await rules(store, market, "a", "never-seen") == {"lost"}
    (_, fields), *_ = await raw.xrange(keys.events)
    await raw.xadd(keys.events, fields)
    assert await rules(store, market) == {"replayed"}


async def test_a_market_at_work_is_not_accused(store: Store, market: MarketStore) -> None:
    await market.capacity.put("v1", DAY, pools(4))
    writers = Writers(market, seed=2)
    work = asyncio.create_task(writers.run(8, "w"))
    for _ in range(3):
        report = await audit(store.reader, market.name, streams=True, settle_s=0.02)
        assert report["findings"] == []
    writers.stopping = True
    await work
    assert (await audit(store.reader, market.name))["unsettled"] == 0


async def test_the_command_says_what_is_wrong_and_exits_1(
    server: EmbeddedRedis,
    store: Store,
    market: MarketStore,
    raw: Redis,
    keys: Keys,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    await fill(market)
    ids = tmp_path / "ids"
    ids.write_text("a\nb\n")
    words = [
        "audit",
        "--url",
        server.url,
        "--market",
        market.name,
        "--ids",
        str(ids),
        "--streams",
        "--settle",
        "0",
    ]
    assert await asyncio.to_thread(main, words) == 0
    assert "sound" in capsys.readouterr().out
    await raw.zrem(keys.list(REQUEST_KIND.timers), "b")
    assert await asyncio.to_thread(main, words) == 1
    told = f"its place in timers is missing, its record says {record('b').timer_ms}"
    assert f"lists: b {told}" in capsys.readouterr().out
    assert await asyncio.to_thread(main, [*words, "--json"]) == 1
    printed = capsys.readouterr().out
    finding = {"rule": "lists", "subject": "b", "detail": told}
    assert json.loads(printed)[0]["findings"] == [finding]
    assert PATIENT.name not in printed


async def test_the_audit_changes_nothing(store: Store, market: MarketStore, raw: Redis, keys: Keys) -> None:
    await fill(market)
    before = await everything(raw, keys)
    await audit(store.reader, market.name, streams=True)
    assert await everything(raw, keys) == before


async def test_a_store_that_is_away_is_a_clear_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["audit", "--url", f"unix://{tmp_path}/none.sock", "--market", "metro", "--timeout", "0"]
    assert await asyncio.to_thread(main, words) == 1
    assert "the store does not answer" in capsys.readouterr().err
