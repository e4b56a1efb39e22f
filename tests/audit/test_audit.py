"""The audit finds every broken promise, nothing on a sound store, and never shows a patient."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from dispatcher.audit.auditor import audit
from dispatcher.audit.judge import Finding, lasting
from dispatcher.cli import main
from dispatcher.domain.commands.set_aside import unread
from dispatcher.domain.context import Context
from dispatcher.domain.request_kind import REQUEST_KIND
from dispatcher.serve.embedded import EmbeddedRedis
from dispatcher.store import shelf, survey
from dispatcher.store.connection import Reader
from dispatcher.store.keys import Keys
from dispatcher.store.market import MarketStore
from dispatcher.store.store import Store
from tests.audit.care_damages import CARE_DAMAGES
from tests.audit.damages import DAMAGES
from tests.audit.score_damages import SCORE_DAMAGES
from tests.store.conftest import everything
from tests.store.made import (
    DAY,
    NOW_MS,
    PATIENT,
    booking,
    offered,
    pools,
    received,
    record,
    trip,
    vendor,
)
from tests.store.work import Writers


async def fill(market: MarketStore) -> None:
    """Request a is offered to v1, request b is open."""
    await market.vendors.put(vendor())
    await market.capacity.put("v1", DAY, pools(2))
    await market.commit([received("a"), received("b")], requests=[trip("a"), trip("b")])
    assert (await market.commit([offered(record("a"), booking(2))])).ok


async def rules(store: Store, market: MarketStore, *acknowledged: str) -> set[str]:
    report = await audit(store.reader, market.name, acknowledged, streams=True)
    return {finding["rule"] for finding in report["findings"]}


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


async def test_a_request_that_cannot_be_planned_is_found(store: Store, market: MarketStore) -> None:
    await fill(market)
    assert (await market.commit([unread("b", "plan.price", Context(now_ms=NOW_MS))])).ok
    [found] = (await audit(store.reader, market.name, streams=True))["findings"]
    assert found["rule"] == "tasks"
    assert found["detail"] == "is set aside, since planning it raises: plan.price"


@pytest.mark.parametrize("damage", [*DAMAGES, *CARE_DAMAGES, *SCORE_DAMAGES])
async def test_each_broken_promise_is_found(
    store: Store,
    market: MarketStore,
    raw: Redis,
    keys: Keys,
    damage: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await fill(market)
    hurt, broken, told = (DAMAGES | CARE_DAMAGES | SCORE_DAMAGES)[damage]
    await hurt(raw, keys)
    whole = await audit(store.reader, market.name, streams=True)
    monkeypatch.setattr(shelf, "KEPT_DECODED", 1)
    monkeypatch.setattr(survey, "PAGE", 1)
    report = await audit(store.reader, market.name, streams=True)
    assert sorted(map(str, report["findings"])) == sorted(map(str, whole["findings"])), "in pages or at once"
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


class Overtaken(Reader):
    """Before each of its reads a writer takes a step: the same steps on any machine, however busy."""

    def __init__(self, store: Store, writers: Writers) -> None:
        super().__init__(store.reader.client)
        self.writers, self.steps = writers, 0

    async def ask_all(self, commands: Sequence[Sequence[Any]]) -> list[Any]:
        self.steps += 1
        await self.writers.run(1, f"w{self.steps}", steps=1)
        return await super().ask_all(commands)


def test_a_place_that_is_another_at_each_look_was_written_meanwhile_and_one_that_stays_is_wrong() -> None:
    looks = [
        Finding("lists", "e1", f"its place in timers:episode is at {at}, its record says 1") for at in (5, 6)
    ]
    assert lasting(looks[:1], looks[1:]) == []
    assert lasting(looks[:1], looks[:1]) == looks[:1]
    booked = [Finding("overbooked", "v1", f"{units} of 4") for units in (5, 6)]
    assert lasting(booked[:1], booked[1:]) == booked[1:], "it is so still, and more"


async def test_a_market_at_work_is_not_accused(store: Store, market: MarketStore) -> None:
    await market.capacity.put("v1", DAY, pools(4))
    reader = Overtaken(store, Writers(market, seed=2))
    for _ in range(3):
        report = await audit(reader, market.name, streams=True)
        assert report["findings"] == []
    assert reader.steps > 200
    assert report["unsettled"] > 0, "nothing was written while it was read"
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


async def test_a_market_of_which_nothing_is_stored_is_an_error_whatever_else_is_asked(
    server: EmbeddedRedis, market: MarketStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await fill(market)
    (tmp_path / "ids").write_text("a\n")
    words = ["audit", "--url", server.url, "--market", "nope", "--settle", "0", "--streams"]
    for more in ([], ["--ids", str(tmp_path / "ids")], ["--json"]):
        assert await asyncio.to_thread(main, [*words, *more]) == 1
        told = capsys.readouterr()
        assert (told.out, "nothing is stored of a market 'nope'" in told.err) == ("", True)


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
