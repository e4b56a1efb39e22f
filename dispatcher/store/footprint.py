"""What one open request takes in Redis: its own keys, weighed on a sample, and its share of common ones."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from redis.asyncio import Redis

from dispatcher.domain.acts import ACT_KIND, ACTS
from dispatcher.domain.caps import CAP_KIND, CAPPED
from dispatcher.domain.credentials import CREDENTIAL_KIND, WATCHED
from dispatcher.domain.kinds import kinds
from dispatcher.domain.papers import FILED, PAPER_KIND
from dispatcher.domain.request_kind import REQUEST_KIND
from dispatcher.domain.webhooks import WEBHOOK_KIND, WEBHOOKS
from dispatcher.store import keys as parts
from dispatcher.store.keys import Keys

SAMPLE = 200
SCAN_COUNT = 1_000


class OpenRequestBytes(NamedTuple):
    """Bytes for one open request."""

    stored: int  # record, request with patient, timer, index, idempotency; its share of ledgers and tasks
    messages: int  # stream entries so far; those to vendors and platform go an hour after delivery


async def open_request_bytes(
    redis: Redis, market: str, open_ids: Sequence[str], requests: int
) -> OpenRequestBytes | None:
    """Measured now, with `requests` stored in all; None while none is open."""
    sample = open_ids[:SAMPLE]
    if not sample:
        return None
    keys = Keys(market)
    names = {
        name async for name in redis.scan_iter(f"{keys.prefix}*", SCAN_COUNT)
    }  # it may tell of one twice
    lists = {name async for name in redis.scan_iter(f"{keys.prefix}*", SCAN_COUNT, _type="zset")}

    async def weighed(wanted: Collection[str]) -> int:
        return await _weigh(redis, [each for each in names if keys.parted(each.decode())[0] in wanted])

    documents = [name(REQUEST_KIND, each).encode() for each in sample for name in (keys.record, keys.body)]
    own = await _weigh(redis, documents)
    not_of_requests = (
        REQUEST_KIND,
        ACT_KIND,
        WEBHOOK_KIND,
        CREDENTIAL_KIND,
        CAP_KIND,
        PAPER_KIND,
    )  # itself; what is of no request
    others = [kind for kind in kinds() if kind not in not_of_requests]
    alone = [ACTS, WEBHOOKS, WATCHED, CAPPED, FILED, *(each.timers for each in not_of_requests[1:])]
    apart = {each.encode() for each in (keys.capacities, keys.unsealed, *map(keys.list, alone))}
    apart |= {each for each in lists if keys.parted(each.decode())[0] == WEBHOOKS}
    wanted = {
        parts.USED,
        parts.SPENT,
        parts.COMMANDS,
        *(part for kind in others for part in (kind.key, kind.body) if part),
    }
    shared = await weighed(wanted) + await _weigh(redis, sorted(lists - apart))
    messages = await weighed(parts.MESSAGES)
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
