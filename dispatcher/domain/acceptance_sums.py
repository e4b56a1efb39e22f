"""What the answers of some weeks tell of the next ones: what is old, or of before a change, counts less."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from math import exp
from typing import Final, NamedTuple

import numpy as np

from contracts.instants import DAY_MS
from contracts.tuning import Number
from dispatcher.domain.acceptance import DOUBT, HALF_LIFE, LASTS, UNKNOWN, WEIGHT, Count
from solvers.acceptance import CELLS, tables
from solvers.arrays import Floats, Ints
from solvers.regimes import still_tells
from solvers.screening import CLASSES

WEEK_DAYS: Final = 7


class Tally(NamedTuple):
    """The counts of a week as arrays of n: whose, in which cell, how often yes, how often asked."""

    names: tuple[str, ...]
    vendor: Ints  #: place in `names`
    cell: Ints
    yes: Ints
    asked: Ints


class Sums(NamedTuple):
    """How often each of V vendors said yes, and was asked; what tells little counts less."""

    names: tuple[str, ...]
    yes: Floats  #: V x CELLS
    asked: Floats  #: V x CELLS
    lately: Floats  #: V x classes; answers of the last seven days, each in full


def tallied(counts: Iterable[Count]) -> Tally:
    """As arrays."""
    known = tuple(counts)
    names = tuple(dict.fromkeys(each.vendor_id for each in known))
    rows = {name: row for row, name in enumerate(names)}
    columns = [(rows[each.vendor_id], each.cell.place, each.number * each.yes, each.number) for each in known]
    return Tally(names, *np.array(columns, np.int64).reshape(-1, 4).T)


def summed(told: Mapping[str, Tally], now_ms: int, values: Mapping[str, Number]) -> Sums:
    """Of the tallies of some weeks, as they count on the day of this moment."""
    known = sorted(told)
    names = tuple(sorted({name for each in told.values() for name in each.names}))
    rows, weeks = {name: row for row, name in enumerate(names)}, [told[each] for each in known]
    whose = [np.array([rows[name] for name in each.names], np.int64)[each.vendor] for each in weeks]
    fresh = np.array([freshness(each, now_ms, values) for each in known])
    counts = _same_since(whose, weeks, len(names), values) * fresh if names else np.zeros((0, len(known)))
    yes, asked, lately = (np.zeros((len(names), CELLS)) for _ in range(3))
    for nth, (vendor, week) in enumerate(zip(whose, weeks, strict=True)):
        np.add.at(yes, (vendor, week.cell), counts[vendor, nth] * week.yes)
        np.add.at(asked, (vendor, week.cell), counts[vendor, nth] * week.asked)
        np.add.at(lately, (vendor, week.cell), _of_last_days(known[nth], now_ms) * week.asked)
    return Sums(
        names, yes, asked, lately.reshape(len(names), len(CLASSES), CELLS // len(CLASSES)).sum(axis=2)
    )


def _same_since(
    whose: Sequence[Ints], weeks: Sequence[Tally], vendors: int, values: Mapping[str, Number]
) -> Floats:
    """V x weeks; how likely it is that a vendor has been the same from that week on."""
    yes, asked = (
        np.array([np.bincount(who, each, vendors) for who, each in zip(whose, amounts, strict=True)]).T
        for amounts in ([each.yes for each in weeks], [each.asked for each in weeks])
    )
    mean = float((yes.sum() + UNKNOWN.of(values)) / (asked.sum() + 1.0))
    change = 1.0 - exp(-WEEK_DAYS / LASTS.of(values))
    return still_tells(yes, asked, change=change, mean=mean, prior=float(WEIGHT.of(values)))


def expected_of(sums: Sums, values: Mapping[str, Number]) -> dict[str, bytes]:
    """What is expected of each vendor (`solvers.acceptance.tables`); nothing where nobody has answered."""
    if not sums.names:
        return {}
    sure = sums.lately / (sums.lately + DOUBT.of(values)) if DOUBT.of(values) else None
    yes, asked = (dict(zip(sums.names, each, strict=True)) for each in (sums.yes, sums.asked))
    unknown, weight = float(UNKNOWN.of(values)), float(WEIGHT.of(values))
    return tables(yes, asked, unknown=unknown, weight=weight, sure=sure)


def freshness(week: str, now_ms: int, values: Mapping[str, Number]) -> float:
    """How much an answer of that week counts still: by the whole days since the middle of the week, UTC."""
    days = max(0, int(_days_since(week, 4, now_ms)))
    return float(0.5 ** (days / HALF_LIFE.whole(values)))


def _of_last_days(week: str, now_ms: int) -> float:
    """Which share of a week's answers is taken for those of the last seven days."""
    return min(1.0, max(0.0, 2.0 - _days_since(week, 1, now_ms) / WEEK_DAYS))


def _days_since(week: str, weekday: int, now_ms: int) -> float:
    """Since the begin of a day of an ISO week (1: Monday), UTC."""
    begin = datetime.strptime(f"{week}-{weekday} +0000", "%G-W%V-%u %z")
    return (now_ms - int(begin.timestamp() * 1000)) / DAY_MS
