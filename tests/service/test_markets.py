"""What every decision asks first: the tuning in force."""

from __future__ import annotations

import asyncio
import gc

import pytest

from contracts.tuning import Tuning, TuningUpdate
from dispatcher.domain.refusals import Unavailable
from tests.service.world import World


async def test_however_many_ask_at_once_the_tuning_is_read_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.open_with()
    reads = list[Tuning]()
    part = world.service.markets.store(world.market).tuning
    in_force = part.in_force

    async def counted(now_ms: int) -> Tuning:
        reads.append(await in_force(now_ms))
        return reads[-1]

    monkeypatch.setattr(part, "in_force", counted)
    world.service.markets.forget_tuning(world.market)
    found = await asyncio.gather(*(world.service.markets.tuning(world.market) for _ in range(100)))
    assert len(reads) == 1
    assert {id(each) for each in found} == {id(reads[0])}


async def test_who_leaves_takes_the_tuning_from_nobody_else(world: World) -> None:
    await world.open_with()
    markets = world.service.markets
    markets.forget_tuning(world.market)
    leaves, stays = (asyncio.create_task(markets.tuning(world.market)) for _ in range(2))
    await asyncio.sleep(0)
    leaves.cancel()
    assert (await stays).version == (await markets.tuning(world.market)).version


async def test_a_reading_that_fails_once_all_have_left_is_no_defect(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.open_with()
    markets, defects, going_on = world.service.markets, list[object](), asyncio.Event()

    async def fails(now_ms: int) -> Tuning:
        await going_on.wait()
        raise Unavailable("the store does not answer.")

    monkeypatch.setattr(markets.store(world.market).tuning, "in_force", fails)
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: defects.append(context))
    markets.forget_tuning(world.market)
    asked = asyncio.create_task(markets.tuning(world.market))
    await asyncio.sleep(0)
    asked.cancel()
    await asyncio.sleep(0)
    going_on.set()
    while markets._readings:
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    gc.collect()
    assert defects == []


async def test_a_tuning_that_is_put_while_it_is_read_is_what_counts_next(world: World) -> None:
    await world.open_with()
    markets = world.service.markets
    before = await markets.store(world.market).tuning.get()
    markets.forget_tuning(world.market)
    reading = asyncio.create_task(markets.tuning(world.market))
    await asyncio.sleep(0)
    update = TuningUpdate(values={"max_attempts": 3}, reason="fewer")
    await world.service.tuning.put(world.ops, world.market, update, before.version)
    await reading
    assert (await markets.tuning(world.market)).version == before.version + 1
