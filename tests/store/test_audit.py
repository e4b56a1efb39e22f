"""The audit finds every broken promise, nothing on a sound store, and never shows a patient."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import pytest
from redis.asyncio import Redis

from contracts.codes import RequestState
from dispatcher.audit.auditor import audit
from dispatcher.cli import main
from dispatcher.domain.record import RequestRecord
from dispatcher.serve.embedded import EmbeddedRedis
from dispatcher.store import codec
from dispatcher.store.keys import Keys
from dispatcher.store.ledger import LedgerKey
from dispatcher.store.store import Store
from tests.store.made import DAY, PATIENT, booking, moved, offered, pools, received, record, trip
from tests.store.work import Writers

VANS = LedgerKey("v1", "vans", DAY.isoformat())
Damage = Callable[[Redis, Keys], Awaitable[object]]


async def fill(store: Store, market: str) -> None:
    """Request a is offered to v1, request b is open."""
    await store.put_capacity(market, "v1", DAY, pools(2))
    await store.commit(market, [received("a"), received("b")], requests=[trip("a"), trip("b")])
    assert (await store.commit(market, [offered(record("a"), booking(2))])).ok


async def rules(store: Store, market: str, *acknowledged: str) -> set[str]:
    report = await audit(store.reader, market, acknowledged, streams=True)
    return {finding["rule"] for finding in report["findings"]}


def written(changed: RequestRecord) -> Damage:
    return lambda raw, keys: raw.set(keys.record(changed.id), codec.pack(changed.version, changed))


ended_twice = moved(moved(record("b"), RequestState.CANCELLED), RequestState.COMPLETED)

DAMAGES: dict[str, tuple[Damage, set[str]]] = {
    "ended twice": (written(ended_twice), {"one end", "table", "index"}),
    "ended without a step": (
        written(msgspec.structs.replace(record("b"), state=RequestState.FAILED)),
        {"one end", "table", "index"},
    ),
    "a step the table does not have": (
        written(moved(record("b"), RequestState.IN_PROGRESS)),
        {"table", "index"},
    ),
    "another version inside": (
        lambda raw, keys: raw.set(keys.record("b"), codec.pack(7, record("b"))),
        {"whole"},
    ),
    "unreadable record": (lambda raw, keys: raw.setrange(keys.record("b"), 4, b"\xc1"), {"whole"}),
    "no body": (lambda raw, keys: raw.delete(keys.body("b")), {"whole"}),
    "no timer": (lambda raw, keys: raw.zrem(keys.timers, "b"), {"timer"}),
    "another timer": (lambda raw, keys: raw.zadd(keys.timers, {"b": 5}), {"timer"}),
    "a timer for nobody": (lambda raw, keys: raw.zadd(keys.timers, {"ghost": 5}), {"timer"}),
    "listed twice": (lambda raw, keys: raw.zadd(keys.index(RequestState.FAILED), {"b": 5}), {"index"}),
    "listed nowhere": (lambda raw, keys: raw.zrem(keys.index(RequestState.RECEIVED), "b"), {"index"}),
    "booked without an offer": (lambda raw, keys: raw.setrange(keys.used(*VANS), 20, b"\0\1"), {"ledger"}),
    "not booked": (lambda raw, keys: raw.delete(keys.used(*VANS)), {"ledger"}),
    "fewer posted than booked": (
        lambda raw, keys: raw.setrange(keys.limit(*VANS), 2 * 169, b"\0\1"),
        {"overbooked"},
    ),
    "not in the vendor's list": (lambda raw, keys: raw.zrem(keys.offers("v1"), "a.1"), {"offers"}),
    "a stray offer": (lambda raw, keys: raw.zadd(keys.offers("v2"), {"a.1": 5}), {"offers"}),
    "left over": (lambda raw, keys: raw.set(keys.body("gone"), b"sealed"), {"whole"}),
}


async def test_a_sound_store_has_no_findings(store: Store, market: str) -> None:
    await fill(store, market)
    report = await audit(store.reader, market, ["a", "b"], streams=True)
    assert report["findings"] == []
    assert (report["requests"], report["states"]) == (2, {"received": 1, "offered": 1})
    assert report["messages"] == 4


@pytest.mark.parametrize("damage", DAMAGES)
async def test_each_broken_promise_is_found(
    store: Store, market: str, raw: Redis, keys: Keys, damage: str
) -> None:
    await fill(store, market)
    hurt, expected = DAMAGES[damage]
    await hurt(raw, keys)
    assert await rules(store, market) == expected


async def test_a_lost_request_and_a_repeated_message_are_found(
    store: Store, market: str, raw: Redis, keys: Keys
) -> None:
    await fill(store, market)
    assert await rules(store, market, "a", "never-seen") == {"lost"}
    (_, fields), *_ = await raw.xrange(keys.events)
    await raw.xadd(keys.events, fields)
    assert await rules(store, market) == {"replayed"}


async def test_a_market_at_work_is_not_accused(store: Store, market: str) -> None:
    await store.put_capacity(market, "v1", DAY, pools(4))
    writers = Writers(store, market, seed=2)
    work = asyncio.create_task(writers.run(8, "w"))
    for _ in range(3):
        report = await audit(store.reader, market, streams=True, settle_s=0.02)
        assert report["findings"] == []
    writers.stopping = True
    await work
    assert (await audit(store.reader, market))["unsettled"] == 0


async def test_the_command_says_what_is_wrong_and_exits_1(
    server: EmbeddedRedis,
    store: Store,
    market: str,
    raw: Redis,
    keys: Keys,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    await fill(store, market)
    ids = tmp_path / "ids"
    ids.write_text("a\nb\n")
    words = [
        "audit",
        "--url",
        server.url,
        "--market",
        market,
        "--ids",
        str(ids),
        "--streams",
        "--settle",
        "0",
    ]
    assert await asyncio.to_thread(main, words) == 0
    assert "sound" in capsys.readouterr().out
    await raw.zrem(keys.timers, "b")
    assert await asyncio.to_thread(main, words) == 1
    assert "timer: b is received and has no timer" in capsys.readouterr().out
    assert await asyncio.to_thread(main, [*words, "--json"]) == 1
    printed = capsys.readouterr().out
    finding = {"rule": "timer", "subject": "b", "detail": "is received and has no timer"}
    assert json.loads(printed)[0]["findings"] == [finding]
    assert PATIENT.name not in printed


async def test_the_audit_changes_nothing(store: Store, market: str, raw: Redis, keys: Keys) -> None:
    await fill(store, market)
    before = {name: await raw.dump(name) async for name in raw.scan_iter(match=f"{keys.prefix}*")}
    await audit(store.reader, market, streams=True)
    after = {name: await raw.dump(name) async for name in raw.scan_iter(match=f"{keys.prefix}*")}
    assert before == after


async def test_a_store_that_is_away_is_a_clear_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["audit", "--url", f"unix://{tmp_path}/none.sock", "--market", "metro", "--patience", "0"]
    assert await asyncio.to_thread(main, words) == 1
    assert "the store does not answer" in capsys.readouterr().err
