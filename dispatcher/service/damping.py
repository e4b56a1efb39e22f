"""Vendors' scorecards as they enter matching: the share of each one's work that is taken to go well."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple
from weakref import WeakKeyDictionary

from contracts.instants import to_instant
from contracts.tuning import Number
from dispatcher.domain.damping import Sums, days_that_count, shares_of, summed, works_of
from dispatcher.domain.scorecards import days_until, months
from dispatcher.store.market import MarketStore
from dispatcher.store.scorecards import DayCounts


class _Known(NamedTuple):
    """The days before the last, summed for one day under one tuning; what they were, by identity."""

    days: tuple[DayCounts, ...]
    rest: tuple[date, Mapping[str, Number]]
    sums: Sums


_KNOWN: WeakKeyDictionary[MarketStore, _Known] = WeakKeyDictionary()  # a matcher asks before each batch


async def read(stored: MarketStore, now_ms: int, values: Mapping[str, Number]) -> Mapping[str, float]:
    """What `solvers/rules/scorecard.py` reads: the damped share, by vendor, and of all others.

    What was counted by month, before days were, counts as if all of it were of the month's first day.
    """
    today = to_instant(now_ms).date()
    found = dict(await stored.scorecards.days(days_until(now_ms, days_that_count(values))))
    last = found.pop(today.isoformat(), {})
    sums = _summed(stored, found, today, values)
    for month, counts in (await stored.scorecards.by_month(months(now_ms))).items():
        sums = summed({date.fromisoformat(f"{month}-01"): works_of(counts)}, today, values, sums)
    return shares_of(summed({today: works_of(last)}, today, values, sums), values)


def _summed(
    stored: MarketStore, counts: Mapping[str, DayCounts], today: date, values: Mapping[str, Number]
) -> Sums:
    """Of the days that are over: what is counted on them changes seldom."""
    known, days, rest = _KNOWN.get(stored), tuple(counts.values()), (today, values)
    same = known is not None and known.rest == rest and len(known.days) == len(days)
    if known is not None and same and all(a is b for a, b in zip(known.days, days, strict=True)):
        return known.sums
    works = {date.fromisoformat(day): works_of(each) for day, each in counts.items()}
    sums = summed(works, today, values)
    _KNOWN[stored] = _Known(days, rest, sums)
    return sums
