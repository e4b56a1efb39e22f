"""Patterns: how often each barrier kept a request from its service, by week."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence

from redis.exceptions import ResponseError

from dispatcher.domain.barriers import Cell, PatternCount
from dispatcher.store.aside import Item
from dispatcher.store.keys import Keys
from dispatcher.store.node import Node
from dispatcher.store.program import Program
from dispatcher.store.resp import text_of

PATTERN = "pattern"  # what is set aside: a week, or one of its counts


def add_count(program: Program, keys: Keys, count: PatternCount) -> None:
    """Count one barrier, or take it back, in the commit of the step that it came with."""
    key = keys.patterns(count.week)
    program.figure(key, "HINCRBY", ":".join(count.cell), count.by)
    program.write(key, "PEXPIRE", count.kept_ms)


class PatternPart:
    """The barriers of one market, as counts."""

    def __init__(self, node: Node, keys: Keys) -> None:
        self.reader, self.aside, self.keys = node.reader, node.aside, keys

    async def of(self, weeks: Sequence[str]) -> Mapping[tuple[str, Cell], int]:
        """By week and cell. What cannot be read is set aside, and counts nothing."""
        found = Counter[tuple[str, Cell]]()
        for week, counts in zip(weeks, await asyncio.gather(*map(self._week, weeks)), strict=True):
            named = [(f"{week}:{text_of(field)}", raw) for field, raw in counts.items()]
            for name, number in self.aside.read_all(self.keys.market, PATTERN, named, int).items():
                _, *cell = name.split(":")
                if len(cell) == len(Cell._fields):
                    found[week, Cell(*cell)] += number
        return found

    async def _week(self, week: str) -> Mapping[bytes, bytes]:
        try:
            counts: Mapping[bytes, bytes] = await self.reader.ask("HGETALL", self.keys.patterns(week))
        except ResponseError as error:
            self.aside.note(self.keys.market, Item(PATTERN, week), type(error).__name__)
            return {}
        return counts
