"""How groups of requests fared: asked for, left without a vendor, how long they waited; by day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from redis.exceptions import ResponseError

from contracts.instants import DAY_MS
from dispatcher.domain.fairness import DAYS, Fared, GroupCount, is_group
from dispatcher.store.aside import Item
from dispatcher.store.keys import Keys
from dispatcher.store.node import Node
from dispatcher.store.program import Program
from dispatcher.store.resp import text_of

FAIRNESS: Final = "fairness"  # what is set aside: a day, or one of its counts
KEPT_MS: Final = (DAYS + 1) * DAY_MS
_FIELDS: Final = Fared._fields


def add_group(program: Program, keys: Keys, count: GroupCount) -> None:
    """Count one request, in the commit of what became of it."""
    key, told = keys.fairness(count.day), Fared(count.asked, count.unmatched, count.waited_s)
    for name, number in zip(_FIELDS, map(int, told), strict=True):
        if number:
            program.figure(key, "HINCRBY", f"{name}:{count.group}", number)
    program.write(key, "PEXPIRE", KEPT_MS)


class FairnessPart:
    """The groups of one market."""

    def __init__(self, node: Node, keys: Keys) -> None:
        self.reader, self.aside, self.keys = node.reader, node.aside, keys

    async def of(self, days: Sequence[str]) -> dict[str, Fared]:
        """Over these days (yyyy-mm-dd, UTC), by group. What cannot be read is set aside."""
        answers = await self.reader.ask_each([("HGETALL", self.keys.fairness(each)) for each in days])
        found = dict[str, Fared]()
        for day, counts in zip(days, answers, strict=True):
            if isinstance(counts, ResponseError):
                self.aside.note(self.keys.market, Item(FAIRNESS, day), type(counts).__name__)
            else:
                self._add(found, day, counts)
        return found

    def _add(self, found: dict[str, Fared], day: str, counts: Mapping[bytes, bytes]) -> None:
        named = [(f"{day}:{text_of(field)}", raw) for field, raw in counts.items()]
        for name, number in self.aside.read_all(self.keys.market, FAIRNESS, named, int).items():
            what, _, group = name.partition(":")[2].partition(":")
            if what in _FIELDS and is_group(group):
                found[group] = found.get(group, Fared()).plus(Fared(**{what: max(0, number)}))
