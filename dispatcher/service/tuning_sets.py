"""Saved sets of tuning, and sliders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from msgspec.structs import replace

from contracts.codes import Role
from contracts.instants import to_instant
from contracts.tuning import Value
from contracts.tuning_sets import (
    MOST_SETS,
    MovedSliders,
    MoveSliders,
    SavedSet,
    SavedSets,
    SetUpdate,
    Sliders,
)
from dispatcher.domain.decision import Decision
from dispatcher.domain.refusals import Invalid, NotFound, Stale
from dispatcher.runtime.clock import Clock
from dispatcher.security.principal import Principal
from dispatcher.service.acts import Acts
from dispatcher.service.execute import ATTEMPTS, too_busy
from dispatcher.service.markets import Markets
from dispatcher.service.removals import Also, answered, noted
from dispatcher.store.vendors import stale
from dispatcher.tuning.registry import Registry


class TuningSets:
    """They raise NotFound (market, set), Invalid, Stale, Unreadable, Unavailable."""

    def __init__(self, markets: Markets, clock: Clock, registry: Registry, acts: Acts) -> None:
        self.markets, self.clock, self.registry, self.acts = markets, clock, registry, acts

    async def all(self, who: Principal, market: str) -> SavedSets:
        """All sets of the market, by name."""
        self.markets.authorize_requests(who, market)
        return (await self.markets.store(market).tuning_sets.get()).value

    async def get(self, who: Principal, market: str, name: str) -> SavedSet:
        """One set."""
        found = {each.name: each for each in (await self.all(who, market)).sets}
        if name not in found:
            known = ", ".join(found) or "there is none yet"
            raise NotFound(f"there is no saved set {name}\nMaybe one of: {known}.")
        return found[name]

    async def put(
        self, who: Principal, market: str, name: str, update: SetUpdate, expected_version: int
    ) -> SavedSet:
        """Save a set, over the version that is expected (0: it is new)."""
        self.markets.authorize_requests(who, market)
        values = self.registry.checked(self.registry.sliders.moved(self.checked(update.values), update.steps))
        saved = SavedSet(
            name=name,
            version=expected_version + 1,
            values=values,
            about=update.about,
            by=who.subject or who.acting_as({Role.OPS}),
            at=to_instant(self.clock.now_ms()),
        )
        entry = await self.acts.entry(who, market, "save_set", "tuning", name, reason=update.about)
        return await self._write(market, name, saved, expected_version, entry) or saved

    async def delete(self, who: Principal, market: str, name: str, expected_version: int) -> SavedSet:
        """Forget a set; it is told once more. A profile or a version that was made of it stays."""
        found = await self.get(who, market, name)
        entry = await self.acts.entry(who, market, "delete_set", "tuning", name)
        told = msgspec.msgpack.encode(found)
        also = noted(self.markets.store(market).keys, who, f"tuning set {name}", expected_version, told)
        await self._write(market, name, None, expected_version, entry, also=also)
        return found

    async def deleted(
        self, who: Principal, market: str, name: str, versions: Sequence[int]
    ) -> SavedSet | None:
        """The set that this caller deleted at one of these versions, as it was told; None: it did not."""
        self.markets.authorize_requests(who, market)
        told = await answered(self.markets.store(market), who, f"tuning set {name}", versions)
        return None if told is None else msgspec.msgpack.decode(told, type=SavedSet)

    async def sliders(self, who: Principal, market: str) -> Sliders:
        """All sliders, each where the tuning that stands has it."""
        values = await self._standing(who, market)
        return Sliders(sliders=self.registry.sliders.views(values))

    async def move(self, who: Principal, market: str, body: MoveSliders) -> MovedSliders:
        """What moved sliders make of overrides; nothing is stored."""
        standing = await self._standing(who, market)
        values = standing if body.values is None else self.checked(body.values)
        moved = self.registry.checked(self.registry.sliders.moved(values, body.steps))
        changes = self.registry.changes(standing, moved)
        return MovedSliders(values=moved, changes=tuple(changes), sliders=self.registry.sliders.views(moved))

    def checked(self, values: Mapping[str, Value]) -> dict[str, Value]:
        """See `Registry.checked`."""
        return self.registry.checked(values)

    async def _standing(self, who: Principal, market: str) -> Mapping[str, Value]:
        self.markets.authorize_requests(who, market)
        return (await self.markets.store(market).tuning.get()).overrides

    async def _write(
        self,
        market: str,
        name: str,
        saved: SavedSet | None,
        expected_version: int,
        entry: Decision,
        *,
        also: Also | None = None,
    ) -> SavedSet | None:
        """Over the version of the set that is expected; other sets may change meanwhile. As it is saved.

        A new one begins above all versions that a set of this name ever had: who still means one that was
        deleted changes nothing.
        """
        part = self.markets.store(market).tuning_sets
        for _ in range(ATTEMPTS):
            version, held, _ = await part.get()
            found = {each.name: each for each in held.sets}
            if (found[name].version if name in found else 0) != expected_version:
                raise stale(f"saved set {name}", expected_version)
            found.pop(name, None)
            if saved is not None:
                found[name] = saved = saved if expected_version else replace(saved, version=version + 1)
            if len(found) > MOST_SETS:
                raise Invalid(f"there are {MOST_SETS} saved sets already\nMaybe delete one that nobody uses.")
            try:
                left = SavedSets(sets=tuple(found[each] for each in sorted(found)))
                await part.put(left, version, entry, also)
            except Stale:  # somebody saved another meanwhile: read again
                continue
            return saved
        raise too_busy("the saved sets")
