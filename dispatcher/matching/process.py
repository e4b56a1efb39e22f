"""The matcher process: every market's matcher over one store and one pool of solver processes."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Mapping
from zoneinfo import ZoneInfo

import structlog

from dispatcher import keyfiles
from dispatcher.clock import Clock, make_clock
from dispatcher.matching.market import Market
from dispatcher.matching.matcher import Matcher
from dispatcher.matching.solving import SolverPool
from dispatcher.settings import Settings
from dispatcher.store.store import Store

log = structlog.get_logger()


async def run_matchers(
    store: Store, clock: Clock, markets: Mapping[str, ZoneInfo], solvers: SolverPool, owner: str
) -> None:
    """Match all markets until cancelled; each goes on when another fails."""
    matchers = [Matcher(Market(name, place, store, clock), solvers, owner) for name, place in markets.items()]
    async with asyncio.TaskGroup() as group:
        for matcher in matchers:
            group.create_task(matcher.run())


def run(settings: Settings) -> int:
    """The whole process, until SIGTERM or SIGINT."""
    asyncio.run(_serve(settings))
    return 0


async def _serve(settings: Settings) -> None:
    ending = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ending.set)
    clock = make_clock(settings.clock_start_ms, settings.clock_anchor_s, settings.clock_speed)
    ring = keyfiles.read_patient_keys(settings.patient_keys_file)
    solvers = SolverPool()
    try:
        async with Store(settings.redis_url, ring) as store:
            await solvers.warm()
            working = asyncio.create_task(run_matchers(store, clock, settings.markets, solvers, owner_name()))
            await asyncio.wait(
                [working, asyncio.create_task(ending.wait())], return_when=asyncio.FIRST_COMPLETED
            )
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)
    finally:
        await solvers.aclose()


def owner_name() -> str:
    """Who this process is in a lease."""
    return f"{socket.gethostname()}:{os.getpid()}"
