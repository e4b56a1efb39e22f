"""The days in view as one line of time: local days, ledger buckets and clock times from milliseconds.

A day has 276, 288 or 300 ledger buckets (summer time), counted from its local midnight, so that the
ledgers of consecutive days form one gapless line.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from contracts.instants import MINUTE_MS
from contracts.ledger import LEDGER_BUCKET_MINUTES
from solvers.arrays import Ints

LEDGER_MS: Final = LEDGER_BUCKET_MINUTES * MINUTE_MS
_STEP_MS: Final = 30 * MINUTE_MS  # offsets from UTC change on half hours at the finest


@dataclass(frozen=True, eq=False)
class Horizon:
    """D consecutive local days. All arrays int64."""

    midnight_ms: Ints  #: D + 1; local midnights, epoch milliseconds; the last ends the horizon
    ordinal: Ints  #: D; `date.toordinal()`
    offset_ms: Ints  #: offset from UTC for each half hour from the first midnight

    @classmethod
    def of(cls, tz: ZoneInfo, first: date, days: int) -> Horizon:
        """`days` local days of the time zone `tz` from `first`."""
        dates = [first + timedelta(days=n) for n in range(days + 1)]
        midnight_ms = [_midnight_ms(each, tz) for each in dates]
        steps = range(midnight_ms[0], midnight_ms[-1], _STEP_MS)
        offsets = [_offset_ms(step, tz) for step in steps]
        ordinals = [each.toordinal() for each in dates[:-1]]
        return cls(np.array(midnight_ms), np.array(ordinals), np.array(offsets))

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
    def _numbers(self) -> tuple[list[int], list[int], list[int]]:
        """Midnights, ordinals and offsets as Python numbers: for one instant, arrays are slow."""
        return self.midnight_ms.tolist(), self.ordinal.tolist(), self.offset_ms.tolist()

    def day_at(self, ms: int) -> int:
        """`day_of` for one instant."""
        midnights, ordinals, _ = self._numbers
        return min(max(bisect_right(midnights, ms) - 1, 0), len(ordinals) - 1)

    def minute_at(self, ms: int) -> int:
        """`minute_of_day` for one instant."""
        midnights, _, offsets = self._numbers
        step = min(max((ms - midnights[0]) // _STEP_MS, 0), len(offsets) - 1)
        return (ms + offsets[step]) // MINUTE_MS % 1440

    def weekday_at(self, ms: int) -> int:
        """`weekday_of` for one instant."""
        return (self._numbers[1][self.day_at(ms)] + 6) % 7

    def day_of(self, ms: npt.ArrayLike) -> Ints:
        """Index of the local day of each instant, clipped to the days in view."""
        found = np.searchsorted(self.midnight_ms, np.asarray(ms), side="right") - 1
        return np.clip(found, 0, len(self.ordinal) - 1)

    def minute_of_day(self, ms: npt.ArrayLike) -> Ints:
        """Minutes on the local clock, 0..1439, of instants within the horizon."""
        at = np.asarray(ms, np.int64)
        step = np.clip((at - self.start_ms) // _STEP_MS, 0, len(self.offset_ms) - 1)
        return ((at + self.offset_ms[step]) // MINUTE_MS) % 1440

    def weekday_of(self, ms: npt.ArrayLike) -> Ints:
        """0 = Monday, of instants within the horizon."""
        return (self.ordinal[self.day_of(ms)] + 6) % 7

    def minute_of_week(self, ms: npt.ArrayLike) -> Ints:
        """Minutes on the local clock since Monday 0:00."""
        return self.weekday_of(ms) * 1440 + self.minute_of_day(ms)

    def first_bucket(self, ms: Any) -> Any:
        """Ledger bucket that holds each instant, from the start of the horizon."""
        return (ms - self.start_ms) // LEDGER_MS

    def end_bucket(self, ms: Any) -> Any:
        """First ledger bucket at or after each instant: use is rounded outward."""
        return -((self.start_ms - ms) // LEDGER_MS)


def local_day(ms: int, tz: ZoneInfo) -> date:
    """The local calendar day of an instant."""
    return datetime.fromtimestamp(ms / 1000, tz).date()


def _midnight_ms(day: date, tz: ZoneInfo) -> int:
    return round(datetime(day.year, day.month, day.day, tzinfo=tz).timestamp() * 1000)


def _offset_ms(at_ms: int, tz: ZoneInfo) -> int:
    offset = datetime.fromtimestamp(at_ms / 1000, tz).utcoffset()
    return round(offset.total_seconds() * 1000) if offset else 0
