"""What is stored and cannot be read: set aside and named once, so that everything beside it goes on.

A cut document, a form that no version of the service wrote, a patient block whose key is gone: whoever reads
many leaves it out, whoever asks for that one is told so. Nothing of what it holds is repeated anywhere.
"""

from __future__ import annotations

import asyncio
import struct
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import NamedTuple, TypeVar

import msgspec
import structlog

from dispatcher.domain.refusals import Unreadable
from dispatcher.security.vault import UnreadablePatient

READ_ERRORS = (msgspec.MsgspecError, UnreadablePatient, ValueError, LookupError, TypeError, struct.error)
MOST_KNOWN = 10_000  # of one market; beyond, some may be named twice
Value = TypeVar("Value")
log = structlog.get_logger()


class Item(NamedTuple):
    """Something stored: what it is (a key of docs/operations.md's table) and its id."""

    kind: str
    id: str


class Aside:
    """What this process has set aside, by market; `next` hands each over to be told of."""

    def __init__(self) -> None:
        self._known: defaultdict[str, set[Item]] = defaultdict(set)
        self._news: defaultdict[str, asyncio.Queue[Item]] = defaultdict(asyncio.Queue)

    def read(
        self, market: str, item: Item, raw: bytes, unpack: Callable[[bytes], Value], **facts: object
    ) -> Value:
        """What `raw` holds. Raises Unreadable, which names it and has these facts."""
        try:
            return unpack(raw)
        except READ_ERRORS as error:
            self.note(market, item, type(error).__name__)
            raise Unreadable(
                f"{item.kind} {item.id} is stored and cannot be read\n"
                "Maybe restore it from a backup: the command `audit` names all that is like it.",
                kind=item.kind,
                id=item.id,
                **facts,
            ) from error

    def read_all(
        self,
        market: str,
        kind: str,
        found: Iterable[tuple[str, bytes | None]],
        unpack: Callable[[bytes], Value],
        *,
        expected: bool = False,
    ) -> dict[str, Value]:
        """Those that are there and can be read, by id; the others are set aside.

        `expected`: also those that are not there, or are of another type, which reads alike.
        """
        values: dict[str, Value] = {}
        for each, raw in found:
            if raw is None:
                if expected:
                    self.note(market, Item(kind, each), "missing")
            elif raw or expected:
                try:
                    values[each] = unpack(raw)
                except READ_ERRORS as error:
                    self.note(market, Item(kind, each), type(error).__name__)
        return values

    def note(self, market: str, item: Item, reason: str) -> None:
        """Name it, if it was not named before."""
        known = self._known[market]
        if item in known:
            return
        if len(known) >= MOST_KNOWN:
            known.clear()
        known.add(item)
        log.error("unreadable", market=market, kind=item.kind, id=item.id, reason=reason)
        self._news[market].put_nowait(item)

    def known(self, market: str) -> frozenset[Item]:
        """All that was set aside."""
        return frozenset(self._known[market])

    async def next(self, market: str) -> Item:
        """The next that was set aside, in order; each once."""
        return await self._news[market].get()
