"""A vendor's scorecard as the matcher sees it: the share of its work of late that went well."""

from __future__ import annotations

from collections.abc import Mapping

from contracts.tuning import Number
from dispatcher.domain.scorecards import months, shares
from dispatcher.store.market import MarketStore


async def read(stored: MarketStore, now_ms: int, values: Mapping[str, Number]) -> Mapping[str, float]:
    """What `solvers/rules/scorecard.py` reads: the share that went well, by vendor."""
    return shares(await stored.scorecards.of(months(now_ms)), values)
