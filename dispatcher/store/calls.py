"""Calls of will-calls: how often one came, by kind of day and hour of the clock, by month."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from redis.exceptions import ResponseError

from contracts.instants import DAY_MS
from dispatcher.domain.will_call import Called, DayKind
from dispatcher.store.aside import Item
from dispatcher.store.keys import Keys
from dispatcher.store.node import Node
from dispatcher.store.program import Program
from dispatcher.store.resp import text_of

KEPT_MS = 100 * DAY_MS  # the matcher reads this month's and last month's
HOURS = 24
Calls = Counter[tuple[DayKind, int]]  #: by kind of day and hour


def add_call(program: Program, keys: Keys, called: Called) -> None:
    """Count one call, in the commit that it came with: at most 72 counts a month."""
    key = keys.calls(called.month)
    program.figure(key, "HINCRBY", f"{called.kind.value}:{called.hour}", 1)
    program.write(key, "PEXPIRE", KEPT_MS)


class CallsPart:
    """The calls of one market."""

    def __init__(self, node: Node, keys: Keys) -> None:
        self.reader, self.aside, self.keys = node.reader, node.aside, keys

    async def of(self, months: Sequence[str]) -> Calls:
        """How often one was called, over these months (yyyy-mm); what cannot be read is passed over."""
        found: Calls = Counter()
        for month in months:
            try:
                counts = await self.reader.ask("HGETALL", self.keys.calls(month))
            except ResponseError as error:
                self.aside.note(self.keys.market, Item("calls", month), type(error).__name__)
                continue
            named = [(text_of(field), count) for field, count in counts.items()]
            for field, count in self.aside.read_all(self.keys.market, "calls", named, int).items():
                kind, _, hour = field.partition(":")
                if kind in set(DayKind) and hour.isdecimal() and int(hour) < HOURS:
                    found[DayKind(kind), int(hour)] += count
        return found
