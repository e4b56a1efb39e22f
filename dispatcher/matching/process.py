"""The matchers of all markets of one process, over one service and one pool of solver processes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from types import MappingProxyType

from dispatcher.matching.arrivals import Arrivals
from dispatcher.matching.market import Market
from dispatcher.matching.matcher import Matcher
from dispatcher.matching.saving import Keeps
from dispatcher.matching.shadow import Shadow
from dispatcher.matching.share import Share
from dispatcher.matching.solvers import Solvers
from dispatcher.service.loops import MATCHING, Troubles
from dispatcher.service.service import Service
from solvers.travel import DetourTravel, TravelOf

KNOWN_FOR_S = 5.0  # real: scorecards and the like, much to read, where batches follow each other fast


async def run_matchers(
    service: Service,
    solvers: Solvers,
    owner: str,
    *,
    travel_of: TravelOf = DetourTravel.of,
    savers: Mapping[str, Keeps] = MappingProxyType({}),
    busy: Callable[[], bool] = lambda: False,
    arrivals: Arrivals | None = None,
) -> None:
    """Match all markets until cancelled; each goes on when another fails. `owner` names us in leases.

    `savers`, by market, keep what is decided. Where other processes serve the same markets, this one holds
    its share of them. `busy`: whether anything is solved that counts: shadows wait meanwhile, and while many
    requests come: `arrivals` hears of each.
    """
    store, stored = service.store, {name: service.store.market(name) for name in service.markets.zones}
    share = Share({name: each.matchers for name, each in stored.items()}, owner, store.has_wrong_clock)
    arrivals = arrivals or Arrivals()
    shadows = {name: Shadow(each, service.clock, busy, hot=arrivals.hot) for name, each in stored.items()}
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(share.run())
            for name, tz in service.markets.zones.items():
                saver, shadow = savers.get(name), shadows[name]
                market = Market(
                    stored[name],
                    tz,
                    service.clock,
                    travel_of,
                    saver=saver,
                    shadow=shadow,
                    known_for_s=KNOWN_FOR_S,
                )
                matcher = Matcher(market, service.executor, solvers, owner, share=share, arrivals=arrivals)
                matcher.troubles = Troubles(store, name, MATCHING)
                group.create_task(matcher.run())
    finally:
        await asyncio.gather(*(each.aclose() for each in shadows.values()))
