"""A batch that does not fit into memory becomes smaller ones; its market is kept, and nobody waits on."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from contracts.codes import RequestState
from contracts.tuning import Tuning
from dispatcher.matching.batch_size import LEAST, BatchSize
from dispatcher.matching.fitting import fitting_batch
from dispatcher.matching.matcher import Matcher
from dispatcher.service.loops import MATCHING, MEMORY, Troubles
from solvers.planning import BatchPlan, plan
from solvers.screening import Screening
from tests.matching.conftest import Town, own_market
from tests.solvers.town import trip, vendor


class Narrow:
    """Solvers of a process in which a plan of more than so many requests does not fit."""

    def __init__(self, most: int) -> None:
        self.most, self.asked = most, list[int]()

    async def plan(self, screening: Screening, *_: Any) -> BatchPlan:
        self.asked.append(screening.requests)
        if screening.requests > self.most:
            raise MemoryError
        return plan(screening)

    async def relax(self, screening: Screening, vendors: Any, whys: Any) -> Any:
        return whys


async def matched(town: Town, solvers: Narrow, told: dict[str, str]) -> dict[str, int]:
    """All 40 of a market, by a matcher that tells of these troubles in the end; what failed on the way."""
    stored, ids = town.store.market(town.name), [f"r{n}" for n in range(40)]
    await town.add_vendor(vendor("v1"), units=40)
    await stored.tuning.put(Tuning(version=1, values={"imminent_lead_minutes": 0, "batch_gap_s": 0.0}), 0)
    await town.submit(*map(trip, ids))
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
    told = {MEMORY: "a batch takes 14 requests at most: more did not fit"}
    assert await matched(town, solvers, told) == {f"failed:{MEMORY}": 2}
    assert solvers.asked[:6] == [40, 20, 10, 11, 12, 7]


async def test_what_was_too_much_for_the_least_batch_fails_as_before(town: Town) -> None:
    solvers = Narrow(9)
    await town.submit(*(trip(f"r{n}") for n in range(LEAST)))
    await town.add_vendor(vendor("v1"))
    with pytest.raises(MemoryError):
        await fitting_batch(await own_market(town), town.market, solvers)


def test_the_size_of_a_batch_grows_until_it_is_as_tuning_says() -> None:
    size, ended = BatchSize(took=100), 0
    assert size.halve()
    assert (size.of(200), size.of(30)) == (50, 30)
    while not size.grow(200):
        ended += 1
    assert 8 < ended < 16
    assert size.of(200) == 200
    assert not size.grow(200)  # told once
