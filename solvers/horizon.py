"""The days in view as one line of time: local days, ledger buckets and clock times from milliseconds.

A day has 288 ledger buckets, or fewer or more where the clock is changed on it, counted from its beginning,
so that the ledgers of consecutive days form one gapless line. What a clock shows is `contracts.local_day`'s.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from itertools import starmap
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from contracts.instants import MINUTE_MS
from contracts.ledger import LEDGER_BUCKET_MINUTES
from contracts.local_day import DAY_MINUTES, LocalDay
from solvers.arrays import Ints

LEDGER_MS: Final = LEDGER_BUCKET_MINUTES * MINUTE_MS
_NEVER_MS: Final = 2**60


class Stretch(NamedTuple):
    """Instants of one day over which the clock runs on evenly, from one minute of the day up to another."""

    weekday: int
    start_ms: int
    opens: int
    closes: int


@dataclass(frozen=True, eq=False)
class Horizon:
    """D consecutive local days, in S stretches over which the clock runs on evenly. All arrays int64."""

    midnight_ms: Ints  #: D + 1; when each day begins, epoch milliseconds; the last ends the horizon
    ordinal: Ints  #: D; `date.toordinal()`
    stretch_ms: Ints  #: S; when each stretch begins; it lasts until the next, the last to the end
    stretch_day: Ints  #: S; index of its day
    stretch_minute: Ints  #: S; the clock at its beginning, in minutes of the day

    @classmethod
    def of(cls, tz: ZoneInfo, first: date, days: int) -> Horizon:
        """`days` local days of the time zone `tz` from `first`."""
        dates = [LocalDay.of(first + timedelta(days=n), tz) for n in range(days)]
        stretches = [(each.start_ms, n, each.minute) for n, day in enumerate(dates) for each in day.stretches]
        midnight_ms = [*(day.start_ms for day in dates), dates[-1].end_ms]
        ordinals = [day.day.toordinal() for day in dates]
        return cls(np.array(midnight_ms), np.array(ordinals), *np.array(stretches, np.int64).T.copy())

    def first_days(self, count: int) -> Horizon:
        """The first of its days alone; the same again for the same count, with what it has worked out."""
        found = self._firsts.get(count)
        if found is None:
            there = self.stretch_day < count
            stretches = (each[there] for each in (self.stretch_ms, self.stretch_day, self.stretch_minute))
            found = Horizon(self.midnight_ms[: count + 1], self.ordinal[:count], *stretches)
            self._firsts[count] = found
        return found

    @cached_property
    def _firsts(self) -> dict[int, Horizon]:
        return {}

    @cached_property
    def start_ms(self) -> int:
        """The first midnight."""
        return int(self.midnight_ms[0])

    @property
    def end_ms(self) -> int:
        """The midnight that ends the last day."""
        return int(self.midnight_ms[-1])

    @cached_property
    def midnight_buckets(self) -> tuple[int, ...]:
        """D + 1; the ledger bucket in which each day begins."""
        return tuple(((self.midnight_ms - self.start_ms) // LEDGER_MS).tolist())

    @cached_property
    def days(self) -> tuple[date, ...]:
        """D dates."""
        return tuple(date.fromordinal(int(each)) for each in self.ordinal)

    @property
    def buckets(self) -> int:
        """Ledger buckets of all days."""
        return (self.end_ms - self.start_ms) // LEDGER_MS

    @cached_property
    def _numbers(self) -> tuple[list[int], list[int], list[int], list[int]]:
        """Midnights, ordinals, stretches and their minutes as Python numbers: one by one, arrays are slow."""
        arrays = (self.midnight_ms, self.ordinal, self.stretch_ms, self.stretch_minute)
        midnights, ordinals, stretches, minutes = (each.tolist() for each in arrays)
        return midnights, ordinals, stretches, minutes

    def day_at(self, ms: int) -> int:
        """`day_of` for one instant."""
        midnights, ordinals, _, _ = self._numbers
        return min(max(bisect_right(midnights, ms) - 1, 0), len(ordinals) - 1)

    def minute_at(self, ms: int) -> int:
        """`minute_of_day` for one instant."""
        _, _, stretches, minutes = self._numbers
        at = max(bisect_right(stretches, ms) - 1, 0)
        return (minutes[at] + (ms - stretches[at]) // MINUTE_MS) % DAY_MINUTES

    def weekday_at(self, ms: int) -> int:
        """`weekday_of` for one instant."""
        return (self._numbers[1][self.day_at(ms)] + 6) % 7

    def day_of(self, ms: npt.ArrayLike) -> Ints:
        """Index of the local day of each instant, clipped to the days in view."""
        found = np.searchsorted(self.midnight_ms, np.asarray(ms), side="right") - 1
        return _within(found, len(self.ordinal))

    def minute_of_day(self, ms: npt.ArrayLike) -> Ints:
        """Minutes on the local clock, 0..1439, of instants within the horizon."""
        minutes = (np.asarray(ms, np.int64) - self.start_ms) // MINUTE_MS
        step = _within(minutes // LEDGER_BUCKET_MINUTES, len(self._ahead_min))
        return (minutes + self._ahead_min[step]) % DAY_MINUTES

    @cached_property
    def _ahead_min(self) -> Ints:
        """For each ledger bucket, how far the clock is ahead of the minutes since the horizon began."""
        begins = (self.stretch_ms - self.start_ms) // MINUTE_MS
        lasts = (
            np.diff(np.append(begins, (self.end_ms - self.start_ms) // MINUTE_MS)) // LEDGER_BUCKET_MINUTES
        )
        return np.repeat(self.stretch_minute - begins, lasts)

    def hour_end(self, ms: Ints) -> Ints:
        """When the clock's hour ends at each instant, or the clock is changed in it."""
        which = np.maximum(np.searchsorted(self.stretch_ms, ms, side="right") - 1, 0)
        minute = self.stretch_minute[which] + (ms - self.stretch_ms[which]) // MINUTE_MS
        ends = self.stretch_ms[which] + ((minute // 60 + 1) * 60 - self.stretch_minute[which]) * MINUTE_MS
        changes = np.append(self.stretch_ms[1:], _NEVER_MS)
        return np.asarray(np.minimum(ends, changes[which]))

    def weekday_of(self, ms: npt.ArrayLike) -> Ints:
        """0 = Monday, of instants within the horizon."""
        return (self.ordinal[self.day_of(ms)] + 6) % 7

    @property
    def stretches(self) -> list[Stretch]:
        """The stretches with the weekday of their day (0 = Monday) and the minute at which they end."""
        ends = np.append(self.stretch_ms[1:], self.end_ms)
        weekdays = (self.ordinal[self.stretch_day] + 6) % 7
        closes = self.stretch_minute + (ends - self.stretch_ms) // MINUTE_MS
        columns = (weekdays, self.stretch_ms, self.stretch_minute, closes)
        return list(starmap(Stretch, zip(*(each.tolist() for each in columns), strict=True)))

    def first_bucket(self, ms: Any) -> Any:
        """Ledger bucket that holds each instant, from the start of the horizon."""
        return (ms - self.start_ms) // LEDGER_MS

    def end_bucket(self, ms: Any) -> Any:
        """First ledger bucket at or after each instant: use is rounded outward."""
        return -((self.start_ms - ms) // LEDGER_MS)


def _within(index: Ints, length: int) -> Ints:
    """Each index of a list of so many, or of its nearer end. `np.clip` takes four times as long for a few."""
    return np.asarray(np.minimum(np.maximum(index, 0), length - 1))


def local_day(ms: int, tz: ZoneInfo) -> date:
    """The local calendar day of an instant."""
    return datetime.fromtimestamp(ms / 1000, tz).date()
