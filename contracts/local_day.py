"""The clock of a time zone on one calendar day: which instants a local hour stands for, and the other way.

The one place where clock and time meet (docs/decisions/0018-clock-hours.md). A clock hour that comes twice
stands for both; one that is skipped, for none. A day begins with its first instant, which is not 0:00 where
the clock is put forward at midnight.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

from contracts.instants import DAY_MS, MINUTE_MS, to_instant, to_ms
from contracts.ledger import LEDGER_BUCKET_MINUTES

DAY_MINUTES = 24 * 60  # on the clock


class Stretch(NamedTuple):
    """Instants `[start_ms, end_ms)` over which the clock runs on evenly, from `minute` of the day."""

    start_ms: int
    end_ms: int
    minute: int


class LocalDay(NamedTuple):
    """One calendar day of a time zone: a stretch, or two where the clock is changed on it."""

    day: date
    tz: ZoneInfo
    start_ms: int
    end_ms: int
    stretches: tuple[Stretch, ...]

    @classmethod
    def of(cls, day: date, tz: ZoneInfo) -> LocalDay:
        """The day as that zone's clock has it."""
        return _made(day, tz)

    @property
    def changes_clock(self) -> bool:
        """Whether it is no plain day of 24 hours from 0:00."""
        return self.stretches != (Stretch(self.start_ms, self.start_ms + DAY_MS, 0),)

    @property
    def bucket_minutes(self) -> tuple[int, ...]:
        """What the clock shows at the start of each of the day's ledger buckets, in minutes of the day."""
        return tuple(
            each.minute + (at_ms - each.start_ms) // MINUTE_MS
            for each in self.stretches
            for at_ms in range(each.start_ms, each.end_ms, LEDGER_BUCKET_MINUTES * MINUTE_MS)
        )

    def instants(self, opens: int, closes: int) -> list[tuple[int, int]]:
        """The spans `[start_ms, end_ms)` in which the clock shows minutes from `opens` up to `closes`."""
        found = []
        for start_ms, end_ms, minute in self.stretches:
            first_ms = start_ms + max(0, opens - minute) * MINUTE_MS
            last_ms = min(end_ms, start_ms + (closes - minute) * MINUTE_MS)
            if first_ms < last_ms:
                found.append((first_ms, last_ms))
        return found

    def first_at(self, clock_ms: int) -> int:
        """The first instant at which the clock shows so many ms of the day; a skipped one: what comes after.

        Never earlier for a later clock time, so that a window stays one.
        """
        for start_ms, end_ms, minute in self.stretches:
            after_ms = clock_ms - minute * MINUTE_MS
            if after_ms < end_ms - start_ms:
                return start_ms + max(0, after_ms)
        return self.end_ms

    def clock_of_bucket(self, bucket: int) -> str:
        """What the clock shows at the start of a ledger bucket; with its offset where it shows that twice."""
        at_ms = self.start_ms + bucket * LEDGER_BUCKET_MINUTES * MINUTE_MS
        local = to_instant(at_ms).astimezone(self.tz)
        twice = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
        return local.isoformat(timespec="minutes")[11 : None if twice else 16]


def first_instant_ms(day: date, tz: ZoneInfo) -> int:
    """When the day begins: its first 0:00, or what comes in place of one that is skipped."""
    midnight = datetime(day.year, day.month, day.day)
    at_ms = to_ms(midnight.replace(tzinfo=tz))
    if _wall(at_ms, tz) == midnight:
        return at_ms
    return _first(lambda ms: _wall(ms, tz) >= midnight, at_ms - DAY_MS, at_ms)


@lru_cache(maxsize=4_096)
def _made(day: date, tz: ZoneInfo) -> LocalDay:
    start_ms, end_ms = first_instant_ms(day, tz), first_instant_ms(day + timedelta(days=1), tz)
    cuts = [start_ms, *_changes(start_ms, end_ms, tz), end_ms]
    spans = [span for span in pairwise(cuts) if span[0] < span[1]]
    stretches = tuple(Stretch(first, last, _minute(first, tz)) for first, last in spans)
    return LocalDay(day, tz, start_ms, end_ms, stretches)


def _changes(start_ms: int, end_ms: int, tz: ZoneInfo) -> list[int]:
    """When the offset changes between two instants: no zone does so twice in a day."""
    before = _offset(start_ms, tz)
    if end_ms <= start_ms or _offset(end_ms - MINUTE_MS, tz) == before:
        return []
    return [_first(lambda ms: _offset(ms, tz) != before, start_ms, end_ms - MINUTE_MS)]


def _first(holds: Callable[[int], bool], low_ms: int, high_ms: int) -> int:
    """The first whole minute after `low_ms` at which it holds, as it does at `high_ms`."""
    while high_ms - low_ms > MINUTE_MS:
        middle_ms = low_ms + (high_ms - low_ms) // (2 * MINUTE_MS) * MINUTE_MS
        low_ms, high_ms = (low_ms, middle_ms) if holds(middle_ms) else (middle_ms, high_ms)
    return high_ms


def _wall(at_ms: int, tz: ZoneInfo) -> datetime:
    return to_instant(at_ms).astimezone(tz).replace(tzinfo=None)


def _minute(at_ms: int, tz: ZoneInfo) -> int:
    local = _wall(at_ms, tz)
    return local.hour * 60 + local.minute


def _offset(at_ms: int, tz: ZoneInfo) -> timedelta | None:
    return to_instant(at_ms).astimezone(tz).utcoffset()
