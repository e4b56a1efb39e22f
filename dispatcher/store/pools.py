"""Pools in the store: the ledger limits that a posting of pools sets, and whether it is more than before."""

from __future__ import annotations

from operator import gt

from contracts.local_day import DAY_MINUTES, LocalDay
from contracts.pools import LIMITS, Pool, Pools
from dispatcher.store.ledger import DAY_BUCKETS, pack, unpack


def resources(posting: Pools) -> list[str]:
    """The ids of what it posts: here of its pools."""
    return [pool.id for pool in posting.pools]


def limits(posting: Pools, day: LocalDay) -> dict[str, bytes]:
    """The ledger limit of each of its resources on a day, by id: here of its pools."""
    return {pool.id: posted(pool, day) for pool in posting.pools}


def is_more(before: Pools, after: Pools, day: LocalDay) -> bool:
    """Whether some pool is new, serves more levels, carries more, or has more units at some time."""
    known = {pool.id: pool for pool in before.pools}
    return any(
        pool.id not in known
        or not set(pool.serves) <= set(known[pool.id].serves)
        or _carries_more(pool, known[pool.id])
        or any(map(gt, unpack(posted(pool, day)), unpack(posted(known[pool.id], day))))
        for pool in after.pools
    )


def _carries_more(pool: Pool, before: Pool) -> bool:
    """Whether one of its limits is higher, or gone."""
    limits = [(getattr(pool, each), getattr(before, each)) for each in LIMITS]
    return any(was is not None and (now is None or now > was) for now, was in limits)


def posted(pool: Pool, day: LocalDay) -> bytes:
    """The limits of a pool as posted: each ledger bucket has the units of what the clock shows at it."""
    minutes = DAY_MINUTES // len(pool.units)
    buckets = [pool.units[minute // minutes] for minute in day.bucket_minutes]
    return pack([pool.daily_cap, *buckets, *[0] * (DAY_BUCKETS - len(buckets))])
