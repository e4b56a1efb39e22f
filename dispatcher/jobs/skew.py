"""Looks whether this machine's clock is the store's, and tells where it is not; each process its own."""

from __future__ import annotations

import asyncio
import contextlib

import structlog

from dispatcher.domain.refusals import Unavailable
from dispatcher.runtime.cancellation import cancel_requested
from dispatcher.service.loops import WRONG_CLOCK
from dispatcher.store.store import Store

EVERY_S = 10.0
log = structlog.get_logger()


async def keep_looking(store: Store, market: str) -> None:
    """For ever, until cancelled. A store that is away is asked again later."""
    troubles, told_s = store.market(market).troubles, 0
    try:
        while not cancel_requested():
            with contextlib.suppress(Unavailable):
                before_s, told_s = told_s, await store.skew.look(store.reader)
                if told_s:
                    way = "ahead of" if told_s > 0 else "behind"
                    log.warning("wrong_clock", market=market, ahead_s=told_s)
                    process = f"the clock of {store.agreement.process}"
                    await troubles.tell(WRONG_CLOCK, f"{process} is {abs(told_s)} s {way} the store's")
                elif before_s:
                    await troubles.over(WRONG_CLOCK)
            await asyncio.sleep(EVERY_S)
    finally:
        if told_s:
            with contextlib.suppress(Unavailable):
                await troubles.over(WRONG_CLOCK)
