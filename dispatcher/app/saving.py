"""Who saves what a process decides: the matcher its plans, the web process what is offered by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from zoneinfo import ZoneInfo

from dispatcher.app.opened import Opened
from dispatcher.decisions.saver import Saver
from dispatcher.decisions.store import DecisionStore
from dispatcher.runtime.cancellation import end_all
from dispatcher.runtime.clock import Clock
from dispatcher.service.loops import DECISIONS, Troubles, keep_running
from dispatcher.store.store import Store


def savers_of(open_: Opened, pressing: Callable[[], bool] = lambda: False) -> Mapping[str, Saver]:
    """One for each market; `pressing`: whether there is work to which writing gives way, for a moment."""
    markets, store = open_.settings.markets.items(), open_.store
    made = {each: saver_of(store, each, open_.decisions, tz, open_.clock) for each, tz in markets}
    for saver in made.values():
        saver.pressing = pressing
    return made


@asynccontextmanager
async def saving(store: Store, savers: Mapping[str, Saver]) -> AsyncIterator[None]:
    """What this process decides is written meanwhile, and what still waits at the end: whoever decides ends
    before, and what they were about is the last that they decide.
    """
    loops = [keep_running(store, each, DECISIONS, saver.run) for each, saver in savers.items()]
    tasks = [asyncio.create_task(each) for each in loops]
    try:
        yield
    finally:
        await end_all(tasks)


def saver_of(store: Store, market: str, decisions: DecisionStore, tz: ZoneInfo, clock: Clock) -> Saver:
    """What saves a market's decisions, and tells where it cannot."""
    troubles = Troubles(store, market, DECISIONS)
    wrong = partial(store.has_wrong_clock, market)
    stored = store.market(market)
    return Saver(stored, decisions, tz, clock, troubles.tell, troubles.end, has_wrong_clock=wrong)
