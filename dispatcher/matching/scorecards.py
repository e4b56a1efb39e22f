"""A vendor's scorecard as the matcher sees it: the share of its work of late that went well."""

from __future__ import annotations

from collections.abc import Mapping

from contracts.tuning import Number, Parameter
from dispatcher.domain.instants import to_instant
from dispatcher.domain.scorecards import month_of
from dispatcher.store.store import Store
from dispatcher.store.vendors import Marks

LEAST = Parameter(
    name="scorecard_least_works",
    default=20,
    minimum=1,
    maximum=1_000,
    unit="works",
    summary="A vendor's scorecard counts from so many pieces of work on; before, it is unknown.",
    scope="matching.scorecards",
)
PARAMETERS = (LEAST,)


def months(now_ms: int) -> tuple[str, str]:
    """This month and the one before: one bad day is forgotten, a bad month is not."""
    first = to_instant(now_ms).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    before_ms = int(first.timestamp() * 1000) - 1
    return month_of(before_ms), month_of(now_ms)


async def read(store: Store, market: str, now_ms: int, values: Mapping[str, Number]) -> Mapping[str, float]:
    """What `solvers/rules/scorecard.py` reads: the share that went well, by vendor."""
    return shares(await store.marks(market, months(now_ms)), values)


def shares(marks: Mapping[str, Marks], values: Mapping[str, Number]) -> dict[str, float]:
    """The share that went well, 0..1, of each vendor with work enough to tell."""
    least = LEAST.whole(values)
    return {vendor: each.well / sum(each) for vendor, each in marks.items() if sum(each) >= least}
