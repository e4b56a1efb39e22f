"""Looks whether this machine's clock is that of each market's server; each process its own."""

from __future__ import annotations

import asyncio
import contextlib

import structlog

from dispatcher.domain.refusals import Unavailable
from dispatcher.runtime.cancellation import cancel_requested
from dispatcher.store.store import Store

EVERY_S = 10.0
log = structlog.get_logger()


async def keep_looking(store: Store, market: str) -> None:
    """For ever, until cancelled. A store that is away is asked again later.

    What was seen is said to all others beside the patient keys, and so stands in their `/readyz`, too.
    """
    while not cancel_requested():
        with contextlib.suppress(Unavailable):
            if ahead_s := await store.skew.look(market):
                log.warning("wrong_clock", market=market, ahead_s=ahead_s)
        await asyncio.sleep(EVERY_S)
