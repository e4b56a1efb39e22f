"""The ledger of a market's saved decisions: their chain, and which decided on a request.

The records lie elsewhere (`dispatcher.decisions`). An entry's id is its place in the chain: of two writers
that claim one place, the server lets the first have it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

import msgspec
from redis.exceptions import ResponseError

from dispatcher.store import script
from dispatcher.store.figures import name_left_out
from dispatcher.store.keys import Keys
from dispatcher.store.node import Node
from dispatcher.store.resp import text_of

FIELD: Final = "e"
LEDGER, UNREADABLE = "decision", "unreadable"  # what is set aside; the kind of an entry that is
FELL_BACK: Final = "FELLBACK"  # as decided.lua says it
DAY_S: Final = 86_400


class Entry(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """One decision that was saved."""

    seq: int
    digest: str
    nth: int
    day: str
    at_ms: int
    kind: str
    solver: str
    requests: int
    matched: int
    cost: int
    bound: int
    hash: bytes  #: of the record
    previous: bytes  #: of the one before it


class Link(NamedTuple):
    """An entry at its place in the chain, and what is noted with it."""

    entry: Entry
    requests: Sequence[str]  #: of which it is the last decision
    kept_days: int


class Taken(Exception):
    """Another writer has this place of the chain, or there is none before it: a fail-over lost that."""


class DecisionPart:
    """The ledger of one market."""

    def __init__(self, node: Node, keys: Keys) -> None:
        self.reader, self.aside, self.keys = node.reader, node.aside, keys

    async def last(self) -> Entry | None:
        """The end of the chain. Raises Unavailable."""
        found = await self.reader.ask("XREVRANGE", self.keys.decisions, "+", "-", "COUNT", 1)
        if not found:
            return None
        return self._read(found[0]) or _unreadable(found[0])

    async def issued(self) -> int:
        """The last place that was ever given; 0: none. An entry that was removed from the end leaves it."""
        if not await self.reader.ask("EXISTS", self.keys.decisions):
            return 0
        told = await self.reader.ask("XINFO STREAM", self.keys.decisions)
        return int(text_of(told["last-generated-id"]).partition("-")[0])

    async def add(self, links: Sequence[Link]) -> None:
        """Append them, in the order of their places, and note each as the last decision on its requests.

        All are appended or none, for one fsync; where a day's notes are a key of another type, it is named.
        Raises Taken, Unavailable.
        """
        keys = [self.keys.decisions, *(self.keys.decided(each.entry.day) for each in links)]
        try:
            words = (word for each in links for word in _words(each))
            left_out = await script.run(self.reader, "decided", keys, FIELD, *words)
        except ResponseError as error:
            if FELL_BACK in str(error):
                raise Taken(_place(links[0].entry)) from error
            if "equal or smaller" not in str(error):
                raise
            entry = links[-1].entry
            found = await self.reader.ask("XRANGE", self.keys.decisions, *[_place(entry)] * 2)
            if (
                not found or self._read(found[0]) != entry
            ):  # else all are ours: sent again after a lost answer
                raise Taken(_place(links[0].entry)) from error
            return
        name_left_out(self.aside, self.keys, map(text_of, left_out))

    async def on(self, request_id: str, days: Iterable[str]) -> list[tuple[str, str, int]]:
        """(day, digest, nth) of the last decision on a request on each of these days."""
        days = list(days)
        found = await self.reader.ask_each([("HGET", self.keys.decided(each), request_id) for each in days])
        told = [
            (day, text_of(name)) for day, name in zip(days, found, strict=True) if isinstance(name, bytes)
        ]
        return [(day, name.partition(":")[0], int(name.partition(":")[2] or 0)) for day, name in told]

    async def page(self, first: int, last: int | None, limit: int, *, newest: bool = True) -> list[Entry]:
        """Entries of places `first` to `last`, at most `limit`."""
        ends = (f"{last}-0" if last is not None else "+", f"{first}-0")
        words = ("XREVRANGE", self.keys.decisions, *ends) if newest else (
            "XRANGE", self.keys.decisions, *ends[::-1]
        )  # fmt: skip
        found = await self.reader.ask(*words, "COUNT", limit)
        return [self._read(each) or _unreadable(each) for each in found]

    async def trim(self, first: int) -> int:
        """Forget entries before this place."""
        return int(await self.reader.ask("XTRIM", self.keys.decisions, "MINID", f"{first}-0"))

    def _read(self, raw: Sequence[Any]) -> Entry | None:
        """None: it cannot be read; that is told."""
        place, fields = raw
        found = self.aside.read_all(self.keys.market, LEDGER, [(text_of(place), _field(fields))], _unpacked)
        entry = found.get(text_of(place))
        return entry if entry is not None and entry.seq == _seq(place) else None


def _place(entry: Entry) -> str:
    return f"{entry.seq}-0"


def _words(link: Link) -> tuple[str | bytes | int, ...]:
    entry, requests, kept_days = link
    told = _place(entry), msgspec.msgpack.encode(entry), f"{entry.digest}:{entry.nth}"
    return *told, (kept_days + 2) * DAY_S, len(requests), *requests


def _unpacked(packed: bytes) -> Entry:
    return msgspec.msgpack.decode(packed, type=Entry)


def _field(fields: Any) -> bytes:
    """redis-py gives the fields of an entry as a mapping, or as they came."""
    known = fields if isinstance(fields, dict) else dict(zip(fields[::2], fields[1::2], strict=False))
    return bytes(known.get(FIELD.encode(), b""))


def _seq(place: Any) -> int:
    return int(text_of(place).partition("-")[0])


def _unreadable(raw: Sequence[Any]) -> Entry:
    """Stands for an entry that cannot be read: its place, and no more. The audit names it."""
    nothing = {"digest": "", "nth": 0, "day": "", "at_ms": 0, "solver": "", "requests": 0, "matched": 0}
    figures = {"cost": 0, "bound": 0, "hash": b"", "previous": b""}
    return Entry(seq=_seq(raw[0]), kind=UNREADABLE, **nothing, **figures)  # type: ignore[arg-type]
