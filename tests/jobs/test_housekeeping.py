"""Housekeeping: old days go by the market's own calendar, hourly; a store that is away is no failure."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest

from contracts.codes import ServiceClass
from contracts.instants import DAY_MS
from contracts.pools import Pool, Pools
from dispatcher.domain.refusals import Unavailable
from dispatcher.jobs.housekeeping import EVERY_S, KEEP_DAYS, keep_house
from dispatcher.service.service import Service
from dispatcher.store.retention import RetentionPart
from tests.clock import ManualClock
from tests.domain import make
from tests.service.world import DAY, REGISTRY, World

POOLS = Pools(pools=(Pool(id="vans", serves=(ServiceClass.WHEELCHAIR,), units=(1,)),))


class Enough(Exception):
    """The house was kept once."""


class HourlyClock(ManualClock):
    """Ends the work when it would wait for the next hour."""

    async def sleep(self, clock_s: float) -> None:
        assert clock_s == EVERY_S
        raise Enough


async def kept(world: World, now_ms: int, tz: str = "UTC") -> None:
    clock, zones = HourlyClock(now_ms), {world.market: ZoneInfo(tz)}
    with pytest.raises(Enough):
        await keep_house(Service(world.store, clock, zones, REGISTRY), world.market)


async def posted(world: World, *days: date) -> list[date]:
    """Which of these days still have their posting."""
    capacity = world.store.market(world.market).capacity
    found = await asyncio.gather(*(capacity.get("v1", each) for each in days))
    return [day for day, each in zip(days, found, strict=True) if each is not None]


async def test_a_day_goes_two_weeks_after_it_has_ended(world: World) -> None:
    await world.open_with(make.vendor())
    later = DAY + timedelta(days=1)
    await world.service.capacity.put(world.ops, world.market, "v1", later, POOLS, expected_version=0)
    await kept(world, make.NOW + KEEP_DAYS * DAY_MS)
    assert await posted(world, DAY, later) == [DAY, later]
    await kept(world, make.NOW + (KEEP_DAYS + 1) * DAY_MS)
    assert await posted(world, DAY, later) == [later]


async def test_nothing_goes_for_being_old_by_a_clock_that_is_wrong(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It cannot come back once the clock is put right."""
    await world.open_with(make.vendor())
    with monkeypatch.context() as patched:
        patched.setattr(world.store, "has_wrong_clock", lambda market: True)
        await kept(world, make.NOW + 400 * DAY_MS)
    assert await posted(world, DAY) == [DAY]


async def test_the_day_is_the_markets_own(world: World) -> None:
    """08:00 in UTC is still the evening before on the other side of the earth."""
    await world.open_with(make.vendor())
    await kept(world, make.NOW + (KEEP_DAYS + 1) * DAY_MS, tz="Pacific/Pago_Pago")
    assert await posted(world, DAY) == [DAY]


async def test_a_store_that_is_away_is_left_for_the_next_hour(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object, **__: object) -> int:
        raise Unavailable("the store does not answer.")

    monkeypatch.setattr(RetentionPart, "trim_streams", away)
    await kept(world, make.NOW)
