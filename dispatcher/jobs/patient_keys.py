"""Says which patient keys this process can read, and hears which the others can; each process its own."""

from __future__ import annotations

import asyncio
import contextlib

import structlog

from dispatcher.domain.refusals import Unavailable
from dispatcher.runtime.cancellation import cancel_requested
from dispatcher.service.loops import LACKING
from dispatcher.store.agreement import LIVES_MS
from dispatcher.store.store import Store

EVERY_S = LIVES_MS / 4000
PAUSE_S = 0.5
log = structlog.get_logger()


async def keep_agreement(store: Store, market: str) -> None:
    """For ever, until cancelled. A store that is away is waited for: nothing is sealed before it answers."""
    part, told = store.market(market).rings, False
    try:
        while not cancel_requested():
            try:
                await store.agreement.reach(market, part)
                told = await _tell(store, market, told=told)
                pause_s = EVERY_S
            except Unavailable as refusal:
                log.warning("patient keys wait for the store", market=market, reason=refusal.reason)
                pause_s = PAUSE_S
            await asyncio.sleep(pause_s)
    finally:
        with contextlib.suppress(Unavailable):
            await store.agreement.leave(market, part)


async def _tell(store: Store, market: str, *, told: bool) -> bool:
    """A key that is missing here is seen in every process's `/readyz`; whether there is one."""
    troubles, missing = store.market(market).troubles, store.agreement.missing(market)
    if missing:
        await troubles.tell(LACKING, f"{store.agreement.process} lacks {', '.join(missing)}")
    elif told:
        await troubles.over(LACKING)
    return bool(missing)
