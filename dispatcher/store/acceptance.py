"""Answers to offers: how often each vendor said yes or no to what, by week; and what is expected of them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import NamedTuple

from redis.exceptions import ResponseError

from contracts.instants import DAY_MS, MINUTE_MS
from contracts.tuning import Number
from dispatcher.domain.acceptance import PARAMETERS, Answer, Count, weeks
from dispatcher.domain.acceptance_sums import Tally, expected_of, summed, tallied
from dispatcher.store.aside import Item
from dispatcher.store.keys import Keys
from dispatcher.store.node import Node
from dispatcher.store.program import Program
from dispatcher.store.resp import text_of
from solvers.acceptance import SHAPE, Cell

KEPT_MS = 106 * DAY_MS  # the weeks that count, and one more
EVERY_MS = 15 * MINUTE_MS  # of the clock: how old what is expected may be
LATE = 2  # weeks, this one among them, that are counted in: a clock may be late, or a commit
WEEK = "acceptance"  # what is set aside: a week, or one of its counts
YES, NO = "yes", "no"


def add_answer(program: Program, keys: Keys, answer: Answer) -> None:
    """Count one answer, in the commit that it came with."""
    key = keys.acceptance(answer.week)
    program.figure(key, "HINCRBY", _field(answer), 1)
    program.write(key, "PEXPIRE", KEPT_MS)


def _field(answer: Answer) -> str:
    return ":".join((answer.vendor_id, *map(str, answer.cell), YES if answer.yes else NO))


Weeks = Mapping[str, tuple[Count, ...]]
Tallies = Mapping[str, tuple[tuple[Count, ...], Tally]]


class _Read(NamedTuple):
    at_ms: int
    values: tuple[Number, ...]
    expected: Mapping[str, bytes]


class AcceptancePart:
    """The answers of one market. What was read is kept: a week that is over does not change any more."""

    def __init__(self, node: Node, keys: Keys) -> None:
        self.reader, self.aside, self.keys = node.reader, node.aside, keys
        self._over: dict[str, tuple[Count, ...]] = {}
        self._read: _Read | None = None
        self._tallies: Tallies = {}

    async def expected(self, now_ms: int, values: Mapping[str, Number]) -> Mapping[str, bytes]:
        """What is expected (`solvers.acceptance.tables`): of now, or of a quarter of an hour ago at the most.

        Nothing while nobody has answered any offer.
        """
        read_with = tuple(each.of(values) for each in PARAMETERS)
        read = self._read
        if read is None or read.values != read_with or not 0 <= now_ms - read.at_ms < EVERY_MS:
            counted = await self.of(now_ms)
            # beside the loop: of many vendors it takes half a second, in which an imminent request would wait
            told = await asyncio.to_thread(_tallied, counted, self._tallies)
            found = await asyncio.to_thread(_expected, told, now_ms, values)
            self._tallies, self._read = told, _Read(now_ms, read_with, found)
            return found
        return read.expected

    async def of(self, now_ms: int) -> Weeks:
        """All counts, by week. What cannot be read is set aside, and counts nothing."""
        wanted = weeks(now_ms)
        missing = [each for each in wanted if each not in self._over or each in wanted[:LATE]]
        asked = [("HGETALL", self.keys.acceptance(each)) for each in missing]
        found = dict(self._over)
        for week, counts in zip(missing, await self.reader.ask_each(asked), strict=True):
            if isinstance(counts, ResponseError):
                self.aside.note(self.keys.market, Item(WEEK, week), type(counts).__name__)
            else:
                found[week] = self._counts(week, counts)
        self._over = {each: found[each] for each in wanted[LATE:] if each in found}
        return {each: found[each] for each in wanted if each in found}

    def _counts(self, week: str, raw: Mapping[bytes, bytes]) -> tuple[Count, ...]:
        named = [(text_of(field), number) for field, number in raw.items()]
        read = self.aside.read_all(self.keys.market, WEEK, named, int)
        return tuple(filter(None, (_count(*each) for each in read.items())))


def _tallied(counted: Weeks, known: Tallies) -> Tallies:
    """Of each week its counts and their tally; of one that is over: once."""
    return {
        week: known[week] if week in known and known[week][0] is counts else (counts, tallied(counts))
        for week, counts in counted.items()
    }


def _expected(told: Tallies, now_ms: int, values: Mapping[str, Number]) -> dict[str, bytes]:
    return expected_of(summed({week: each for week, (_, each) in told.items()}, now_ms, values), values)


def _count(field: str, number: int) -> Count | None:
    vendor, *rest = field.split(":")
    *bands, said = rest or [""]
    known = len(bands) == len(SHAPE) and all(map(str.isdecimal, bands)) and said in (YES, NO)
    if not known or number < 0 or any(int(each) >= most for each, most in zip(bands, SHAPE, strict=True)):
        return None
    return Count(vendor, Cell(*map(int, bands)), said == YES, number)
