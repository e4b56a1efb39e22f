"""A market's tuning: read with every parameter, replaced as a whole."""

from __future__ import annotations

from contracts.codes import Role
from contracts.instants import to_instant
from contracts.tuning import Tuning, TuningUpdate, TuningView, parted
from dispatcher.runtime.clock import Clock
from dispatcher.security.principal import Principal
from dispatcher.service.markets import Markets
from dispatcher.tuning.registry import Registry


class Tunings:
    """They raise NotFound (market), Invalid, Stale, Unavailable."""

    def __init__(self, markets: Markets, clock: Clock, registry: Registry) -> None:
        self.markets, self.clock, self.registry = markets, clock, registry

    async def get(self, who: Principal, market: str) -> TuningView:
        """Every parameter with its value in force, as stored this moment."""
        self.markets.authorize_requests(who, market)
        return self.registry.view(await self.markets.store(market).tuning.get())

    async def put(
        self, who: Principal, market: str, update: TuningUpdate, expected_version: int | None
    ) -> TuningView:
        """Replace all overrides; what is left out goes back to its default. In force within a second."""
        self.markets.authorize_requests(who, market)
        values, lists = parted(self.registry.checked(update.values))
        store = self.markets.store(market).tuning
        before = (await store.get()).version if expected_version is None else expected_version
        tuning = Tuning(
            version=before + 1,
            values=values,
            lists=lists,
            by=who.subject or who.acting_as({Role.OPS}),
            reason=update.reason,
            at=to_instant(self.clock.now_ms()),
        )
        await store.put(tuning, before)
        self.markets.forget_tuning(market)
        return self.registry.view(tuning)
