"""A machine whose clock is wrong: it is told, fires no timer too soon, and leaves markets to others."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest

from contracts.instants import HOUR_MS
from dispatcher.app.opened import opened
from dispatcher.jobs import skew
from dispatcher.jobs.timers import LOOK_AGAIN_S, Timers
from dispatcher.matching.share import Share
from dispatcher.runtime.clock import unix_s
from dispatcher.security.key_files import write_patient_keys
from dispatcher.serve.embedded import EmbeddedRedis
from dispatcher.service.clocks import STORE_CLOCK, WRONG_CLOCK, wrong_clocks
from dispatcher.settings import Settings
from dispatcher.store.skew import MOST_S
from dispatcher.store.store import Store
from tests.domain import make
from tests.matching.test_share import Nobody
from tests.service.conftest import RING
from tests.service.world import World

TEN_MINUTES_S = 600


def wrong_by(monkeypatch: pytest.MonkeyPatch, seconds: int) -> None:
    """What this process takes for the time."""
    monkeypatch.setattr("dispatcher.store.skew.unix_s", lambda: unix_s() + seconds)


@pytest.mark.parametrize("by_s", [TEN_MINUTES_S, -TEN_MINUTES_S])
async def test_a_wrong_clock_is_seen_until_it_is_right(
    world: World, monkeypatch: pytest.MonkeyPatch, by_s: int
) -> None:
    store = world.store
    monkeypatch.setattr(skew, "EVERY_S", 0.01)
    wrong_by(monkeypatch, by_s)
    looking = asyncio.create_task(skew.keep_looking(store, world.market))
    async with asyncio.timeout(20):
        while abs(store.skew.ahead_s(world.market) - by_s) > 2:
            await asyncio.sleep(0.01)
        wrong_by(monkeypatch, MOST_S - 2)
        while store.skew.ahead_s(world.market):
            await asyncio.sleep(0.01)
    looking.cancel()
    await asyncio.gather(looking, return_exceptions=True)


async def test_each_process_says_how_its_clock_goes_and_all_hear_it(
    redis_server: EmbeddedRedis, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, market = world.store, world.market
    ours.agreement.process = "matcher here:1"

    async def say(store: Store, ahead_s: int) -> None:
        wrong_by(monkeypatch, ahead_s)
        await store.skew.look(market)
        await store.agreement.reach(market, store.market(market).rings)

    async with Store(redis_server.url, RING) as theirs:
        theirs.agreement.process = "web there:2"
        await say(theirs, 0)
        await say(ours, TEN_MINUTES_S)
        await say(theirs, 0)
        assert set(wrong_clocks(theirs.agreement.clocks(market))) == {WRONG_CLOCK}
        assert theirs.agreement.clocks(market) == ours.agreement.clocks(market)
        assert (ours.has_wrong_clock(market), theirs.has_wrong_clock(market)) == (True, False)
        await say(theirs, TEN_MINUTES_S)
        await say(ours, TEN_MINUTES_S)
        assert not ours.has_wrong_clock(market), (
            "it is the store's that is wrong: nobody else would be better"
        )
        assert set(wrong_clocks(ours.agreement.clocks(market))) == {STORE_CLOCK}
        await say(theirs, 0)
        await say(ours, 0)
        assert wrong_clocks(ours.agreement.clocks(market)) == {}


@pytest.mark.parametrize(
    ("clocks", "told"),
    [
        ({}, {}),
        ({"web a:1": 0, "jobs a:2": 0}, {}),
        (
            {"web a:1": 0, "jobs b:2": 600, "matcher c:3": -30},
            {
                WRONG_CLOCK: "that of jobs b:2 is 600 s ahead of the store's; "
                "that of matcher c:3 is 30 s behind the store's"
            },
        ),
        (
            {"web a:1": 601, "jobs b:2": 599},
            {
                STORE_CLOCK: "it is 599 s behind those of all processes that run here (2): it is wrong, or "
                "all of them are; timers fire 599 s late"
            },
        ),
        (
            {"web a:1": -601, "jobs b:2": -599},
            {
                STORE_CLOCK: "it is 599 s ahead of those of all processes that run here (2): it is wrong, or "
                "all of them are"
            },
        ),
        (
            {"web a:1": 20, "jobs b:2": -20},
            {
                WRONG_CLOCK: "that of jobs b:2 is 20 s behind the store's; "
                "that of web a:1 is 20 s ahead of the store's"
            },
        ),
    ],
)
def test_whose_clock_is_wrong_is_told_in_words(clocks: Mapping[str, int], told: Mapping[str, str]) -> None:
    assert wrong_clocks(clocks) == told


@pytest.mark.parametrize("speed", [1, 6])
async def test_a_clock_that_goes_ahead_fires_no_timer_before_its_time(
    world: World, monkeypatch: pytest.MonkeyPatch, speed: int
) -> None:
    monkeypatch.setattr(world.clock, "real_s", lambda clock_s: clock_s / speed)
    await world.submit(make.trip("r1", ahead_ms=HOUR_MS))
    wrong_by(monkeypatch, TEN_MINUTES_S)
    await world.store.skew.look(world.market)
    due_ms = await world.store.market(world.market).requests.records.next_due_ms()
    assert due_ms is not None
    world.clock.ms = due_ms + 1000 * speed * (TEN_MINUTES_S - 5)
    assert await (timers := Timers(world.service)).fire_due(world.market) == 0
    assert timers._pause_s(world.market, due_ms) > LOOK_AGAIN_S, "it looks as if it were due"
    world.clock.ms += 1000 * speed * 10
    assert await Timers(world.service).fire_due(world.market) == 1


async def test_it_is_known_before_anything_goes_by_it(
    redis_server: EmbeddedRedis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(data_dir=tmp_path, redis_url=redis_server.url)
    write_patient_keys(settings.patient_keys_file, RING)
    wrong_by(monkeypatch, TEN_MINUTES_S)
    async with opened(settings, "jobs") as open_:
        for market in settings.markets:
            assert abs(open_.store.skew.ahead_s(market) - TEN_MINUTES_S) <= 2


async def test_a_matcher_whose_clock_is_wrong_leaves_its_markets_to_others() -> None:
    unfit = set[str]()
    share = Share({f"x{number}": Nobody("other") for number in range(6)}, "us", unfit.__contains__)
    for name in share.markets:
        await share._look(name)
    share.held |= {"x0", "x1", "x2"}
    share._make_room()
    assert not let_go(share)
    unfit.add("x1")
    share._make_room()
    assert (share.limit, let_go(share)) == (3, {"x1"}), "of the five others it may have half, rounded up"
    unfit.update(share.markets)
    share._make_room()
    assert (share.limit, let_go(share)) == (0, {"x0", "x1", "x2"})


def let_go(share: Share) -> set[str]:
    """What another is to have."""
    return {name for name, each in share._let_go.items() if each.is_set()}
