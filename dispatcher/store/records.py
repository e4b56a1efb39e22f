"""Records of any kind: read by id, listed by where they stand, found when they are due."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from typing import Generic, TypeVar

from dispatcher.domain.compact import Record
from dispatcher.domain.kinds import Kind
from dispatcher.domain.refusals import Unreadable
from dispatcher.store import codec
from dispatcher.store.aside import Item
from dispatcher.store.keys import Keys
from dispatcher.store.listing import Cursor, Place, page_of
from dispatcher.store.node import Node
from dispatcher.store.resp import text_of

R = TypeVar("R", bound=Record)
NOT_OF_ANOTHER_TYPE = frozenset({"none", "string"})  # "string": it was written just now


Name = tuple[str, str]  #: of a record: its kind, and its id


class Records(Generic[R]):
    """The records of one kind in one market."""

    def __init__(self, node: Node, keys: Keys, kind: Kind[R]) -> None:
        self.reader, self.aside, self.keys, self.kind = node.reader, node.aside, keys, kind
        self._document = codec.document_of(kind)

    async def get(self, record_id: str) -> R | None:
        """The record, or None. Raises Unreadable, also for a key of another type, which reads as none."""
        key = self.keys.record(self.kind, record_id)
        raw = await self.reader.get(key)
        if raw is None and text_of(await self.reader.ask("TYPE", key)) in NOT_OF_ANOTHER_TYPE:
            return None
        return self.read(record_id, raw or b"")

    async def known(self, record_id: str) -> R | None:
        """As `get`, where one that cannot be read is none: without the look at its type."""
        return self.readable(record_id, await self.reader.get(self.keys.record(self.kind, record_id)))

    def readable(self, record_id: str, raw: bytes | None) -> R | None:
        """Of what was read; one that cannot be is named, and none."""
        with contextlib.suppress(Unreadable):
            return self.read(record_id, raw) if raw else None
        return None

    def read(self, record_id: str, raw: bytes) -> R:
        """Of what was read. Raises Unreadable."""
        return self.aside.read(self.keys.market, Item(self.kind.name, record_id), raw, self._unpack)

    async def get_all(self, ids: Sequence[str]) -> dict[str, R]:
        """The records that exist and can be read, by id, in the order asked for."""
        return self.read_all(ids, await self.reader.get_all(self.keys_of(ids)))

    def keys_of(self, ids: Iterable[str]) -> list[str]:
        """Where they are stored."""
        return [self.keys.record(self.kind, each) for each in ids]

    def read_all(self, ids: Iterable[str], found: Iterable[bytes | None]) -> dict[str, R]:
        """What was found there, as `get_all` has it."""
        pairs = zip(ids, found, strict=True)
        return self.aside.read_all(self.keys.market, self.kind.name, pairs, self._unpack)

    async def page(self, lists: Sequence[str], cursor: Cursor, limit: int) -> tuple[list[R], str | None]:
        """Up to `limit` records after the cursor, over several lists; where the next page starts, if any."""
        names = [self.keys.list(each) for each in lists]
        places = await page_of(self.reader, names, cursor, limit + 1)
        records = await self.get_all([place.id for place in places[:limit]])
        more = len(places) > limit
        return list(records.values()), str(Cursor(*places[limit - 1])) if more else None

    async def due(self, now_ms: int, limit: int) -> list[str]:
        """Ids of records whose timer is due, the longest overdue first."""
        return await self.due_in(self.kind.timers, now_ms, limit)

    async def due_in(self, name: str, now_ms: int, limit: int) -> list[str]:
        """Ids that stand in a list by a time, and whose time has come; the longest overdue first."""
        words = ("-inf", now_ms, "BYSCORE", "LIMIT", 0, limit)
        found = await self.reader.ask("ZRANGE", self.keys.list(name), *words)
        return [text_of(each) for each in found]

    async def next_due_ms(self) -> int | None:
        """When the next timer is due; None if nothing is stored."""
        found = await self.reader.ask("ZRANGE", self.keys.list(self.kind.timers), 0, 0, "WITHSCORES")
        return next((place.score for place in Place.read(found)), None)

    def _unpack(self, raw: bytes) -> R:
        value: R = self._document.unpack(raw).value
        return value
