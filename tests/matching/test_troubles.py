"""A matcher that fails goes on trying, and its market's trouble is told until a batch has gone through."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from contracts.codes import RequestState
from contracts.tuning import Tuning
from dispatcher.domain.request_kind import index_of
from dispatcher.matching import matcher
from dispatcher.matching.commits import Ownership
from dispatcher.matching.looking import AHEAD, Looking
from dispatcher.matching.matcher import Matcher
from dispatcher.matching.progress import Progress
from dispatcher.matching.solving import SolverPool
from dispatcher.service.loops import MATCHING, Troubles
from dispatcher.store.keys import Keys
from tests.matching.conftest import Town
from tests.solvers.town import trip, vendor


async def test_a_list_of_a_wrong_type_is_told_until_it_is_mended(town: Town, solvers: SolverPool) -> None:
    await town.add_vendor(vendor("v1"))
    stored = town.store.market(town.name)
    await stored.tuning.put(Tuning(version=1, values={"batch_interval_s": 1}), 0)
    lists = Keys(town.name).list(index_of(RequestState.RECEIVED))
    await town.store.reader.ask("SET", lists, "no list")
    running = Matcher(
        town.market, town.service.executor, solvers, "a", troubles=Troubles(town.store, town.name, MATCHING)
    )
    task = asyncio.create_task(running.run())
    try:
        async with asyncio.timeout(20):
            while await stored.troubles.now((MATCHING,)) != {MATCHING: "ResponseError WRONGTYPE"}:
                await asyncio.sleep(0.01)
        await town.store.reader.ask("DEL", lists)
        await town.submit(trip("r1"))
        await town.until("r1", RequestState.OFFERED)
        async with asyncio.timeout(20):
            while await stored.troubles.now((MATCHING,)):
                await asyncio.sleep(0.01)
        assert (await stored.troubles.counts())["failed:matching"] >= 1
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_matcher_that_is_cancelled_from_within_goes_on(
    town: Town, solvers: SolverPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = asyncio.Semaphore(0)

    async def cancelled(_: Matcher) -> bool:
        begun.release()
        raise asyncio.CancelledError  # of something that it waited for: nobody told it to end

    monkeypatch.setattr(Matcher, "_own_for_a_while", cancelled)
    monkeypatch.setattr(matcher, "PAUSE_S", 0.0)
    task = asyncio.create_task(Matcher(town.market, town.service.executor, solvers, "a").run())
    async with asyncio.timeout(20):
        await begun.acquire()
        await begun.acquire()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_match_that_cannot_begin_gives_its_turn_back(town: Town, own: Ownership) -> None:
    one = Looking(Progress(own, town.market))
    for _ in range(AHEAD + 1):
        with pytest.raises(MemoryError):
            await one.begin(NoRoom(), ["r1"])
    assert not one.turns.locked()
    assert town.market.no_imminent_work.is_set()


class NoRoom(asyncio.TaskGroup):
    def create_task(self, coro: Any, **_: Any) -> Any:
        coro.close()
        raise MemoryError
