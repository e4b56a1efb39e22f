"""Says which patient keys this process can read, and hears which the others can; each process its own."""

from __future__ import annotations

import asyncio
import contextlib

from dispatcher.domain.refusals import Unavailable
from dispatcher.runtime.cancellation import cancel_requested
from dispatcher.service.loops import LACKING, PATIENT_KEYS
from dispatcher.store.agreement import LIVES_MS
from dispatcher.store.store import Store

EVERY_S = LIVES_MS / 4000
PAUSE_S = 0.5


async def keep_agreement(store: Store, market: str) -> None:
    """For ever, until cancelled. A store that is away is waited for: nothing is sealed before it answers."""
    part, told = store.market(market).rings, False
    try:
        while not cancel_requested():
            try:
                await store.agreement.reach(market, part)
                told = await _tell(store, market, told=told)
                store.waits.end(market, PATIENT_KEYS)
                pause_s = EVERY_S
            except Unavailable as refusal:
                store.waits.begin(market, PATIENT_KEYS, refusal)
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
