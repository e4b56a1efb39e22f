"""How each request that was decided went for each vendor: gathered by the matcher, written now and then.

Beside the commits, as quarters are: a count that cannot be written stops nothing, and a process that is
killed loses those of its last seconds.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import date

from contracts.instants import DAY_MS
from dispatcher.store.aside import Item
from dispatcher.store.keys import Keys
from dispatcher.store.node import Node
from dispatcher.store.resp import text_of

KEPT_MS = 31 * DAY_MS  # as far back as anybody may ask
MOST_FIELDS = 2_000  # of one vendor and day: beyond, only what is there is counted on
TOGETHER = 100  # vendors and days, written in one go
LOSS = "count of what a vendor lost"
#: by ISO day and what (see `domain.losses`), of each vendor: a ride is one of a few things for each of all
Losses = Mapping[tuple[str, str], Mapping[str, int]]


class LossPart:
    """The losses of one market's vendors."""

    def __init__(self, node: Node, keys: Keys) -> None:
        self.reader, self.aside, self.keys = node.reader, node.aside, keys
        self._gathered: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)

    @property
    def gathered(self) -> bool:
        """Whether there is anything to write."""
        return bool(self._gathered)

    def note(self, counts: Losses) -> None:
        """Count these."""
        for each, by_vendor in counts.items():
            self._gathered[each].update(by_vendor)

    async def write(self) -> None:
        """Write what was gathered. Raises Unavailable: then it is kept for the next time."""
        gathered, self._gathered = self._gathered, defaultdict(Counter)
        by_key = dict[tuple[str, str], list[tuple[str, int]]]()
        for (day, what), by_vendor in gathered.items():
            for vendor_id, count in by_vendor.items():
                if count:
                    by_key.setdefault((vendor_id, day), []).append((what, count))
        keys = list(by_key)
        try:
            for first in range(0, len(keys), TOGETHER):
                await self._write({each: by_key[each] for each in keys[first : first + TOGETHER]})
        except BaseException:
            self.note(gathered)  # some may count twice: they say how it goes, no more
            raise

    async def _write(self, some: Mapping[tuple[str, str], list[tuple[str, int]]]) -> None:
        """In two questions: how many fields each has, and what it counts as far as it may have more."""
        named = {self.keys.losses(*each): counts for each, counts in some.items()}
        sizes = await self.reader.ask_each([("HLEN", key) for key in named])
        commands = list[tuple[str | int, ...]]()
        for (key, counts), there in zip(named.items(), sizes, strict=True):
            if isinstance(there, Exception):
                self.aside.note(self.keys.market, Item(LOSS, key.removeprefix(self.keys.prefix)), "no hash")
                continue
            has_room = int(there) + len(counts) <= MOST_FIELDS
            kept = [each for each in counts if has_room or each[0].count(":") <= 1]
            commands += [("HINCRBY", key, what, count) for what, count in kept]
            commands.append(("PEXPIRE", key, KEPT_MS))
        answers = await self.reader.ask_each(commands) if commands else []
        for command, answer in zip(commands, answers, strict=True):
            if isinstance(answer, Exception):
                name = str(command[1]).removeprefix(self.keys.prefix)
                self.aside.note(self.keys.market, Item(LOSS, name), "is no count")

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
