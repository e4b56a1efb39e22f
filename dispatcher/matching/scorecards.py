"""A vendor's scorecard as the matcher sees it: the share of its work of late that went well."""

from __future__ import annotations

from collections.abc import Mapping

from contracts.instants import to_instant
from contracts.tuning import Number, Parameter
from dispatcher.domain.scorecards import BLAMELESS, Outcome, month_of
from dispatcher.store.market import MarketStore
from dispatcher.store.scorecards import Scorecard

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
BADLY = (Outcome.DECLINED, Outcome.EXPIRED, Outcome.TURNED_BACK, Outcome.LATE, Outcome.FAILED)


def months(now_ms: int) -> tuple[str, str]:
    """This month and the one before: one bad day is forgotten, a bad month is not."""
    first = to_instant(now_ms).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    before_ms = int(first.timestamp() * 1000) - 1
    return month_of(before_ms), month_of(now_ms)


async def read(stored: MarketStore, now_ms: int, values: Mapping[str, Number]) -> Mapping[str, float]:
    """What `solvers/rules/scorecard.py` reads: the share that went well, by vendor."""
    return shares(await stored.scorecards.of(months(now_ms)), values)


def shares(scorecards: Mapping[str, Scorecard], values: Mapping[str, Number]) -> dict[str, float]:
    """The share that went well, 0..1, of each vendor with work enough to tell.

    Well: done on time, or the patient was not there. What was declined for a reason that is the request's,
    the data's or the weather's counts for nobody; nor does an acceptance, whose work is still to come, nor
    work that was done early by its end alone.
    """
    found = {}
    for vendor, card in scorecards.items():
        well = card[Outcome.ON_TIME] + card[Outcome.NO_SHOW]
        blameless = sum(card[f"{Outcome.DECLINED}.{code}"] for code in BLAMELESS)
        badly = sum(card[each] for each in BADLY) - blameless
        if well + badly >= LEAST.whole(values):
            found[vendor] = well / (well + badly)
    return found
