"""A market's tuning: read with every parameter, replaced as a whole; its versions, listed, brought back."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping

from msgspec.structs import replace

from contracts.codes import Role
from contracts.instants import to_instant
from contracts.tuning import Made, Tuning, TuningUpdate, TuningView, Value, parted
from contracts.tuning_parameters import MeasureState, Measuring, ParameterPage, ParameterTold
from contracts.tuning_versions import (
    KEPT_VERSIONS,
    Restore,
    TuningDiff,
    TuningVersion,
    TuningVersions,
    VersionQuery,
)
from dispatcher.domain.refusals import NotFound, Stale, Unreadable
from dispatcher.runtime.clock import Clock
from dispatcher.security.principal import Principal
from dispatcher.service.execute import ATTEMPTS, too_busy
from dispatcher.service.markets import Markets
from dispatcher.service.what_ifs import cited
from dispatcher.tuning.readers import read_by
from dispatcher.tuning.registry import Registry


class Tunings:
    """They raise NotFound (market, version), Invalid, Stale, Unreadable, Unavailable."""

    def __init__(self, markets: Markets, clock: Clock, registry: Registry) -> None:
        self.markets, self.clock, self.registry = markets, clock, registry

    async def get(self, who: Principal, market: str) -> TuningView:
        """Every parameter with its value as stored; and which version decides this moment."""
        self.markets.authorize_requests(who, market)
        part = self.markets.store(market).tuning
        view = self.registry.view(await part.get())
        return replace(view, in_force=(await part.in_force(self.clock.now_ms())).version)

    async def put(
        self, who: Principal, market: str, update: TuningUpdate, expected_version: int | None
    ) -> TuningView:
        """Replace all overrides; what is left out goes back to its default. In force within a second."""
        self.markets.authorize_requests(who, market)
        values = self.registry.checked(update.values)
        store = self.markets.store(market)
        what_if = await cited(store.what_ifs, update.what_if)
        before = (await store.tuning.get()).version if expected_version is None else expected_version
        made = self.signed(who, values, update.reason, what_if)
        return await self._put(market, replace(made, version=before + 1), before)

    async def restore(
        self, who: Principal, market: str, number: int, body: Restore, expected_version: int
    ) -> TuningView:
        """The values of an earlier version, as a new one. Raises Invalid where they are out of bounds now."""
        found = await self._version(who, market, number)
        values = self.registry.checked(found.overrides)
        what_if = await cited(self.markets.store(market).what_ifs, body.what_if)
        made = self.signed(who, values, body.reason, what_if)
        tuning = replace(made, version=expected_version + 1, made=Made.RESTORED, source=str(number))
        return await self._put(market, tuning, expected_version)

    async def versions(self, who: Principal, market: str, query: VersionQuery) -> TuningVersions:
        """Versions that are kept, the newest first."""
        self.markets.authorize_requests(who, market)
        current = await self.current(market)
        first = min(current, query.before - 1) if query.before else current
        oldest = max(0, current - KEPT_VERSIONS)
        last = max(oldest, first - query.limit)
        store = self.markets.store(market).tuning
        found = {each.version: each for each in await store.kept(range(max(0, last), first + 1))}
        shown = [each for number, each in sorted(found.items(), reverse=True) if number > last]
        page = tuple(self._shown(each, found.get(each.version - 1)) for each in shown)
        return TuningVersions(current=current, versions=page, next=last + 1 if last > oldest else None)

    async def version(self, who: Principal, market: str, number: int) -> TuningView:
        """One version: what it set, and of every other parameter the default as it is now."""
        return self.registry.view(await self._version(who, market, number))

    async def diff(self, who: Principal, market: str, number: int, to: int | None) -> TuningDiff:
        """What changes from a version to another, or to the one that stands."""
        before = await self._version(who, market, number)
        after = await self._version(who, market, to) if to else await self.markets.store(market).tuning.get()
        changes = self.registry.changes(before.overrides, after.overrides)
        return TuningDiff(before=before.version, after=after.version, changes=tuple(changes))

    async def measure(self, who: Principal, market: str) -> Measuring:
        """Have the effects measured now; as it stands where that was asked already, by whomever."""
        self.markets.authorize_requests(who, market)
        part = self.markets.store(market).tuning_measuring
        for _ in range(ATTEMPTS):
            held = await part.get()
            if not held.value.is_over:
                return _shown(held.value)
            by, now = who.subject or who.acting_as({Role.OPS}), to_instant(self.clock.now_ms())
            asked = Measuring(state=MeasureState.QUEUED, by=by, asked_at=now)
            with contextlib.suppress(Stale):  # another asked at the same moment
                await part.put(asked, held.version)
                return asked
        raise too_busy("the measuring of effects")

    async def parameters(self, who: Principal, market: str) -> ParameterPage:
        """Every parameter: as declared, its value, where it is read, what nudging it would have moved."""
        view = await self.get(who, market)
        measured = (await self.markets.store(market).tuning_effects.get()).value
        read, effects = await asyncio.to_thread(read_by), {each.name: each for each in measured.effects}
        return ParameterPage(
            version=view.version,
            day=measured.day,
            measured_at=measured.measured_at,
            batches=measured.batches,
            requests=measured.requests,
            measuring=_shown((await self.markets.store(market).tuning_measuring.get()).value),
            parameters=tuple(
                ParameterTold(
                    **{name: getattr(each, name) for name in each.__struct_fields__},
                    declared_in=next(iter(read.get(each.name, ())), ""),
                    read_by=read.get(each.name, ())[1:],
                    effect=effects.get(each.name),
                )
                for each in view.parameters
            ),
        )

    async def current(self, market: str) -> int:
        """The version that stands; that of one that cannot be read, if it is known."""
        try:
            return (await self.markets.store(market).tuning.get()).version
        except Unreadable as refusal:
            return int(refusal.facts.get("version", 0))

    def signed(self, who: Principal, values: Mapping[str, Value], reason: str, what_if: str = "") -> Tuning:
        """Overrides as somebody sends them now; without a version."""
        numbers, lists = parted(values)
        return Tuning(
            values=numbers,
            lists=lists,
            by=who.subject or who.acting_as({Role.OPS}),
            reason=reason,
            at=to_instant(self.clock.now_ms()),
            what_if=what_if,
        )

    async def _put(self, market: str, tuning: Tuning, before: int) -> TuningView:
        await self.markets.store(market).tuning.put(tuning, before)
        self.markets.forget_tuning(market)
        return self.registry.view(tuning)

    async def _version(self, who: Principal, market: str, number: int) -> Tuning:
        self.markets.authorize_requests(who, market)
        found = await self.markets.store(market).tuning.kept([number])
        if not found:
            raise NotFound(
                f"version {number} of the tuning of {market} is not kept\n"
                f"Maybe list the versions: the last {KEPT_VERSIONS} are."
            )
        return found[0]

    def _shown(self, tuning: Tuning, before: Tuning | None) -> TuningVersion:
        known = before or (Tuning() if tuning.version == 1 else None)
        changes = None if known is None else self.registry.changes(known.overrides, tuning.overrides)
        return TuningVersion(
            version=tuning.version,
            by=tuning.by,
            reason=tuning.reason,
            at=tuning.at,
            made=tuning.made,
            source=tuning.source,
            what_if=tuning.what_if,
            values=tuning.overrides,
            changes=None if changes is None else tuple(changes),
        )


def _shown(measuring: Measuring) -> Measuring:
    """Without which process does it."""
    return replace(measuring, runner="")
