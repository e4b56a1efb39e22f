"""How each request that was decided went for each vendor: gathered by the matcher, written now and then.

Beside the commits, as quarters are: a count that cannot be written stops nothing, and a process that is
killed loses those of its last seconds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date

from contracts.instants import DAY_MS
from dispatcher.store.aside import Item
from dispatcher.store.keys import Keys
from dispatcher.store.node import Node
from dispatcher.store.resp import text_of

KEPT_MS = 31 * DAY_MS  # as far back as anybody may ask
MOST_FIELDS = 2_000  # of one vendor and day: beyond, only what is there is counted on
LOSS = "count of what a vendor lost"
Losses = Counter[tuple[str, str, str]]  #: by ISO day, vendor and what: see `domain.losses`


class LossPart:
    """The losses of one market's vendors."""

    def __init__(self, node: Node, keys: Keys) -> None:
        self.reader, self.aside, self.keys = node.reader, node.aside, keys
        self._gathered: Losses = Counter()

    @property
    def gathered(self) -> bool:
        """Whether there is anything to write."""
        return bool(self._gathered)

    def note(self, counts: Mapping[tuple[str, str, str], int]) -> None:
        """Count these."""
        self._gathered.update(counts)

    async def write(self) -> None:
        """Write what was gathered. Raises Unavailable: then it is kept for the next time."""
        gathered, self._gathered = self._gathered, Counter()
        by_key = dict[tuple[str, str], list[tuple[str, int]]]()
        for (day, vendor_id, what), count in gathered.items():
            by_key.setdefault((vendor_id, day), []).append((what, count))
        try:
            for (vendor_id, day), counts in by_key.items():
                await self._write(vendor_id, day, counts)
        except BaseException:
            self._gathered.update(gathered)  # some may count twice: they say how it goes, no more
            raise

    async def _write(self, vendor_id: str, day: str, counts: list[tuple[str, int]]) -> None:
        key = self.keys.losses(vendor_id, day)
        (there,) = await self.reader.ask_each([("HLEN", key)])
        if isinstance(there, Exception):
            self.aside.note(self.keys.market, Item(LOSS, f"{vendor_id}:{day}"), type(there).__name__)
            return
        room = max(0, MOST_FIELDS - int(there))
        kept = counts if len(counts) <= room else [each for each in counts if each[0].count(":") <= 1]
        commands = [("HINCRBY", key, what, count) for what, count in kept]
        answers = await self.reader.ask_each([*commands, ("PEXPIRE", key, KEPT_MS)])
        if any(isinstance(each, Exception) for each in answers):
            self.aside.note(self.keys.market, Item(LOSS, f"{vendor_id}:{day}"), "is no count")

    async def of(self, vendor_id: str, days: Iterable[date]) -> Counter[str]:
        """What is counted of a vendor on these days; what cannot be read counts nothing."""
        wanted = [each.isoformat() for each in days]
        asked = [("HGETALL", self.keys.losses(vendor_id, each)) for each in wanted]
        found = Counter[str]()
        for day, counts in zip(wanted, await self.reader.ask_each(asked), strict=True):
            if isinstance(counts, Exception):
                self.aside.note(self.keys.market, Item(LOSS, f"{vendor_id}:{day}"), type(counts).__name__)
                continue
            pairs = [(text_of(what), count) for what, count in counts.items()]
            found.update(self.aside.read_all(self.keys.market, LOSS, pairs, int))
        return found
