"""Answers to offers: counted in the commit of the step that they came with; read four times an hour."""

from __future__ import annotations

import asyncio
import itertools
import threading
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from redis.asyncio import Redis

from contracts.instants import DAY_MS, MINUTE_MS
from dispatcher.domain.acceptance import Answer, Count, week_of, weeks
from dispatcher.domain.acceptance_sums import expected_of
from dispatcher.domain.decision import Decision
from dispatcher.serve.embedded import EmbeddedRedis
from dispatcher.store.acceptance import KEPT_MS
from dispatcher.store.keys import Keys
from dispatcher.store.market import MarketStore
from dispatcher.store.outcome import Outcome
from dispatcher.store.store import Store
from solvers.acceptance import cell_of, expected
from solvers.screening import ALL_OTHERS
from tests.store.conftest import RING
from tests.store.made import NOW_MS, received, trip

CELL = cell_of("wheelchair", 0, 9, 1)
_numbers = itertools.count()


def answer(vendor_id: str = "v1", *, yes: bool = True, at_ms: int = NOW_MS) -> Answer:
    return Answer(vendor_id, week_of(at_ms), CELL, yes)


async def count(market: MarketStore, *answers: Answer) -> Decision:
    name = f"r{next(_numbers)}"
    decision = replace(received(name), answers=answers)
    assert (await market.commit([decision], requests=[trip(name)])).ok
    return decision


def share(told: Any, vendor_id: str) -> float:
    found = expected(told, vendor_id, CELL)
    assert found is not None
    return found


async def test_each_answer_is_counted_once_though_its_commit_is_sent_again(market: MarketStore) -> None:
    decision = await count(market, answer(), answer(yes=False), answer("v2"))
    name = decision.changes[0].record.id
    await market.commit([decision], requests=[trip(name)])
    assert set((await market.acceptance.of(NOW_MS))[week_of(NOW_MS)]) == {
        Count("v1", CELL, True, 1),
        Count("v1", CELL, False, 1),
        Count("v2", CELL, True, 1),
    }


async def test_what_is_expected_is_read_again_after_a_quarter_of_an_hour_of_the_clock(
    market: MarketStore,
) -> None:
    part = market.acceptance
    assert await part.expected(NOW_MS, {}) == {}
    for _ in range(8):
        await count(market, answer(yes=False))
    assert await part.expected(NOW_MS + 14 * MINUTE_MS, {}) == {}
    told = await part.expected(NOW_MS + 15 * MINUTE_MS, {})
    assert share(told, "v1") < share(told, ALL_OTHERS) < 0.89
    assert await part.expected(NOW_MS + 16 * MINUTE_MS, {}) is told
    tuned = await part.expected(NOW_MS + 16 * MINUTE_MS, {"acceptance_prior_answers": 1_000})
    assert share(tuned, "v1") > share(told, "v1"), "other tuning is read with at once"
    assert await part.expected(NOW_MS, {}) != tuned, "also where the clock was set back"


async def test_a_week_that_is_over_is_not_read_again_and_old_ones_go(
    market: MarketStore, raw: Redis, keys: Keys
) -> None:
    long_ago, before = NOW_MS - 30 * DAY_MS, NOW_MS - 100 * DAY_MS
    await count(market, answer(at_ms=long_ago), answer(at_ms=before))
    assert list(await market.acceptance.of(NOW_MS)) == list(weeks(NOW_MS))
    await raw.delete(keys.acceptance(week_of(long_ago)))
    assert (await market.acceptance.of(NOW_MS))[week_of(long_ago)] == (Count("v1", CELL, True, 1),)
    assert week_of(before) not in weeks(NOW_MS)
    assert KEPT_MS - MINUTE_MS < await raw.pttl(keys.acceptance(week_of(before))) <= KEPT_MS


async def test_what_is_no_count_of_ours_counts_nothing_and_stops_nobody(
    market: MarketStore, raw: Redis, keys: Keys
) -> None:
    await count(market, answer())
    key = keys.acceptance(week_of(NOW_MS))
    wrong = {
        "v1": "1",
        "v1:1:0:1:0": "1",
        "v1:9:0:1:0:yes": "3",
        "v1:1:0:1:0:maybe": "4",
        "v1:1:0:1:-1:no": "5",
    }
    await raw.hset(key, mapping=wrong | {"v2:1:0:1:0:yes": "many", "v3:1:0:1:0:no": "-7"})
    await raw.sadd(keys.acceptance(weeks(NOW_MS)[1]), "x")
    assert (await market.acceptance.of(NOW_MS))[week_of(NOW_MS)] == (Count("v1", CELL, True, 1),)
    assert weeks(NOW_MS)[1] not in await market.acceptance.of(NOW_MS)


async def test_of_commits_that_a_kill_interrupts_and_that_are_sent_again_each_counts_once(
    tmp_path: Path,
) -> None:
    async with EmbeddedRedis(tmp_path) as server, Store(server.url, RING) as store:
        market, names = store.market("metro"), [f"k{n}" for n in range(30)]
        decisions = {each: replace(received(each), answers=(answer(),)) for each in names}

        def sent() -> list[asyncio.Task[Outcome]]:
            commits = (market.commit([decisions[each]], requests=[trip(each)]) for each in names)
            return [asyncio.ensure_future(each) for each in commits]

        first = sent()
        await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
        await server.restart()
        await asyncio.gather(*first, return_exceptions=True)
        await asyncio.gather(*sent())
        assert (await market.acceptance.of(NOW_MS))[week_of(NOW_MS)] == (Count("v1", CELL, True, len(names)),)


async def test_the_loop_goes_on_while_what_is_expected_is_worked_out(
    market: MarketStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of many vendors that takes long: an imminent request of the same process does not wait for it."""
    begun, goes_on = threading.Event(), threading.Event()

    def slow(*given: Any) -> dict[str, bytes]:
        begun.set()
        assert goes_on.wait(20), "the loop stands still"
        return expected_of(*given)

    monkeypatch.setattr("dispatcher.store.acceptance.expected_of", slow)
    await count(market, answer())
    asking = asyncio.create_task(market.acceptance.expected(NOW_MS, {}))
    while not begun.is_set():
        await asyncio.sleep(0.001)
    goes_on.set()
    assert share(await asking, "v1") > share(await asking, ALL_OTHERS) > 0.5
