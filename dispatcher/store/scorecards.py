"""Scorecards: how often each outcome came of each vendor's work, by month."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from redis.exceptions import ResponseError

from contracts.instants import DAY_MS
from dispatcher.domain.scorecards import Outcome, WorkOutcome
from dispatcher.store.aside import Item
from dispatcher.store.keys import Keys
from dispatcher.store.node import Node
from dispatcher.store.program import Program
from dispatcher.store.resp import text_of

KEPT_MS = 100 * DAY_MS  # the matcher reads this month's and last month's
LATE_MINUTES = "late_minutes"
EARLIER = {"well": Outcome.ON_TIME.value, "badly": Outcome.LATE.value}  # counted before outcomes were

Scorecard = Counter[str]  #: by outcome; declines also by `declined.CODE`; LATE_MINUTES: all together


def add_outcome(program: Program, keys: Keys, outcome: WorkOutcome) -> None:
    """Count one outcome, in the commit of the step that it came with."""
    key, prefix = keys.scorecards(outcome.month), f"{outcome.vendor_id}:"
    program.write(key, "HINCRBY", prefix + outcome.outcome.value, 1)
    if outcome.code and outcome.outcome is Outcome.DECLINED:
        program.write(key, "HINCRBY", f"{prefix}{outcome.outcome.value}.{outcome.code}", 1)
    if outcome.late_minutes:
        program.write(key, "HINCRBY", prefix + LATE_MINUTES, outcome.late_minutes)
    program.write(key, "PEXPIRE", KEPT_MS)


class ScorecardPart:
    """The scorecards of one market."""

    def __init__(self, node: Node, keys: Keys) -> None:
        self.reader, self.aside, self.keys = node.reader, node.aside, keys

    async def of(self, months: Sequence[str]) -> Mapping[str, Scorecard]:
        """Each vendor's outcomes over these months (yyyy-mm), by vendor id; none for one without work."""
        found: dict[str, Scorecard] = {}
        for counts in await self._counts(months):
            for field, count in counts.items():
                vendor, _, outcome = text_of(field).partition(":")
                number = self.aside.read_all(self.keys.market, "scorecard", [(vendor, count)], int)
                found.setdefault(vendor, Counter())[EARLIER.get(outcome, outcome)] += number.get(vendor, 0)
        return found

    async def _counts(self, months: Sequence[str]) -> list[Mapping[bytes, bytes]]:
        """As stored; a month that is no hash is set aside: a vendor without work keeps its market going."""
        found: list[Mapping[bytes, bytes]] = []
        for each in months:
            try:
                found.append(await self.reader.ask("HGETALL", self.keys.scorecards(each)))
            except ResponseError as error:
                self.aside.note(self.keys.market, Item("scorecard", each), type(error).__name__)
        return found
