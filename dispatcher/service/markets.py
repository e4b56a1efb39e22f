"""The markets of this service: who may enter which, their zones, their stores, the tuning in force."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping
from zoneinfo import ZoneInfo

from contracts.tuning import Tuning
from dispatcher.domain.refusals import NotFound
from dispatcher.runtime.cancellation import may_be_left
from dispatcher.runtime.clock import Clock
from dispatcher.security.principal import Principal
from dispatcher.store.market import MarketStore
from dispatcher.store.store import Store

TUNING_AGE_S = 1.0  # how old the tuning in force may be; every match carries the version it was made with


class Markets:
    """`zones` maps each market to its time zone."""

    def __init__(self, store: Store, zones: Mapping[str, ZoneInfo], clock: Clock) -> None:
        self._store, self._clock = store, clock
        self.zones = zones
        for market in zones:
            store.market(market)  # from now on its rights are looked at
        self._tunings: dict[str, tuple[float, Tuning]] = {}
        self._readings: dict[str, asyncio.Task[Tuning]] = {}
        self._silent: set[str] = set()

    def __iter__(self) -> Iterator[str]:
        return iter(self.zones)

    def store(self, market: str) -> MarketStore:
        """What is stored of a market."""
        return self._store.market(market)

    async def tuning(self, market: str) -> Tuning:
        """The tuning in force, at most TUNING_AGE_S old. Hundreds ask in one moment: one of them reads it."""
        until, tuning = self._tunings.get(market, (0.0, None))
        if tuning is not None and time.monotonic() < until:
            return tuning
        if market not in self._readings:
            self._readings[market] = asyncio.create_task(self._read(market))
            may_be_left(self._readings[market])
        return await asyncio.shield(self._readings[market])  # who leaves takes it from nobody else

    async def _read(self, market: str) -> Tuning:
        reading = asyncio.current_task()
        try:
            stored = self.store(market)
            tuning = await stored.tuning.in_force(self._clock.now_ms())
            (self._silent.add if await stored.sending.nothing() else self._silent.discard)(market)
            if self._readings.get(market) is reading:  # else it was changed since
                self._tunings[market] = time.monotonic() + TUNING_AGE_S, tuning
            return tuning
        finally:
            if self._readings.get(market) is reading:
                del self._readings[market]

    def sends_nothing(self, market: str) -> bool:
        """Whether nobody sends notifications there, as it was when the tuning was read."""
        return market in self._silent

    async def refuse_if_lost(self) -> None:
        """See `Store.refuse_if_lost`."""
        await self._store.refuse_if_lost()

    def forget_tuning(self, market: str) -> None:
        """It was changed: read it again."""
        self._tunings.pop(market, None)
        self._readings.pop(market, None)

    def authorize(self, who: Principal, market: str) -> None:
        """Raises NotFound for a market that is not served or not the caller's, in the same words."""
        if market not in self.zones or not who.may_enter(market):
            known = sorted(filter(who.may_enter, self.zones))
            remedy = (
                f"Maybe one of: {', '.join(known)}." if known else "Maybe the token names no market of ours."
            )
            raise NotFound(f"there is no market {market}\n{remedy}", markets=known)

    def authorize_requests(self, who: Principal, market: str) -> None:
        """As `authorize`; and requests are not there for vendors, which have offers, nor for facilities."""
        self.authorize(who, market)
        if who.is_vendor:
            raise NotFound("a vendor has offers and dispatches, no requests\nMaybe read your offers.")
        if who.is_outside:
            raise NotFound("a facility reads no requests\nMaybe ask who submitted them.")
