"""Scorecards: how often each outcome came of each vendor's work by day, and the offers behind each count."""

from __future__ import annotations

from calendar import monthrange
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import msgspec
from redis.exceptions import ResponseError

from dispatcher.domain.score_disputes import SCORE_DISPUTE_KIND, ScoreDisputeRecord
from dispatcher.domain.score_figures import lateness_of
from dispatcher.domain.scorecards import Entry, Outcome, VendorLevel, WorkOutcome
from dispatcher.store.aside import Item
from dispatcher.store.keys import Keys
from dispatcher.store.node import Node
from dispatcher.store.program import Program
from dispatcher.store.records import Records
from dispatcher.store.resp import text_of

MOST_DAYS = 430  # that are kept in memory: what may be asked for at once, and a few
FEW_DAYS = 8  # whose entries are read at once
AT_ONCE, MOST_READ = 64, 10_000  # vendors' days: read at once; read in all, so that they can be compared
CHANGES = "changes"  # how often a day was counted on: what is known of it by the same number is known
SCORECARD = "scorecard"  # what is set aside: a day, one of its counts or of its entries
EARLIER = {"well": Outcome.ON_TIME.value, "badly": Outcome.LATE.value}  # counted before outcomes were
_OUTCOMES = {each.value for each in Outcome}
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Entry).decode

Scorecard = Counter[str]  #: by outcome; declines also by `declined.CODE`; LATE_MINUTES; `on_time@far`
DayCounts = Mapping[VendorLevel, Scorecard]  #: of one day, by vendor and level of service


def add_outcome(program: Program, keys: Keys, outcome: WorkOutcome) -> None:
    """Count one outcome, or take it back, in the commit of the step that it came with."""
    key, level = keys.scorecards(outcome.day), f"{outcome.vendor_id}:{outcome.entry.level}"
    for name, number in outcome.counts():
        program.figure(key, "HINCRBY", f"{level}:{name}", number)
    program.figure(key, "HINCRBY", CHANGES, 1)
    program.write(key, "PEXPIRE", outcome.kept_ms)
    key, field = keys.outcomes(outcome.vendor_id, outcome.day), field_of(outcome.offer_id, outcome.outcome)
    if outcome.gone:
        program.figure(key, "HDEL", field)
        return
    program.figure(key, "HSET", field, _encode(outcome.entry))
    program.write(key, "PEXPIRE", outcome.kept_ms)


def field_of(offer_id: str, outcome: Outcome) -> str:
    """Where an offer's outcome stands among those of its vendor and day."""
    return f"{offer_id}/{outcome.value}"


