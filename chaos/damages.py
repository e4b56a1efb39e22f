"""What may be damaged, and how: a table, one of everything that is stored."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, cast

from redis.asyncio import Redis

from contracts.codes import RequestState
from dispatcher.domain.request_kind import REQUEST_KIND, index_of, offers_of
from dispatcher.domain.tasks import TASK_KIND
from dispatcher.store.keys import Keys

LAST, LIMIT_S = (1 << 64) - 1, 30.0
Deed = Callable[[Redis, str], Awaitable[Any]]


class Spot(NamedTuple):
    """A market's keys, and the day on which its first vendor has work."""

    keys: Keys
    day: str


class Damage(NamedTuple):
    """What it is done to, in a market of that name. Which key it is; what is done to it."""

    market: str
    key: Callable[[Spot], str]
    hurt: Deed
    mend: Deed | None = None  # instead of putting back what stood there
    audited: bool = True
    stops_market: bool = False  # nothing can go on there before it is mended


async def cut(redis: Redis, key: str) -> None:
    """A document that ends within its head."""
    await redis.set(key, bytes(5))


async def spoil(redis: Redis, key: str) -> None:
    """The version is whole, what follows is nothing."""
    await redis.setrange(key, 4, b"\xc1" * 40)


async def flip(redis: Redis, key: str) -> None:
    """The last byte, which belongs to what is sealed."""
    raw = cast(bytes, await redis.get(key))
    await redis.set(key, raw[:-1] + bytes([raw[-1] ^ 1]))


async def of_wrong_type(redis: Redis, key: str) -> None:
    """Something else stands there."""
    await redis.delete(key)
    await redis.hset(key, "a", "b")


async def use_up(redis: Redis, key: str) -> None:
    """A stream that takes no more entries."""
    await redis.execute_command("XADD", key, f"{LAST}-{LAST}", "poison", "1")  # type: ignore[no-untyped-call]


async def poison(redis: Redis, key: str) -> None:
    """An entry that nobody can read."""
    await redis.execute_command("XADD", key, "*", "ce", b"\xc1")  # type: ignore[no-untyped-call]


async def ungroup(redis: Redis, key: str) -> None:
    """The consumer group, which is made for the first entry, is gone."""
    await poison(redis, key)
    async with asyncio.timeout(LIMIT_S):
        while not (groups := await redis.xinfo_groups(key)):
            await asyncio.sleep(0.05)
    await redis.xgroup_destroy(key, groups[0]["name"])


async def remove(redis: Redis, key: str) -> None:
    """It is gone."""
    await redis.delete(key)


def listing(member: str) -> Deed:
    """A member of a list that no record asks for, due long ago."""
    return lambda redis, key: redis.zadd(key, {member: 5})


def unlisting(member: str) -> Deed:
    """It is taken out again; others came in meanwhile."""
    return lambda redis, key: redis.zrem(key, member)


async def nothing(redis: Redis, key: str) -> None:
    """The service mends it by itself."""


async def spot_in(redis: Redis, keys: Keys) -> Spot:
    """Today's or tomorrow's, whichever its work is booked on: late in the evening either may be."""
    today = dt.datetime.now(dt.UTC).date()
    days = [(today + dt.timedelta(days=each)).isoformat() for each in range(-1, 2)]
    booked = [day for day in days if await redis.exists(keys.used("v1", "vans", day))]
    return Spot(keys, booked[-1])


DAMAGES = (
    Damage("record", lambda at: at.keys.record(REQUEST_KIND, "old"), spoil),
    Damage("body", lambda at: at.keys.body(REQUEST_KIND, "old"), cut),
    Damage(
        "patient", lambda at: at.keys.body(REQUEST_KIND, "old"), flip, audited=False
    ),  # the audit has no key
    Damage("task", lambda at: at.keys.record(TASK_KIND, "gone.no_show"), spoil),
    Damage("vendor", lambda at: at.keys.vendor("v1"), spoil),
    Damage("posting", lambda at: at.keys.capacity("v1", at.day), cut),
    Damage("tuning", lambda at: at.keys.tuning, cut),
    Damage("offer", lambda at: at.keys.list(offers_of("v1")), listing("ghost.1"), unlisting("ghost.1")),
    Damage("offers", lambda at: at.keys.list(offers_of("v1")), of_wrong_type, audited=False),
    Damage("timer", lambda at: at.keys.list(REQUEST_KIND.timers), listing("ghost"), unlisting("ghost")),
    Damage("timers", lambda at: at.keys.list(REQUEST_KIND.timers), of_wrong_type, stops_market=True),
    Damage("index", lambda at: at.keys.list(index_of(RequestState.NO_SHOW)), remove),
    Damage("ledger", lambda at: at.keys.used("v1", "vans", at.day), of_wrong_type),
    Damage("reply", lambda at: at.keys.replies("v1"), poison, nothing, audited=False),
    Damage("replies", lambda at: at.keys.replies("v1"), of_wrong_type, audited=False),
    Damage("used-up", lambda at: at.keys.replies("v1"), use_up, nothing, audited=False),
    Damage("group", lambda at: at.keys.shared_replies, ungroup, nothing, audited=False),
    Damage("events", lambda at: at.keys.events, use_up, nothing, audited=False),
    Damage("matches", lambda at: at.keys.matches, of_wrong_type, audited=False, stops_market=True),
    Damage("lease", lambda at: at.keys.lease, of_wrong_type, audited=False, stops_market=True),
)
