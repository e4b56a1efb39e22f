"""What became of offers by quarter of an hour: gathered in each process, written now and then.

Beside the commits, not in them: a count that cannot be written stops nothing, and a process that is killed
loses those of its last seconds.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date

from redis.exceptions import ResponseError

from contracts.instants import DAY_MS, to_instant
from dispatcher.domain.decision import Decision
from dispatcher.domain.quarters import Cell, Quarters, What, counted_in
from dispatcher.store.aside import Item
from dispatcher.store.keys import Keys
from dispatcher.store.node import Node
from dispatcher.store.resp import text_of

QUARTER = "quarter"  # what is set aside: a day, or one of its counts
_WHAT = {each.value: each for each in What}


class QuarterPart:
    """The quarters of one market."""

    def __init__(self, node: Node, keys: Keys) -> None:
        self.reader, self.aside, self.keys = node.reader, node.aside, keys
        self._gathered: Quarters = Counter()

    @property
    def gathered(self) -> bool:
        """Whether there is anything to write."""
        return bool(self._gathered)

    def note(self, decisions: Iterable[Decision]) -> None:
        """These are stored: count what they did."""
        if counted := counted_in(decisions):
            self._gathered.update(counted)

    async def write(self, kept_ms: int) -> None:
        """Write what was gathered. Raises Unavailable: then it is kept for the next time."""
        gathered, self._gathered = self._gathered, Counter()
        by_day = dict[str, list[tuple[str, int]]]()
        for cell, count in gathered.items():
            if count:
                day, field = _place(cell)
                by_day.setdefault(day, []).append((field, count))
        for day, counts in by_day.items():
            key = self.keys.quarters(day)
            commands = [("HINCRBY", key, field, count) for field, count in counts]
            try:
                answers = await self.reader.ask_each([*commands, ("PEXPIRE", key, kept_ms)])
            except BaseException:
                self._gathered.update(gathered)  # some may count twice: they say how it goes, no more
                raise
            if any(isinstance(each, ResponseError) for each in answers):
                self.aside.note(self.keys.market, Item(QUARTER, day), "is no count")

    async def of(self, days: Sequence[date]) -> Quarters:
        """What is counted on these days (UTC); what cannot be read counts nothing."""
        asked = [("HGETALL", self.keys.quarters(each.isoformat())) for each in days]
        found: Quarters = Counter()
        for day, counts in zip(days, await self.reader.ask_each(asked), strict=True):
            if isinstance(counts, Exception):
                self.aside.note(self.keys.market, Item(QUARTER, day.isoformat()), type(counts).__name__)
            else:
                found.update(self._read(day, counts))
        return found

    def _read(self, day: date, counts: Mapping[bytes, bytes]) -> dict[Cell, int]:
        start_ms = int(dt.datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000)
        named = [(text_of(field), raw) for field, raw in counts.items()]
        numbers = self.aside.read_all(self.keys.market, QUARTER, named, int)
        found = dict[Cell, int]()
        for field, count in numbers.items():
            minute, _, what = field.partition(":")
            if minute.isdecimal() and what in _WHAT:
                found[Cell(start_ms + int(minute) * 60_000, _WHAT[what])] = count
        return found


def days_between(start_ms: int, end_ms: int) -> list[date]:
    """The days (UTC) that a span touches."""
    return [to_instant(at_ms).date() for at_ms in range(start_ms - start_ms % DAY_MS, end_ms, DAY_MS)]


def _place(cell: Cell) -> tuple[str, str]:
    day_ms = cell.slot_ms - cell.slot_ms % DAY_MS
    return to_instant(day_ms).date().isoformat(), f"{(cell.slot_ms - day_ms) // 60_000}:{cell.what.value}"
