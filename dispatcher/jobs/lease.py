"""Of several processes that do a market's jobs, one does what only one may: by a lease of their own.

A matcher that does the jobs itself goes by the market's lease: while one serves the market, nobody here does.
"""

from __future__ import annotations

import asyncio
import contextlib

from dispatcher.domain.refusals import Unavailable
from dispatcher.runtime.cancellation import cancel_requested
from dispatcher.store.store import Store

LEASE_MS = 10_000  # real
RENEW_EVERY_S = 3.0


async def keep_lease(store: Store, market: str, owner: str) -> None:
    """Take it when nobody has it, and renew it, until cancelled. Raises Unavailable."""
    lease = store.market(market).jobs_lease
    try:
        while not cancel_requested():
            if "matcher" in store.agreement.roles(market):
                await lease.release(owner)
            elif not await lease.renew(owner, LEASE_MS):
                await lease.acquire(owner, LEASE_MS)
            await asyncio.sleep(RENEW_EVERY_S)
    finally:
        with contextlib.suppress(Unavailable):
            await lease.release(owner)
