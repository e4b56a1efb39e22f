"""The shadow of a market: ops sets its candidate and takes it away; what was found the matcher writes."""

from __future__ import annotations

from collections.abc import Sequence

from contracts.codes import Role
from contracts.instants import to_instant
from contracts.tuning_shadow import Shadow, ShadowFound, ShadowHeld, ShadowUpdate, ShadowView
from dispatcher.domain.refusals import NotFound
from dispatcher.runtime.clock import Clock
from dispatcher.security.principal import Principal
from dispatcher.service.acts import Acts
from dispatcher.service.markets import Markets
from dispatcher.service.removals import answered, noted
from dispatcher.service.what_ifs import cited
from dispatcher.store.codec import Versioned
from dispatcher.tuning.registry import Registry
from dispatcher.tuning.shadow import refuse_unseen, unseen


class TuningShadow:
    """They raise NotFound (market, shadow), Invalid, Stale, Unreadable, Unavailable."""

    def __init__(self, markets: Markets, clock: Clock, registry: Registry, acts: Acts) -> None:
        self.markets, self.clock, self.registry, self.acts = markets, clock, registry, acts

    async def view(self, who: Principal, market: str) -> ShadowView:
        """The candidate and what was found so far."""
        self.markets.authorize_requests(who, market)
        return await self._view(market, await self.markets.store(market).tuning_shadow.get())

    async def put(
        self, who: Principal, market: str, update: ShadowUpdate, expected_version: int
    ) -> ShadowView:
        """Let a candidate plan beside what is in force, from the next batch on; in place of another."""
        self.markets.authorize_requests(who, market)
        stored = self.markets.store(market)
        values = self.registry.checked(update.values)
        refuse_unseen(self.registry.changes((await stored.tuning.get()).overrides, values))
        shadow = Shadow(
            values=values,
            by=who.subject or who.acting_as({Role.OPS}),
            reason=update.reason,
            at=to_instant(self.clock.now_ms()),
            what_if=await cited(stored.what_ifs, update.what_if),
        )
        held = ShadowHeld(shadow=shadow)
        entry = await self.acts.entry(who, market, "set_shadow", "tuning", "shadow", reason=update.reason)
        version = await stored.tuning_shadow.put(held, expected_version, entry)
        return await self._view(market, Versioned(version, held))

    async def delete(self, who: Principal, market: str, expected_version: int) -> ShadowView:
        """Take the candidate away; what was found of it can still be read, until there is another."""
        self.markets.authorize_requests(who, market)
        part = self.markets.store(market).tuning_shadow
        if (await part.get()).value.shadow is None:
            raise NotFound("there is no shadow\nMaybe it was taken away already.")
        entry = await self.acts.entry(who, market, "end_shadow", "tuning", "shadow")
        also = noted(self.markets.store(market).keys, who, "tuning shadow", expected_version)
        version = await part.put(ShadowHeld(), expected_version, entry, also)
        return await self._view(market, Versioned(version, ShadowHeld()))

    async def deleted(self, who: Principal, market: str, versions: Sequence[int]) -> ShadowView | None:
        """As it is now, if this caller took it away at one of these versions; None: it did not."""
        self.markets.authorize_requests(who, market)
        told = await answered(self.markets.store(market), who, "tuning shadow", versions)
        return None if told is None else await self.view(who, market)

    async def _view(self, market: str, held: Versioned[ShadowHeld]) -> ShadowView:
        stored, shadow = self.markets.store(market), held.value.shadow
        found = (await stored.tuning_shadow_found.get()).value
        if shadow is None:
            return ShadowView(version=held.version, found=found)
        changes = self.registry.changes((await stored.tuning.get()).overrides, shadow.values)
        return ShadowView(
            version=held.version,
            shadow=shadow,
            changes=tuple(changes),
            unseen=unseen(changes),
            found=found if found.of == held.version else ShadowFound(of=held.version),
        )