class ScorecardPart:
    """The scorecards of one market."""

    def __init__(self, node: Node, keys: Keys) -> None:
        self.reader, self.aside, self.keys = node.reader, node.aside, keys
        self.disputes: Records[ScoreDisputeRecord] = Records(node, keys, SCORE_DISPUTE_KIND)
        self._known: dict[str, tuple[bytes, DayCounts]] = {}
        self._late: dict[str, tuple[bytes, Mapping[str, tuple[int, ...]]]] = {}
        self._summed: tuple[tuple[DayCounts, ...], dict[str, Scorecard]] = ((), {})

    async def of(self, months: Sequence[str]) -> Mapping[str, Scorecard]:
        """Each vendor's outcomes over these months (yyyy-mm), by vendor id; none for one without work.

        With what was counted by month, before days were.
        """
        earlier = await self._read(months)
        days = tuple((await self.days(_days_of(months))).values())
        found = {vendor: Counter(card) for vendor, card in self._sum(days[:-1]).items()}
        for counts in (*earlier.values(), *days[-1:]):
            _add(found, counts)
        return found

    async def by_month(self, months: Sequence[str]) -> Mapping[str, DayCounts]:
        """What was counted by month (yyyy-mm), before days were: no level, and no more is added."""
        return {month: counts for month, counts in (await self._read(months)).items() if counts}

    async def days(self, days: Sequence[str]) -> Mapping[str, DayCounts]:
        """The counts of these days (yyyy-mm-dd), of those that have any. What has not changed is not read."""
        numbers = await self._numbers(days)
        stale = [day for day, number in numbers.items() if self._known.get(day, (b"",))[0] != number]
        read = await self._read(stale)
        self._known.update({day: (numbers[day], read.get(day, {})) for day in stale})
        for day in [each for each in self._known if each in days and each not in numbers]:
            del self._known[day]
        found = {day: self._known[day][1] for day in days if day in numbers}
        for day in sorted(self._known)[:-MOST_DAYS]:
            del self._known[day]
        return found

    async def lateness(self, days: Sequence[str]) -> Mapping[str, list[int]]:
        """Minutes late of each vendor's arrivals on these days: what has not changed is not read.

        Nothing where too much would have to be read at once: then nobody can be compared.
        """
        counts = await self.days(days)
        wanted = {day: self._known[day][0] for day in counts if day in self._known}
        stale = [day for day, number in wanted.items() if self._late.get(day, (b"",))[0] != number]
        timed = [(day, vendor) for day in stale for vendor in _timed(counts[day])]
        if len(timed) > MOST_READ:
            return {}
        read: dict[str, dict[str, tuple[int, ...]]] = {day: {} for day in stale}
        for day, vendor in timed:
            read[day][vendor] = ()
        for first in range(0, len(timed), AT_ONCE):  # others have their turn in between
            some = timed[first : first + AT_ONCE]
            asked = [("HGETALL", self.keys.outcomes(vendor, day)) for day, vendor in some]
            for (day, vendor), fields in zip(some, await self.reader.ask_each(asked), strict=True):
                if not isinstance(fields, Exception):
                    read[day][vendor] = tuple(lateness_of(self._entries(vendor, fields)))
        self._late.update({day: (wanted[day], each) for day, each in read.items()})
        for day in sorted(self._late)[:-MOST_DAYS]:
            del self._late[day]
        found: dict[str, list[int]] = {}
        for day in wanted:
            for vendor, minutes in self._late.get(day, (b"", {}))[1].items():
                found.setdefault(vendor, []).extend(minutes)
        return found

    async def entries(self, vendor_id: str, days: Sequence[str]) -> list[WorkOutcome]:
        """What stands behind a vendor's counts of these days, earliest first, as far as that is readable."""
        found: list[WorkOutcome] = []
        for first in range(0, len(days), FEW_DAYS):  # others have their turn in between
            some = days[first : first + FEW_DAYS]
            asked = [("HGETALL", self.keys.outcomes(vendor_id, day)) for day in some]
            for day, fields in zip(some, await self.reader.ask_each(asked), strict=True):
                if isinstance(fields, Exception):
                    self._set_aside(day, fields)
                else:
                    found.extend(self._entries(vendor_id, fields))
        return sorted(found, key=lambda each: (each.entry.at_ms, each.offer_id, each.outcome))

    async def entry(
        self, vendor_id: str, offer_id: str, outcome: Outcome, days: Sequence[str]
    ) -> Entry | None:
        """One outcome, on whichever of these days it came."""
        field = field_of(offer_id, outcome)
        asked = [("HGET", self.keys.outcomes(vendor_id, day), field) for day in days]
        named = [(field, raw) for raw in await self.reader.ask_each(asked) if isinstance(raw, bytes)]
        return self.aside.read_all(self.keys.market, SCORECARD, named[-1:], _decode).get(field)

    def _sum(self, days: tuple[DayCounts, ...]) -> Mapping[str, Scorecard]:
        """Of days that seldom change any more: the matcher asks often."""
        known, found = self._summed
        if len(known) != len(days) or any(a is not b for a, b in zip(known, days, strict=True)):
            found = sum_of(days)
            self._summed = days, found
        return found

    def _entries(self, vendor_id: str, fields: Mapping[bytes, bytes]) -> Iterable[WorkOutcome]:
        named = [(text_of(field), raw) for field, raw in fields.items()]
        for field, entry in self.aside.read_all(self.keys.market, SCORECARD, named, _decode).items():
            offer_id, _, outcome = field.partition("/")
            if outcome in _OUTCOMES:
                yield WorkOutcome(vendor_id, offer_id, Outcome(outcome), entry)

    async def _numbers(self, days: Sequence[str]) -> dict[str, bytes]:
        asked = [("HGET", self.keys.scorecards(day), CHANGES) for day in days]
        answers = zip(days, await self.reader.ask_each(asked), strict=True)
        return {day: each for day, each in answers if isinstance(each, bytes) or self._set_aside(day, each)}

    async def _read(self, periods: Sequence[str]) -> dict[str, DayCounts]:
        """As stored; one that is no hash is set aside: a vendor without work keeps its market going."""
        asked = [("HGETALL", self.keys.scorecards(each)) for each in periods]
        found = {}
        for period, fields in zip(periods, await self.reader.ask_each(asked), strict=True):
            if isinstance(fields, Exception):
                self._set_aside(period, fields)
            else:
                found[period] = self._counts(fields)
        return found

    def _counts(self, fields: Mapping[bytes, bytes]) -> DayCounts:
        found: dict[VendorLevel, Scorecard] = {}
        named = [(text_of(field), raw) for field, raw in fields.items()]
        numbers = self.aside.read_all(self.keys.market, SCORECARD, named, int)
        for field, count in numbers.items():
            vendor, _, rest = field.partition(":")
            level, _, name = rest.rpartition(":")
            if name:
                found.setdefault(VendorLevel(vendor, level), Counter())[EARLIER.get(name, name)] += count
        return found

    def _set_aside(self, period: str, answer: object) -> bool:
        if isinstance(answer, ResponseError):
            self.aside.note(self.keys.market, Item(SCORECARD, period), type(answer).__name__)
        return False


def _timed(counts: DayCounts) -> list[str]:
    """Vendors with an arrival that counts."""
    names = (Outcome.ON_TIME.value, Outcome.LATE.value)
    return sorted(
        {whose.vendor_id for whose, card in counts.items() if any(card[each] > 0 for each in names)}
    )


def sum_of(days: Iterable[DayCounts]) -> dict[str, Scorecard]:
    """Each vendor's outcomes over all of them, by vendor id."""
    found: dict[str, Scorecard] = {}
    for counts in days:
        _add(found, counts)
    return found


def _add(found: dict[str, Scorecard], counts: DayCounts) -> None:
    for whose, card in counts.items():
        known = found.get(whose.vendor_id)
        if known is None:
            known = found[whose.vendor_id] = Counter()
        for name, count in card.items():
            known[name] += count


def _days_of(months: Sequence[str]) -> list[str]:
    """All days of these months (yyyy-mm)."""
    named = [tuple(map(int, each.split("-"))) for each in months]
    return [
        f"{year:04}-{month:02}-{day:02}"
        for year, month in named
        for day in range(1, monthrange(year, month)[1] + 1)
    ]
