"""The matchers of all markets of one process, over one service and one pool of solver processes."""

from __future__ import annotations

import asyncio

from dispatcher.matching.market import Market
from dispatcher.matching.matcher import Matcher
from dispatcher.matching.solving import SolverPool
from dispatcher.service.service import Service
from solvers.travel import DetourTravel, TravelOf


async def run_matchers(
    service: Service, solvers: SolverPool, owner: str, *, travel_of: TravelOf = DetourTravel.of
) -> None:
    """Match all markets until cancelled; each goes on when another fails. `owner` names us in leases."""
    store, clock = service.store, service.clock
    async with asyncio.TaskGroup() as group:
        for name, tz in service.markets.zones.items():
            market = Market(name, tz, store, clock, travel_of)
            group.create_task(Matcher(market, service.executor, solvers, owner).run())
