"""A batch that does not fit into memory becomes smaller ones; its market is kept, and nobody waits on."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
from typing import Any

import pytest

from contracts.codes import RequestState
from contracts.tuning import Tuning
from dispatcher.matching.batch_size import LEAST, MARKED, BatchSize
from dispatcher.matching.fitting import fitting_batch
from dispatcher.matching.market import Market
from dispatcher.matching.matcher import Matcher
from dispatcher.serve.embedded import EmbeddedRedis
from dispatcher.service.loops import MATCHING, MEMORY, Troubles
from dispatcher.service.service import Service
from dispatcher.store.store import Store
from dispatcher.tuning.registry import Registry
from solvers.planning import BatchPlan, plan
from solvers.screening import Screening
from tests.clock import ManualClock
from tests.matching.conftest import RING, Town, own_market
from tests.solvers.town import NOW_MS, TZ, trip, vendor

WHY = "more did not fit, or its matcher was killed amid it"


class Narrow:
    """Solvers of a process in which a plan of more than so many requests does not fit."""

    def __init__(self, most: int) -> None:
        self.most, self.asked = most, list[int]()

    async def plan(self, screening: Screening, *_: Any) -> BatchPlan:
        self.asked.append(screening.requests)
        if screening.requests > self.most:
            await self.fail()
        return plan(screening)

    async def fail(self) -> None:
        raise MemoryError

    async def relax(self, screening: Screening, vendors: Any, whys: Any) -> Any:
        return whys


class Deadly(Narrow):
    """Whose process is killed for it."""

    async def fail(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


class Hanging(Narrow):
    """Who comes to no end."""

    async def fail(self) -> None:
        await asyncio.Event().wait()


async def busy(town: Town, requests: int) -> list[str]:
    """So many wait for a batch, and there is a vendor for all."""
    ids = [f"r{n}" for n in range(requests)]
    await town.add_vendor(vendor("v1"), units=requests, daily_cap=requests)
    values = {"imminent_lead_minutes": 0, "batch_gap_s": 0.0}
    await town.store.market(town.name).tuning.put(Tuning(version=1, values=values), 0)
    await town.submit(*map(trip, ids))
    return ids


async def matched(town: Town, ids: list[str], solvers: Narrow, told: dict[str, str]) -> dict[str, int]:
    """All of these, by a matcher that tells of these troubles in the end; what failed on the way."""
    stored = town.store.market(town.name)
    troubles = Troubles(town.store, town.name, MATCHING)
    matcher = Matcher(town.market, town.service.executor, solvers, "a", troubles=troubles)
    task = asyncio.create_task(matcher.run())
    try:
        for each in ids:
            await town.until(each, RequestState.OFFERED)
        async with asyncio.timeout(20):
            while await stored.troubles.now((MATCHING, MEMORY)) != told:  # after its last commit
                await asyncio.sleep(0.01)
        return dict(await stored.troubles.counts())
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_where_memory_does_not_suffice_a_batch_is_halved_until_it_does(town: Town) -> None:
    solvers = Narrow(15)
    told = {MEMORY: f"a batch takes 14 requests at most: {WHY}"}
    assert await matched(town, await busy(town, 40), solvers, told) == {f"failed:{MEMORY}": 2}
    assert solvers.asked[:6] == [40, 20, 10, 11, 12, 7]


def killed(url: str, market: str) -> None:
    """A process that is killed amid the first batch of more than `MARKED` requests."""

    async def match() -> None:
        async with Store(url, RING) as store:
            service = Service(store, ManualClock(NOW_MS), {market: TZ}, Registry(()))
            own = Market(store.market(market), TZ, service.clock)
            await Matcher(own, service.executor, Deadly(MARKED), "a").run()

    asyncio.run(match())


async def test_amid_what_a_matcher_was_killed_half_of_it_is_tried(
    town: Town, redis_server: EmbeddedRedis
) -> None:
    ids, solvers = await busy(town, 120), Narrow(MARKED)
    first = multiprocessing.get_context("spawn").Process(target=killed, args=(redis_server.url, town.name))
    first.start()
    await asyncio.to_thread(first.join)
    assert first.exitcode == -signal.SIGKILL
    told = {MEMORY: f"a batch takes 75 requests at most: {WHY}"}
    assert await matched(town, ids, solvers, told) == {f"failed:{MEMORY}": 1}
    assert solvers.asked == [60, 60]
    assert await town.market.stored.pulse.taken() == 0, "the other ended in order"


async def test_a_matcher_that_ends_in_order_amid_a_batch_is_taken_for_no_killed_one(town: Town) -> None:
    await busy(town, 20)
    solvers, pulse = Hanging(0), town.market.stored.pulse
    town.market.requests.size.most = 50
    task = asyncio.create_task(Matcher(town.market, town.service.executor, solvers, "a").run())
    while not solvers.asked:
        await asyncio.sleep(0.01)
    assert await pulse.taken() == 20
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert await pulse.taken() == 0


async def test_while_memory_is_short_nobody_is_kept_in_memory_to_be_moved(town: Town) -> None:
    ids, solvers, own = await busy(town, 3), Narrow(9), await own_market(town)
    await fitting_batch(own, town.market, solvers)
    await town.submit(trip("more"), trip("late"))
    await fitting_batch(own, town.market, solvers)
    assert town.market.offered.records.keys() == set(ids), "to make room, one of them might"
    town.market.requests.size.most = 1
    await fitting_batch(own, town.market, solvers)
    assert town.market.offered.records == {}
    assert solvers.asked[-1] == 1


async def test_what_does_not_fit_while_it_is_read_is_halved_too(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: Any) -> Any:
        raise MemoryError

    await busy(town, 40)
    monkeypatch.setattr(town.market.requests.stored, "records_and_bodies", full)
    await fitting_batch(await own_market(town), town.market, Narrow(40))
    assert town.market.requests.size.most == 20


async def test_what_was_too_much_for_the_least_batch_fails_as_before(town: Town) -> None:
    solvers = Narrow(9)
    await town.submit(*(trip(f"r{n}") for n in range(LEAST)))
    await town.add_vendor(vendor("v1"))
    with pytest.raises(MemoryError):
        await fitting_batch(await own_market(town), town.market, solvers)


@pytest.mark.parametrize(
    ("most", "takes", "marked"),
    [(None, MARKED, MARKED), (None, MARKED - 1, 0), (50, LEAST + 1, LEAST + 1), (50, LEAST, 30)],
)
def test_a_batch_is_marked_if_it_is_large_and_while_memory_is_short_none_takes_the_mark_away(
    most: int | None, takes: int, marked: int
) -> None:
    size = BatchSize(most, marked=30)
    assert size.begin(takes) is (marked != 30)
    assert size.marked == marked


def test_a_mark_of_our_own_is_of_no_batch_that_was_too_large_for_us() -> None:
    size = BatchSize()
    assert size.begin(400)
    assert not size.found(400)
    assert size.most is None
    assert size.found(300)
    assert size.most == 150
    assert not size.found(0), "who had the market meanwhile ended in order"
    assert size.begin(400), "so there is a mark to make"


def test_the_size_of_a_batch_grows_until_it_is_as_tuning_says() -> None:
    size, ended = BatchSize(took=100), 0
    assert size.halve()
    assert (size.of(200), size.of(30)) == (50, 30)
    while not size.grow(200):
        ended += 1
    assert 8 < ended < 16
    assert size.of(200) == 200
    assert not size.grow(200)  # told once
