"""Pools in the store: the ledger limits that a posting of pools sets, and whether it is more than before."""

from __future__ import annotations

from operator import gt

from contracts.ledger import LEDGER_BUCKETS
from contracts.pools import Pool, Pools
from dispatcher.store.ledger import DAY_BUCKETS, pack, unpack


def limits(posting: Pools) -> dict[str, bytes]:
    """The ledger limit of each of its resources, by id: here of its pools."""
    return {pool.id: posted(pool) for pool in posting.pools}


def is_more(before: Pools, after: Pools) -> bool:
    """Whether some pool is new, serves more levels, or has more units at some time or for the day."""
    known = {pool.id: pool for pool in before.pools}
    return any(
        pool.id not in known
        or not set(pool.serves) <= set(known[pool.id].serves)
        or any(map(gt, unpack(posted(pool)), unpack(posted(known[pool.id]))))
        for pool in after.pools
    )


def posted(pool: Pool) -> bytes:
    """The limits of a pool as posted; whatever a day has beyond 24 hours repeats the last bucket."""
    width = LEDGER_BUCKETS // len(pool.units)
    buckets = [units for units in pool.units for _ in range(width)]
    return pack([pool.daily_cap, *buckets, *[buckets[-1]] * (DAY_BUCKETS - LEDGER_BUCKETS)])
