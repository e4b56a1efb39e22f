"""Profiles of tuning and their calendar; and the one thing that lets a profile stand, or ends it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from msgspec.structs import replace

from contracts.codes import Role
from contracts.instants import to_instant
from contracts.tuning import Made, Tuning, parted
from contracts.tuning_profiles import (
    MOST_PROFILES,
    NORMAL,
    ByHand,
    CalendarUpdate,
    Profile,
    Profiles,
    ProfileStanding,
    ProfilesView,
    ProfileUpdate,
)
from dispatcher.domain.decision import Decision
from dispatcher.domain.refusals import Invalid, NotFound, WrongState
from dispatcher.runtime.clock import Clock
from dispatcher.security.principal import Principal
from dispatcher.service.acts import Acts
from dispatcher.service.markets import Markets
from dispatcher.service.removals import Also, answered, noted
from dispatcher.store.codec import Versioned
from dispatcher.store.program import Program
from dispatcher.tuning.profiles import begun, by_hand, next_after, profile_at, refuse_bad, told
from dispatcher.tuning.registry import Registry

BY = "calendar"


class TuningProfiles:
    """They raise NotFound (market, profile), Invalid, WrongState, Stale, Unreadable, Unavailable."""

    def __init__(self, markets: Markets, clock: Clock, registry: Registry, acts: Acts) -> None:
        self.markets, self.clock, self.registry, self.acts = markets, clock, registry, acts

    async def view(self, who: Principal, market: str) -> ProfilesView:
        """Profiles, calendar, what stands and what comes next."""
        self.markets.authorize_requests(who, market)
        stored = self.markets.store(market)
        return await self._view(market, await stored.tuning_profiles.get())

    async def put(
        self, who: Principal, market: str, name: str, update: ProfileUpdate, expected_version: int
    ) -> ProfilesView:
        """Write a profile; if it stands, it stands so within seconds."""
        if name == NORMAL:
            raise Invalid(f"{NORMAL} is what stands while no profile does\nMaybe PUT …/tuning changes that.")
        made = Profile(
            name=name,
            values=self.registry.checked(update.values),
            about=update.about,
            by=who.subject or who.acting_as({Role.OPS}),
            at=to_instant(self.clock.now_ms()),
        )
        before = await self._read(who, market)
        others = [each for each in before.profiles if each.name != name]
        if len(others) >= MOST_PROFILES:
            raise Invalid(f"there are {MOST_PROFILES} profiles already\nMaybe delete one that nobody uses.")
        entry = await self.acts.entry(who, market, "write_profile", "tuning", name, reason=update.about)
        return await self._write(market, replace(before, profiles=(*others, made)), expected_version, entry)

    async def delete(self, who: Principal, market: str, name: str, expected_version: int) -> ProfilesView:
        """Forget a profile that the calendar does not name."""
        before = await self._read(who, market)
        if name not in {each.name for each in before.profiles}:
            known = ", ".join(each.name for each in before.profiles) or "there is none yet"
            raise NotFound(f"there is no profile {name}\nMaybe one of: {known}.")
        if any(each.profile == name for each in before.calendar):
            raise WrongState(f"the calendar names profile {name}\nMaybe take its times out first.")
        others = tuple(each for each in before.profiles if each.name != name)
        entry = await self.acts.entry(who, market, "delete_profile", "tuning", name)
        also = noted(self.markets.store(market).keys, who, f"tuning profile {name}", expected_version)
        return await self._write(market, replace(before, profiles=others), expected_version, entry, also)

    async def deleted(
        self, who: Principal, market: str, name: str, versions: Sequence[int]
    ) -> ProfilesView | None:
        """What is left, if this caller deleted the profile at one of these versions; None: it did not."""
        self.markets.authorize_requests(who, market)
        told = await answered(self.markets.store(market), who, f"tuning profile {name}", versions)
        return None if told is None else await self.view(who, market)

    async def put_calendar(
        self, who: Principal, market: str, update: CalendarUpdate, expected_version: int
    ) -> ProfilesView:
        """Replace the calendar; what it says of this moment stands within seconds."""
        before = await self._read(who, market)
        detail = f"{len(before.calendar)} times before, {len(update.times)} now"
        entry = await self.acts.entry(who, market, "write_calendar", "tuning", "calendar", detail=detail)
        return await self._write(market, replace(before, calendar=update.times), expected_version, entry)

    async def apply_due(self, market: str) -> bool:
        """Let the profile stand that the calendar has now, if another does; whether something was changed.

        Raises Stale if somebody changed the tuning, or applied it, at the same moment: then look again.
        """
        stored, tz = self.markets.store(market), self.markets.zones[market]
        standing = await stored.tuning_standing.get()
        profiles = (await stored.tuning_profiles.get()).value
        if not standing.value.profile and not profiles.calendar:
            return False
        due = self._profile(profiles, profile_at(profiles.calendar, tz, self.clock.now_ms()))
        is_so = due.name == standing.value.profile if due else not standing.value.profile
        if is_so and (due is None or due.values == standing.value.values):
            return False
        await self._begin(market, due, standing)
        return True

    async def _begin(self, market: str, due: Profile | None, standing: Versioned[ProfileStanding]) -> None:
        stored, at = self.markets.store(market), to_instant(self.clock.now_ms())
        tuning = await stored.tuning.get()
        before, overrides = standing.value, tuning.overrides
        after, values = begun(before, due, overrides)
        usable, lost = self.registry.usable(values)
        numbers, lists = parted(usable)
        reason = told(before, due, overrides)
        reason += f"; left out, for it is no value of today's: {', '.join(lost)}" if lost else ""
        made = Tuning(
            version=tuning.version + 1,
            values=numbers,
            lists=lists,
            by=BY,
            reason=reason[:200],
            at=at,
            made=Made.PROFILE,
            source=due.name if due else NORMAL,
        )
        noted = replace(after, version=made.version, at=at)

        def also(program: Program) -> None:
            stored.tuning_standing.write(program, standing.version, noted)

        await stored.tuning.put(made, tuning.version, also)
        self.markets.forget_tuning(market)

    async def _read(self, who: Principal, market: str) -> Profiles:
        self.markets.authorize_requests(who, market)
        return (await self.markets.store(market).tuning_profiles.get()).value

    async def _write(
        self,
        market: str,
        profiles: Profiles,
        expected_version: int,
        entry: Decision,
        also: Also | None = None,
    ) -> ProfilesView:
        refuse_bad(profiles, self.markets.zones[market])
        in_order = tuple(sorted(profiles.profiles, key=lambda each: each.name))
        profiles = replace(profiles, profiles=in_order)
        version = await self.markets.store(market).tuning_profiles.put(
            profiles, expected_version, entry, also
        )
        return await self._view(market, Versioned(version, profiles))

    async def _view(self, market: str, found: Versioned[Profiles]) -> ProfilesView:
        stored, tz, now_ms = self.markets.store(market), self.markets.zones[market], self.clock.now_ms()
        standing, tuning = (await stored.tuning_standing.get()).value, await stored.tuning.get()
        calendar = found.value.calendar
        following = await asyncio.to_thread(next_after, calendar, tz, now_ms)  # many rules take their time
        changed = by_hand(standing, tuning.overrides)
        return ProfilesView(
            version=found.version,
            profiles=found.value.profiles,
            calendar=calendar,
            standing=standing.profile or NORMAL,
            since=standing.at,
            due=profile_at(calendar, tz, now_ms) or NORMAL,
            next_at=to_instant(following.at_ms) if following else None,
            next=(following.profile or NORMAL) if following else "",
            by_hand=ByHand(version=tuning.version, by=tuning.by, at=tuning.at) if changed else None,
        )

    def _profile(self, profiles: Profiles, name: str) -> Profile | None:
        return next((each for each in profiles.profiles if each.name == name), None)
