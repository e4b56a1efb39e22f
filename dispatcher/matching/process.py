"""The matchers of all markets of one process, over one service and one pool of solver processes."""

from __future__ import annotations

import asyncio

from dispatcher.matching.market import Market
from dispatcher.matching.matcher import Matcher
from dispatcher.matching.solvers import Solvers
from dispatcher.service.loops import MATCHING, Troubles
from dispatcher.service.service import Service
from solvers.travel import DetourTravel, TravelOf


async def run_matchers(
    service: Service, solvers: Solvers, owner: str, *, travel_of: TravelOf = DetourTravel.of
) -> None:
    """Match all markets until cancelled; each goes on when another fails. `owner` names us in leases."""
    async with asyncio.TaskGroup() as group:
        for name, tz in service.markets.zones.items():
            market = Market(service.store.market(name), tz, service.clock, travel_of)
            troubles = Troubles(service.store, name, MATCHING)
            group.create_task(Matcher(market, service.executor, solvers, owner, troubles=troubles).run())
