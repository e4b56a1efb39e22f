"""What happened in a market as plain counts that every process adds to; who reads knows what they mean."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

from dispatcher.store.keys import Keys
from dispatcher.store.node import Node
from dispatcher.store.resp import text_of


class MeasurePart:
    """The counts of one market, by field. They serve who watches: a lost answer may count something twice."""

    def __init__(self, node: Node, keys: Keys) -> None:
        self.reader, self.keys = node.reader, keys

    async def add(self, counts: Mapping[str, int]) -> None:
        """Add to each. Raises Unavailable; StoreError if the key is not ours."""
        await self.reader.ask_all([("HINCRBY", self.keys.measures, *each) for each in counts.items()])

    async def read(self) -> Mapping[str, int]:
        """All counts since the store was new; without what is no number. Raises as `add`."""
        found = await self.reader.ask("HGETALL", self.keys.measures)
        counts: dict[str, int] = {}
        for field, count in found.items():
            with contextlib.suppress(ValueError):  # written by hand; the others are still true
                counts[text_of(field)] = int(count)
        return counts
