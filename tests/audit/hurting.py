"""How what is stored is damaged: the tools of `damages` and `care_damages`."""

from collections.abc import Awaitable, Callable
from typing import Any

from redis.asyncio import Redis

from dispatcher.domain.compact import Record
from dispatcher.domain.kinds import Entry, Kind
from dispatcher.domain.request_kind import REQUEST_KIND
from dispatcher.domain.requests import RequestRecord
from dispatcher.store import codec
from dispatcher.store.keys import Keys

Damage = Callable[[Redis, Keys], Awaitable[object]]


def written(changed: RequestRecord) -> Damage:
    return lambda raw, keys: raw.set(of(keys, changed.id), codec.pack(changed.version, changed))


def of(keys: Keys, request_id: str) -> str:
    return keys.record(REQUEST_KIND, request_id)


def body(keys: Keys, request_id: str) -> str:
    return keys.body(REQUEST_KIND, request_id)


def listed(name: str, member: str) -> Damage:
    return lambda raw, keys: raw.zadd(keys.list(name), {member: 5})


def unlisted(name: str, member: str) -> Damage:
    return lambda raw, keys: raw.zrem(keys.list(name), member)


def both(*damages: Damage) -> Damage:
    """One after the other."""

    async def hurt(raw: Redis, keys: Keys) -> None:
        for each in damages:
            await each(raw, keys)

    return hurt


def stored(kind: Kind[Any], kept: Record) -> Damage:
    """A record as it stands in all its lists."""

    async def hurt(raw: Redis, keys: Keys) -> None:
        await raw.set(keys.record(kind, kept.id), codec.pack(kept.version, kept))
        for entry, score in (kind.lists(kept) | {Entry(kind.timers, kept.id): kind.timer_ms(kept)}).items():
            await raw.zadd(keys.list(entry.list), {entry.member: score})

    return hurt


def with_body(name: str) -> Damage:
    async def hurt(raw: Redis, keys: Keys) -> None:
        await raw.copy(body(keys, "b"), body(keys, name))

    return hurt
