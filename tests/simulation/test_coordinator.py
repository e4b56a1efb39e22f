"""A hospital's coordinators, over the whole application, on a machine that is as slow as a test wants it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

from client.care import CareClient
from client.standing_orders import StandingOrderClient
from contracts.codes import Role
from dispatcher.jobs.timers import Timers
from simulation import small
from simulation.agenda import Agenda
from simulation.coordinator import MADE_MS, SimulatedCoordinator
from simulation.stories import EPISODES, with_episodes
from simulation.tally import Tally
from tests.clock import ManualClock
from tests.http.conftest import NOW, Api

DAY = with_episodes(small.generate(1, date=NOW.date() + timedelta(days=2)), EPISODES, 1)
TWICE = next(each for each in DAY.episodes if each.order is not None and each.again is not None)
LOOK_S = 0.01


class Held(ManualClock):
    """Shows what another shows; who sleeps does not move it."""

    def __init__(self, shown: ManualClock) -> None:
        self.shown = shown

    def now_ms(self) -> int:
        return self.shown.ms

    async def sleep(self, clock_s: float) -> None:
        await asyncio.sleep(LOOK_S)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):  # only ends a test that would never end
        while not holds():
            await asyncio.sleep(LOOK_S)


async def test_the_same_is_asked_for_again_only_once_its_standing_order_has_made_it(api: Api) -> None:
    assert TWICE.again is not None
    tally, agenda, began = Tally(planned=2), Agenda(Held(api.clock)), asyncio.Event()
    about = (str(api.client.make_url("/")), api.token(Role.COORDINATOR, hours=200), api.market)

    async def set_began() -> None:
        began.set()

    async with CareClient(*about) as desk, StandingOrderClient(*about) as orders:
        SimulatedCoordinator([TWICE], desk, orders, agenda, tally).plan()
        api.clock.ms = TWICE.at_ms
        playing = asyncio.create_task(agenda.run())
        try:
            await until(lambda: bool(tally.episodes))
            for ms in (TWICE.again.at_ms, TWICE.again.at_ms + MADE_MS):  # and no timer has been looked at
                began.clear()
                api.clock.ms = ms
                agenda.at(ms, set_began)
                await began.wait()
            await Timers(api.service).fire_due(api.market)
            api.clock.ms += 2 * MADE_MS
            await until(lambda: tally.caught + len(tally.let_through) > 0)
            assert (tally.sent_twice, tally.caught) == (1, 1)
            stored = await api.store.market(api.market).requests.records.get_all(sorted(tally.safe))
            assert stored.keys() == tally.safe == set(TWICE.ids)
        finally:
            playing.cancel()
            await asyncio.gather(playing, return_exceptions=True)
