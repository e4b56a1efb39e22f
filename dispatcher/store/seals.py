"""Seals over what nobody may change: who did what by hand, who read a patient, versions of the tuning.

A seal names entries with a hash of each, and has the hash of the seal before it. A seal's id is its place in
the chain: of two writers that claim one, the server lets the first have it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec
from redis.exceptions import ResponseError

from contracts.tuning_versions import KEPT_VERSIONS
from dispatcher.domain.kinds import Kind, kinds
from dispatcher.store.keys import Keys
from dispatcher.store.node import Node
from dispatcher.store.resp import text_of

FIELD: Final = "s"
TUNING: Final = "tuning"
FOR_EVER_MS: Final = 2**62
MOST_TOGETHER: Final = 500


class Entry(NamedTuple):
    """One that is sealed. `until_ms`: from then on it may be gone."""

    kind: str
    id: str
    order: int  #: when it was written, or its number
    until_ms: int
    hash: bytes


class Seal(msgspec.Struct, frozen=True, array_like=True):
    """Some entries, in the chain of all."""

    seq: int
    at_ms: int
    entries: tuple[Entry, ...]
    previous: bytes
    upto: Mapping[str, tuple[int, str]] = {}  #: by kind: when the last that is sealed was written, and its id


class Claimed(Exception):
    """Another process sealed at this place."""


class SealPart:
    """The seals of one market, and what they seal."""

    def __init__(self, node: Node, keys: Keys) -> None:
        self.reader, self.keys = node.reader, keys

    async def last(self) -> tuple[int, bytes]:
        """Place and bytes of the last seal; 0 and nothing before the first. Raises Unavailable."""
        found = await self.reader.ask("XREVRANGE", self.keys.seals, "+", "-", "COUNT", 1)
        return (_seq(found[0]), _packed(found[0])) if found else (0, b"")

    async def issued(self) -> int:
        """The last place that was ever given."""
        if not await self.reader.ask("EXISTS", self.keys.seals):
            return 0
        told = await self.reader.ask("XINFO STREAM", self.keys.seals)
        return int(text_of(told["last-generated-id"]).partition("-")[0])

    async def add(self, seal: Seal) -> None:
        """Append it. Raises Claimed, Unavailable."""
        raw, place = packed(seal), f"{seal.seq}-0"
        try:
            await self.reader.ask("XADD", self.keys.seals, place, FIELD, raw)
        except ResponseError as error:
            if "equal or smaller" not in str(error):
                raise
            found = await self.reader.ask("XRANGE", self.keys.seals, place, place)
            if not found or _packed(found[0]) != raw:  # else it is ours: sent again after a lost answer
                raise Claimed(place) from error

    async def page(self, first: int, limit: int = MOST_TOGETHER) -> list[tuple[int, bytes]]:
        """Places and packed seals from this place on."""
        found = await self.reader.ask("XRANGE", self.keys.seals, f"{first}-0", "+", "COUNT", limit)
        return [(_seq(each), _packed(each)) for each in found]

    async def trim(self, first: int) -> None:
        """Forget seals before this place."""
        await self.reader.ask("XTRIM", self.keys.seals, "MINID", f"{first}-0")

    async def written(self, kind: Kind[Any], since: int, until: int, offset: int) -> list[tuple[str, int]]:
        """Ids of entries of a kind by when they were written, from `since` to `until`, some at a time."""
        name, limit = self.keys.list(kind.sealed), ("LIMIT", offset, MOST_TOGETHER)
        words = (name, since, until, "BYSCORE", *limit, "WITHSCORES")
        return _scored(await self.reader.ask("ZRANGE", *words))

    async def read(self, kind: Kind[Any], names: Sequence[str]) -> list[bytes | None]:
        """Entries as they are stored."""
        return await self.reader.get_all([self.keys.record(kind, each) for each in names])

    async def waiting(self) -> list[tuple[str, str, int]]:
        """Entries that no seal has yet: kind, id, when each was written, as it says itself."""
        found = _scored(await self.reader.ask("ZRANGE", self.keys.unsealed, 0, -1, "WITHSCORES"))
        named = [(member.partition(":"), order) for member, order in found]
        return [(kind, name, order) for (kind, _, name), order in named]

    async def wait_no_more(self, entries: Sequence[tuple[str, str]]) -> None:
        """These (kind, id) are sealed, or gone."""
        for first in range(0, len(entries), MOST_TOGETHER):
            some = (f"{kind}:{name}" for kind, name in entries[first : first + MOST_TOGETHER])
            await self.reader.ask("ZREM", self.keys.unsealed, *some)

    async def versions(self, numbers: Sequence[int]) -> list[bytes | None]:
        """Versions of the tuning as they are stored."""
        return await self.reader.get_all([self.keys.tuning_version(each) for each in numbers])

    async def newest_version(self) -> int:
        """Of the tuning; 0: none was set."""
        found = await self.reader.get(self.keys.tuning_newest)
        return int(found) if found and found.isdigit() else 0


def packed(seal: Seal) -> bytes:
    """As it is stored: the same seal, the same bytes."""
    return msgspec.msgpack.encode(seal)


def unpack(raw: bytes) -> Seal:
    """Raises msgspec.DecodeError."""
    return msgspec.msgpack.decode(raw, type=Seal)


def hash_of(raw: bytes) -> bytes:
    """Of an entry or a seal as it is stored."""
    return hashlib.blake2b(raw, digest_size=16).digest()


def sealed_kinds() -> list[Kind[Any]]:
    """The kinds of record whose entries are sealed."""
    return [each for each in kinds() if each.sealed]


def may_be_gone(version: int, newest: int) -> bool:
    """Whether a version of the tuning is no longer kept."""
    return version <= newest - KEPT_VERSIONS


def _seq(raw: Sequence[Any]) -> int:
    return int(text_of(raw[0]).partition("-")[0])


def _scored(found: Sequence[Any]) -> list[tuple[str, int]]:
    pairs = (
        found if found and isinstance(found[0], (list, tuple)) else zip(found[::2], found[1::2], strict=True)
    )
    return [(text_of(member), int(float(score))) for member, score in pairs]


def _packed(raw: Sequence[Any]) -> bytes:
    fields = raw[1]
    known = fields if isinstance(fields, dict) else dict(zip(fields[::2], fields[1::2], strict=False))
    return bytes(known.get(FIELD.encode(), b""))
