"""How the parts of one market do, in one answer for ops; what cannot be read is left out and named."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping

from contracts.instants import to_instant
from contracts.market_health import MarketHealth
from dispatcher.runtime.clock import Clock
from dispatcher.security.principal import Principal
from dispatcher.service.clocks import wrong_clocks
from dispatcher.service.loops import TROUBLES
from dispatcher.service.markets import Markets
from dispatcher.store.connection import StoreError
from dispatcher.store.market import MarketStore
from dispatcher.store.market_health import of_server, standing
from dispatcher.store.pulse import Pulse, of_workers
from dispatcher.store.store import Store

NONE = Pulse(None, None)
KEEP_S = 1.0  # real: so old may it be, however many look


class MarketHealths:
    """It raises NotFound (market) and Unavailable: the console then says that the store does not answer."""

    def __init__(self, store: Store, markets: Markets, clock: Clock) -> None:
        self.store, self.markets, self.clock = store, markets, clock
        self._found: dict[str, tuple[float, MarketHealth]] = {}

    async def read(self, who: Principal, market: str) -> MarketHealth:
        """As it is now, or was a second ago; for those whose role reads it (`http.market_health`)."""
        self.markets.authorize(who, market)
        until_s, found = self._found.get(market, (0.0, None))
        if found is None or time.monotonic() >= until_s:
            found = await self._read(market)
            self._found[market] = time.monotonic() + KEEP_S, found
        return found

    async def _read(self, market: str) -> MarketHealth:
        stored, now_ms = self.markets.store(market), self.clock.now_ms()
        found = await standing(stored.node, stored.keys, now_ms)
        server = await of_server(stored.node, stored.keys, await self.store.health_of(market))
        pulse, (waiting, first_ms), (troubles, counts) = await asyncio.gather(
            _pulse(stored), _waiting(stored), _troubles(stored)
        )
        return MarketHealth(
            at=to_instant(now_ms),
            owner=found.owner,
            fence=found.fence,
            held_s=pulse.held_s,
            batch_age_s=pulse.batch_age_s,
            waiting=waiting,
            oldest_s=max(0, now_ms - first_ms) / 1000 if first_ms else 0.0,
            **of_workers(pulse.workers),
            matchers=found.matchers,
            totals=found.totals,
            queues=found.queues,
            store=server,
            notifications=found.notifications,
            dead_letters=found.dead_letters,
            troubles=dict(troubles) | wrong_clocks(self.store.agreement.clocks(market)),
            counts=dict(counts),
            strange=tuple(found.strange),
        )


async def _pulse(stored: MarketStore) -> Pulse:
    with contextlib.suppress(StoreError, ValueError):
        return await stored.pulse.read()
    return NONE


async def _waiting(stored: MarketStore) -> tuple[int, int]:
    with contextlib.suppress(StoreError, ValueError):
        return await stored.requests.waiting()
    return 0, 0


async def _troubles(stored: MarketStore) -> tuple[Mapping[str, str], Mapping[str, int]]:
    now: Mapping[str, str] = {}
    counts: Mapping[str, int] = {}
    with contextlib.suppress(StoreError, ValueError):
        now = await stored.troubles.now(TROUBLES)
    with contextlib.suppress(StoreError, ValueError):
        counts = await stored.troubles.counts()
    return now, counts
