"""What one open request takes in Redis: its own keys, weighed on a sample, and its share of common ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from redis.asyncio import Redis

from dispatcher.store.keys import Keys

SAMPLE = 200
SCAN_COUNT = 1_000


class OpenRequestBytes(NamedTuple):
    """Bytes for one open request."""

    stored: int  # record, request with patient, timer, index, idempotency, its share of the ledger
    messages: int  # stream entries so far; those to vendors and platform go an hour after delivery


async def open_request_bytes(
    redis: Redis, market: str, open_ids: Sequence[str], requests: int
) -> OpenRequestBytes | None:
    """Measured now, with `requests` stored in all; None while none is open."""
    sample = open_ids[:SAMPLE]
    if not sample:
        return None
    keys = Keys(market)
    prefix = keys.prefix
    names = [name async for name in redis.scan_iter(match=f"{prefix}*", count=SCAN_COUNT)]

    async def weighed(*kinds: str) -> int:
        starts = tuple((prefix + kind).encode() for kind in kinds)
        return await _weigh(redis, [name for name in names if name.startswith(starts)])

    own = await _weigh(redis, [name(each).encode() for each in sample for name in (keys.record, keys.body)])
    shared = await weighed("timers", "i:", "o:", "used:", "k:")
    messages = await weighed("events", "matches", "replies", "vendor:")
    return OpenRequestBytes(round(own / len(sample) + shared / requests), round(messages / requests))


async def _weigh(redis: Redis, names: Sequence[bytes]) -> int:
    """MEMORY USAGE of all these keys together."""
    total = 0
    for first in range(0, len(names), SCAN_COUNT):
        pipeline: Any = redis.pipeline(transaction=False)
        for name in names[first : first + SCAN_COUNT]:
            pipeline.memory_usage(name, samples=0)
        total += sum(size or 0 for size in await pipeline.execute())
    return total
