"""The matchers of all markets of one process, over one store and one pool of solver processes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from zoneinfo import ZoneInfo

from dispatcher.matching.market import Market
from dispatcher.matching.matcher import Matcher
from dispatcher.matching.solvers import Solvers
from dispatcher.runtime.clock import Clock
from dispatcher.service.machinery import Machinery
from dispatcher.store.store import Store
from dispatcher.tuning.registry import Registry
from solvers.travel import DetourTravel, TravelOf


async def run_matchers(
    store: Store,
    clock: Clock,
    markets: Mapping[str, ZoneInfo],
    solvers: Solvers,
    owner: str,
    *,
    travel_of: TravelOf = DetourTravel.of,
) -> None:
    """Match all markets until cancelled; each goes on when another fails. `owner` names us in leases."""
    service = Machinery(store, clock, markets, Registry.found())
    async with asyncio.TaskGroup() as group:
        for name, tz in markets.items():
            matcher = Matcher(Market(name, tz, store, clock, travel_of), service, solvers, owner)
            group.create_task(matcher.run())
