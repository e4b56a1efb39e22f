"""A machine whose clock is wrong: it is told, fires no timer too soon, and leaves markets to others."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from contracts.instants import HOUR_MS
from dispatcher.app.opened import opened
from dispatcher.domain.request_kind import REQUEST_KIND
from dispatcher.jobs import skew
from dispatcher.jobs.timers import LOOK_AGAIN_S, Timers
from dispatcher.matching.share import Share
from dispatcher.runtime.clock import unix_s
from dispatcher.security.key_files import write_patient_keys
from dispatcher.serve.embedded import EmbeddedRedis
from dispatcher.service.loops import TROUBLES, WRONG_CLOCK
from dispatcher.settings import Settings
from dispatcher.store.skew import MOST_S
from tests.domain import make
from tests.matching.test_share import Nobody
from tests.service.conftest import RING
from tests.service.world import World

TEN_MINUTES_S = 600


def wrong_by(monkeypatch: pytest.MonkeyPatch, seconds: int) -> None:
    """What this process takes for the time."""
    monkeypatch.setattr("dispatcher.store.skew.unix_s", lambda: unix_s() + seconds)


@pytest.mark.parametrize(
    ("by_s", "words"), [(TEN_MINUTES_S, "ahead of the store's"), (-TEN_MINUTES_S, "behind the store's")]
)
async def test_a_wrong_clock_is_told_until_it_is_right(
    world: World, monkeypatch: pytest.MonkeyPatch, by_s: int, words: str
) -> None:
    store = world.store
    monkeypatch.setattr(skew, "EVERY_S", 0.01)
    wrong_by(monkeypatch, by_s)
    troubles = store.market(world.market).troubles
    looking = asyncio.create_task(skew.keep_looking(store, world.market))
    async with asyncio.timeout(20):
        while words not in (await troubles.now(TROUBLES)).get(WRONG_CLOCK, ""):
            await asyncio.sleep(0.01)
        assert abs(store.skew.ahead_s - by_s) <= 2
        wrong_by(monkeypatch, MOST_S - 2)
        while WRONG_CLOCK in await troubles.now(TROUBLES):
            await asyncio.sleep(0.01)
    assert store.skew.ahead_s == 0
    looking.cancel()
    await asyncio.gather(looking, return_exceptions=True)


async def test_a_clock_that_goes_ahead_fires_no_timer_before_its_time(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.submit(make.trip("r1", ahead_ms=HOUR_MS))
    wrong_by(monkeypatch, TEN_MINUTES_S)
    await world.store.skew.look(world.store.reader)
    due_ms = await world.store.market(world.market).requests.records.next_due_ms()
    assert due_ms is not None
    world.clock.ms = due_ms + 1000 * (TEN_MINUTES_S - 5)
    assert await (timers := Timers(world.service)).fire_due(world.market) == 0
    assert timers._pause_s(world.market, REQUEST_KIND, due_ms) > LOOK_AGAIN_S, "it looks as if it were due"
    world.clock.ms += 10_000
    assert await Timers(world.service).fire_due(world.market) == 1


async def test_it_is_known_before_anything_goes_by_it(
    redis_server: EmbeddedRedis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(data_dir=tmp_path, redis_url=redis_server.url)
    write_patient_keys(settings.patient_keys_file, RING)
    wrong_by(monkeypatch, TEN_MINUTES_S)
    async with opened(settings, "jobs") as open_:
        assert abs(open_.store.skew.ahead_s - TEN_MINUTES_S) <= 2


async def test_a_matcher_whose_clock_is_wrong_leaves_its_markets_to_others() -> None:
    unfit = False
    share = Share({f"x{number}": Nobody("other") for number in range(6)}, "us", unfit=lambda: unfit)
    for name in share.markets:
        await share._look(name)
    share.held |= {"x0", "x1", "x2"}
    share._make_room()
    assert not any(each.is_set() for each in share._let_go.values())
    unfit = True
    share._make_room()
    assert {name for name, each in share._let_go.items() if each.is_set()} == {"x0", "x1", "x2"}
