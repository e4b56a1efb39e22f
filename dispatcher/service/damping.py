"""Vendors' scorecards as they enter matching: the share of each one's work that is taken to go well."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import date
from typing import Final, NamedTuple
from weakref import WeakKeyDictionary

from contracts.instants import to_instant
from contracts.scorecards import MatchingScore
from contracts.tuning import Number
from dispatcher.domain.damping import (
    MOST,
    DayWork,
    Sums,
    days_that_count,
    penalties,
    shares_of,
    summed,
    works_of,
)
from dispatcher.domain.scorecards import days_until, months
from dispatcher.store.market import MarketStore
from dispatcher.store.scorecards import DayCounts
from solvers.screening import ALL_OTHERS


class _Known(NamedTuple):
    """The days before the last, summed for one day under one tuning; what they were, by identity."""

    days: Mapping[str, tuple[DayCounts, Mapping[str, DayWork]]]
    rest: tuple[date, Mapping[str, Number]]
    sums: Sums


_NOTHING: Final = _Known({}, (date.min, {}), {})
_KNOWN: WeakKeyDictionary[MarketStore, _Known] = WeakKeyDictionary()  # a matcher asks before each batch


async def read(stored: MarketStore, now_ms: int, values: Mapping[str, Number]) -> Mapping[str, float]:
    """What `solvers/rules/scorecard.py` reads: the damped share, by vendor, and of all others.

    What was counted by month, before days were, counts as if all of it were of the month's first day.
    """
    today = to_instant(now_ms).date()
    found = dict(await stored.scorecards.days(days_until(now_ms, days_that_count(values))))
    last = found.pop(today.isoformat(), {})
    sums = await _summed(stored, found, today, values)
    for month, counts in (await stored.scorecards.by_month(months(now_ms))).items():
        sums = summed({date.fromisoformat(f"{month}-01"): works_of(counts)}, today, values, sums)
    return shares_of(summed({today: works_of(last)}, today, values, sums), values)


async def told(
    stored: MarketStore, vendor_id: str, now_ms: int, values: Mapping[str, Number]
) -> MatchingScore | None:
    """As its vendor and ops read it; None where nobody's work is known."""
    shares = await read(stored, now_ms, values)
    if not shares:
        return None
    market, own = shares[ALL_OTHERS], shares.get(vendor_id, shares[ALL_OTHERS])
    cents = penalties({"own": own, "market": market}, values)
    return MatchingScore(
        share=round(own, 4),
        market_share=round(market, 4),
        cents=cents["own"],
        market_cents=cents["market"],
        most_cents=MOST.whole(values),
    )


async def _summed(
    stored: MarketStore, counts: Mapping[str, DayCounts], today: date, values: Mapping[str, Number]
) -> Sums:
    """Of the days that are over, on which little is counted any more: each is worked out when it changes."""
    known, days = _KNOWN.get(stored, _NOTHING), dict[str, tuple[DayCounts, Mapping[str, DayWork]]]()
    for day, each in counts.items():
        before = known.days.get(day)
        if before is not None and before[0] is each:
            days[day] = before
        else:
            days[day] = each, works_of(each)
            await asyncio.sleep(0)  # of a large market some 10 ms each: others have their turn
    same = known.rest == (today, values) and known.days.keys() == days.keys()
    if same and all(known.days[day] is each for day, each in days.items()):
        return known.sums
    sums = summed({date.fromisoformat(day): works for day, (_, works) in days.items()}, today, values)
    _KNOWN[stored] = _Known(days, (today, values), sums)
    return sums
