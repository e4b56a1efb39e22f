"""A batch that fits into memory.

Solvers have processes of their own, and what fails there is planned by the greedy here. Where this process,
too, has no memory for a batch, the whole again would fail again, and nobody would be matched: so the next is
smaller.
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
    if size.most is not None:
        await troubles.tell(MEMORY, f"a batch takes {size.most} requests at most: more did not fit")
    return done
