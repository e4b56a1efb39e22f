"""Statements: a hash of a vendor and day; all days of a month go at once, some months after it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from dispatcher.domain.statements import Billed, Item, is_correction, offer_of
from dispatcher.store import aside
from dispatcher.store.keys import STATEMENT, Keys
from dispatcher.store.node import Node
from dispatcher.store.program import Program
from dispatcher.store.resp import text_of

FEW_DAYS = 8  # that are read at once
_encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.Decoder(Item).decode


class Entered(NamedTuple):
    """An item as it stands in a statement: at `place_ms` of its day, under its name."""

    place_ms: int
    name: str
    item: Item
    day: str  # under which it is stored: yyyy-mm-dd


def add_billed(program: Program, keys: Keys, billed: Billed) -> None:
    """Write one item, or take it out, in the commit of the step that it came with."""
    key = keys.statement(billed.vendor_id, billed.day)
    if billed.item is None:
        program.figure(key, "HDEL", billed.name)
        return
    program.figure(key, "HSET", billed.name, _encode(billed.item))
    program.write(key, "PEXPIRE", billed.kept_ms, "NX")
    program.write(key, "PEXPIRE", billed.kept_ms, "GT")  # never less: what is kept shorter now is not shown


class StatementPart:
    """The statements of one market."""

    def __init__(self, node: Node, keys: Keys) -> None:
        self.reader, self.aside, self.keys = node.reader, node.aside, keys

    async def of(self, vendor_id: str, days: Sequence[str], offer_id: str = "") -> list[Entered]:
        """A vendor's items of these days (yyyy-mm-dd, local), in their order, as far as they are readable.

        `offer_id`: those about this dispatch.
        """
        found: list[Entered] = []
        for first in range(0, len(days), FEW_DAYS):  # others have their turn in between
            some = days[first : first + FEW_DAYS]
            asked = [("HGETALL", self.keys.statement(vendor_id, day)) for day in some]
            for day, fields in zip(some, await self.reader.ask_each(asked), strict=True):
                if isinstance(fields, Exception):
                    name = f"{vendor_id}:{day}"
                    self.aside.note(self.keys.market, aside.Item(STATEMENT, name), type(fields).__name__)
                else:
                    found += self._read(day, fields, offer_id)
        return sorted(found, key=lambda each: (each.place_ms, each.name))

    async def keep(self, days_ms: Mapping[str, int]) -> None:
        """Keep what stands on these days for so many ms from now, if it was to go before."""
        vendors = [text_of(each) for each in await self.reader.ask("SMEMBERS", self.keys.vendors)]
        for each in vendors:
            named = ((self.keys.statement(each, day), kept_ms) for day, kept_ms in days_ms.items())
            await self.reader.ask_all([("PEXPIRE", key, kept_ms, "GT") for key, kept_ms in named])

    def _read(self, day: str, fields: Mapping[bytes, bytes], offer_id: str) -> list[Entered]:
        named = ((text_of(name), raw) for name, raw in fields.items())
        if offer_id:
            named = ((name, raw) for name, raw in named if offer_of(name) == offer_id)
        items = self.aside.read_all(self.keys.market, STATEMENT, named, decode)
        return [
            Entered(item.at_ms if is_correction(name) else item.start_ms, name, item, day)
            for name, item in items.items()
        ]
