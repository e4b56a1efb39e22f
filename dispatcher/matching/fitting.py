"""A batch that fits into memory.

Solvers have processes of their own, and what fails there is planned by the greedy here. Where this process,
too, has no memory for a batch, the whole again would fail again, and nobody would be matched: so the next is
smaller. So it is where this process is not refused memory, but killed for it: the size of a batch that begins
is marked in the store, and whoever has the market next and finds the mark begins with half of it.
"""

from __future__ import annotations

import structlog

from dispatcher.matching.batch import run_batch
from dispatcher.matching.commits import Done, Ownership
from dispatcher.matching.market import Market
from dispatcher.matching.requests import BATCH_LIMIT
from dispatcher.matching.solvers import Solvers
from dispatcher.service.loops import MEMORY

log = structlog.get_logger()


async def fitting_batch(own: Ownership, market: Market, solvers: Solvers) -> Done:
    """One batch, or none and the next smaller, which is told. Raises MemoryError where that cannot be."""
    size, troubles = market.requests.size, market.stored.troubles
    try:
        done = await run_batch(own, market, solvers)
    except MemoryError:
        if not market.requests.take_fewer():
            raise
        log.warning("batch_too_large", market=market.name, requests=size.took, next=size.most)
        await troubles.count(f"failed:{MEMORY}")
        done = Done()
    else:
        if size.grow(BATCH_LIMIT.whole(market.values)):
            await troubles.over(MEMORY)
    await _tell(market)
    return done


async def take_over(market: Market) -> None:
    """The market is ours; of the batch that its last matcher was killed amid or after, half is tried."""
    size = market.requests.size
    if not size.found(await market.stored.pulse.taken()):
        return
    log.warning("batch_cut_short", market=market.name, requests=size.marked, next=size.most)
    await market.stored.troubles.count(f"failed:{MEMORY}")
    await _tell(market)


async def give_back(market: Market, owner: str) -> None:
    """The market is another's to take; we were not killed, so our mark goes."""
    size = market.requests.size
    if await market.stored.lease.release(owner) and size.marked:
        size.marked = 0
        await market.stored.pulse.mark(0)


async def _tell(market: Market) -> None:
    if (most := market.requests.size.most) is not None:
        why = f"a batch takes {most} requests at most: more did not fit, or its matcher was killed amid it"
        await market.stored.troubles.tell(MEMORY, why)
