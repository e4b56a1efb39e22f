"""How likely each vendor is to take an offer, as the matcher sees it."""

from __future__ import annotations

from collections.abc import Mapping

from contracts.tuning import Number
from dispatcher.store.market import MarketStore


async def read(stored: MarketStore, now_ms: int, values: Mapping[str, Number]) -> Mapping[str, bytes]:
    """What `solvers/rules/acceptance.py` reads; asked of the store four times an hour at the most."""
    return await stored.acceptance.expected(now_ms, values)
