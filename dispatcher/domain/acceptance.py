"""How vendors answered offers, by week, and what that says of the next ones; what is old counts less."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec
import numpy as np

from contracts.instants import DAY_MS, to_instant
from contracts.tuning import Number, Parameter
from solvers.acceptance import CELLS, Cell, tables
from solvers.arrays import Floats

UNKNOWN = Parameter(
    name="acceptance_unknown",
    default=0.89,
    minimum=0.05,
    maximum=0.99,
    unit="share",
    summary="Share of its offers that a vendor is expected to accept where nobody's answers are known.",
    scope="domain.acceptance",
)
HALF_LIFE = Parameter(
    name="acceptance_half_life_days",
    default=7,
    minimum=1,
    maximum=90,
    unit="days",
    summary="An answer counts half as much after this long, when it is expected who accepts an offer.",
    scope="domain.acceptance",
)
WEIGHT = Parameter(
    name="acceptance_prior_answers",
    default=10,
    minimum=1,
    maximum=1_000,
    unit="answers",
    summary="A vendor's own answers count as much as those of its market once there are so many; those to "
    "just such offers, beside all its own, once there are four times as many.",
    scope="domain.acceptance",
)
PARAMETERS = (UNKNOWN, HALF_LIFE, WEIGHT)
WEEKS = 14  # that are read, this one among them; kept a little longer


class Answer(msgspec.Struct, frozen=True):
    """One vendor's answer to one offer; nothing of a patient, no request's id. `week`: `2026-W10`, UTC."""

    vendor_id: str
    week: str
    cell: Cell
    yes: bool


class Count(msgspec.Struct, frozen=True):
    """How often a vendor's answer in one cell was yes, or no, in a week."""

    vendor_id: str
    cell: Cell
    yes: bool
    number: int


def week_of(at_ms: int) -> str:
    """The ISO week of a moment, UTC."""
    return f"{to_instant(at_ms):%G-W%V}"


def weeks(now_ms: int) -> tuple[str, ...]:
    """The weeks that count, this one first."""
    now = to_instant(now_ms)
    return tuple(f"{now - timedelta(weeks=back):%G-W%V}" for back in range(WEEKS))


class Sums(NamedTuple):
    """How often each vendor said yes, and was asked, by cell (`CELLS`); what is old counts less."""

    yes: dict[str, Floats]
    asked: dict[str, Floats]

    def __add__(self, more: Sums) -> Sums:  # type: ignore[override]
        """Both together."""
        return Sums(_added(self.yes, more.yes), _added(self.asked, more.asked))


def _added(some: Mapping[str, Floats], more: Mapping[str, Floats]) -> dict[str, Floats]:
    both = {**some, **more}
    return {name: some[name] + more[name] if name in some and name in more else both[name] for name in both}


def summed(counted: Mapping[str, Iterable[Count]], now_ms: int, values: Mapping[str, Number]) -> Sums:
    """Counts of some weeks as they count on the day of this moment."""
    sums = Sums({}, {})
    for week, counts in counted.items():
        fresh = freshness(week, now_ms, values)
        for each in counts:
            if each.vendor_id not in sums.asked:
                sums.yes[each.vendor_id], sums.asked[each.vendor_id] = np.zeros(CELLS), np.zeros(CELLS)
            sums.asked[each.vendor_id][each.cell.place] += fresh * each.number
            sums.yes[each.vendor_id][each.cell.place] += fresh * each.number * each.yes
    return sums


def expected_of(sums: Sums, values: Mapping[str, Number]) -> dict[str, bytes]:
    """What is expected of each vendor (`solvers.acceptance.tables`); nothing where nobody has answered."""
    if not sums.asked:
        return {}
    unknown, weight = float(UNKNOWN.of(values)), float(WEIGHT.of(values))
    return tables(sums.yes, sums.asked, unknown=unknown, weight=weight)


def freshness(week: str, now_ms: int, values: Mapping[str, Number]) -> float:
    """How much an answer of that week counts still: by the whole days since the middle of the week, UTC."""
    middle = datetime.strptime(f"{week}-4 +0000", "%G-W%V-%u %z")
    days = max(0, (now_ms - int(middle.timestamp() * 1000)) // DAY_MS)
    return float(0.5 ** (days / HALF_LIFE.whole(values)))
