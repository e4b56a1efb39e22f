"""A market's canary: planned, begun, looked at; and ended, by somebody or by itself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

from msgspec.structs import replace

from contracts.codes import Role
from contracts.instants import DAY_MS, MINUTE_MS, to_instant, to_ms
from contracts.local_day import first_instant_ms
from contracts.tuning import Tuning
from contracts.tuning_canary import (
    Canary,
    CanaryHeld,
    CanaryMode,
    CanaryPlan,
    CanaryState,
    CanaryUpdate,
    CanaryView,
    GuardrailFound,
)
from dispatcher.domain import canary_tasks
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Decision
from dispatcher.domain.quarters import Quarters
from dispatcher.domain.refusals import NotFound, WrongState
from dispatcher.runtime.clock import Clock
from dispatcher.security.principal import Principal
from dispatcher.service.acts import Acts
from dispatcher.service.canary_told import announce, shown, standing_tuning
from dispatcher.service.loops import CANARY
from dispatcher.service.markets import Markets
from dispatcher.service.removals import Also, answered, noted
from dispatcher.service.what_ifs import cited
from dispatcher.store.changes import add_decisions
from dispatcher.store.codec import Versioned
from dispatcher.store.market import MarketStore
from dispatcher.store.program import Program
from dispatcher.store.quarters import days_between
from dispatcher.store.vendors import stale
from dispatcher.tuning.canary import (
    PAST_DAYS,
    WEEK,
    judged,
    pairs_of,
    past_pairs,
    planned,
    urgent_unmatched,
)
from dispatcher.tuning.canary_made import Laid, beside, made_of, refuse_profiles, refuse_untried, told
from dispatcher.tuning.registry import Registry
from dispatcher.tuning.sequential import ALPHA, POWER

BY = "canary"
LOOK_MS = 5 * MINUTE_MS  # by the clock
S = CanaryState


class End(NamedTuple):
    """How a canary ends, why, and what its guardrails had seen."""

    state: CanaryState
    why: str
    found: tuple[GuardrailFound, ...]


class TuningCanary:
    """They raise NotFound (market), Invalid, WrongState, Stale, Unreadable, Unavailable."""

    def __init__(self, markets: Markets, clock: Clock, registry: Registry, acts: Acts) -> None:
        self.markets, self.clock, self.registry, self.acts = markets, clock, registry, acts
        self._looked_ms = dict[str, int]()  # by market: quarters are read, which is more than a look

    async def plan(self, who: Principal, market: str, update: CanaryUpdate) -> CanaryPlan:
        """What it would be, and how many days it needs; nothing begins."""
        self.markets.authorize_requests(who, market)
        tuning = await self.markets.store(market).tuning.get()
        return (await self._laid(market, update, tuning)).plan

    async def start(
        self, who: Principal, market: str, update: CanaryUpdate, expected_version: int
    ) -> CanaryView:
        """Begin it, over the canary document that is expected. Raises Invalid if its days do not suffice."""
        self.markets.authorize_requests(who, market)
        stored = self.markets.store(market)
        held, tuning = await stored.tuning_canary.get(), await stored.tuning.get()
        if held.version != expected_version:
            raise stale("the canary", expected_version)
        if held.value.canary is not None and held.value.canary.state is S.RUNNING:
            raise WrongState("a canary is under way\nMaybe stop it first.", state=S.RUNNING.value)
        laid = await self._laid(market, update, tuning)
        by = who.subject or who.acting_as({Role.OPS})
        made = made_of(laid, tuning, by, self.clock.now_ms(), self.markets.zones[market])
        calendar = (await stored.tuning_profiles.get()).value.calendar
        refuse_profiles(made, calendar, self.markets.zones[market], self.clock.now_ms())

        def also(program: Program) -> None:
            stored.tuning_canary.write(program, held.version, CanaryHeld(canary=made))
            announce(program, stored, made, "")

        await stored.tuning.put(beside(made, tuning), tuning.version, also, candidate=made.candidate)
        self.markets.forget_tuning(market)
        await stored.troubles.over(CANARY)
        return await self.view(who, market)

    async def end(self, who: Principal, market: str, expected_version: int) -> CanaryView:
        """Stop one that is under way; put one away that has ended: its trouble is over then."""
        self.markets.authorize_requests(who, market)
        stored = self.markets.store(market)
        held = await stored.tuning_canary.get()
        canary = held.value.canary
        if canary is None:
            raise NotFound("there is no canary\nMaybe it was put away already.")
        if held.version != expected_version:
            raise stale("the canary", expected_version)
        by = who.subject or who.acting_as({Role.OPS})
        done = noted(stored.keys, who, "tuning canary", expected_version)
        if canary.state is S.RUNNING:
            end = End(S.STOPPED, f"stopped by {by}", await self._found(stored, market, canary))
            await self._ended(market, held, end, by, done)
        else:
            entry = await self.acts.entry(who, market, "put_canary_away", "tuning", "canary")
            over = await self._seen_to(stored, market, canary, by)

            def also(program: Program) -> None:
                stored.tuning_canary.write(program, held.version, CanaryHeld())
                add_decisions(program, stored.keys, [each for each in (entry, over) if each is not None], {})
                done(program)

            await stored.tuning_canary.commit(also)
            await stored.troubles.over(CANARY)
        return await self.view(who, market)

    async def ended(self, who: Principal, market: str, versions: Sequence[int]) -> CanaryView | None:
        """As it is now, if this caller ended it, or put it away, at one of these versions; else None."""
        self.markets.authorize_requests(who, market)
        told = await answered(self.markets.store(market), who, "tuning canary", versions)
        return None if told is None else await self.view(who, market)

    async def view(self, who: Principal, market: str) -> CanaryView:
        """The canary, what it has seen so far, when the candidate decides next."""
        self.markets.authorize_requests(who, market)
        stored = self.markets.store(market)
        held = await stored.tuning_canary.get()
        canary = held.value.canary
        if canary is None:
            return CanaryView(version=held.version)
        running = canary.state is S.RUNNING
        found = await self._found(stored, market, canary) if running else canary.found
        return await shown(
            stored, self.registry, held.version, canary, found=found, now_ms=self.clock.now_ms()
        )

    async def judge(self, market: str) -> CanaryState | None:
        """End it if it is time to; how it ended then. Raises Stale if somebody ends it at the same moment."""
        stored = self.markets.store(market)
        held = await stored.tuning_canary.get()
        canary = held.value.canary
        if canary is None:
            return None
        if canary.state is not S.RUNNING:
            if canary.state is S.ROLLED_BACK:
                await stored.troubles.tell(CANARY, f"rolled back: {canary.why}")
            return None
        now_ms = self.clock.now_ms()
        if 0 <= now_ms - self._looked_ms.get(market, -LOOK_MS) < LOOK_MS:
            return None
        end = await self._verdict(stored, market, canary)
        if end is not None:
            await self._ended(market, held, end, BY)
            if end.state is S.ROLLED_BACK:
                await stored.troubles.count(f"failed:{CANARY}")
                await stored.troubles.tell(CANARY, f"rolled back: {end.why}")
        self._looked_ms[market] = now_ms
        return None if end is None else end.state

    async def _verdict(self, stored: MarketStore, market: str, canary: Canary) -> End | None:
        found, now_ms = await self._found(stored, market, canary), self.clock.now_ms()
        tuning = await standing_tuning(stored)
        if tuning is not None and tuning.version != canary.base:
            return End(S.STOPPED, f"the tuning became version {tuning.version}, by {tuning.by}", found)
        crossed = [each for each in found if each.crossed]
        if crossed:
            return End(S.ROLLED_BACK, told(crossed[0]), found)
        if beyond := await self._beyond(stored, canary):
            return End(S.ROLLED_BACK, beyond, found)
        if now_ms >= to_ms(canary.ends_at):
            return End(S.FINISHED, f"no guardrail was crossed in {canary.days} days", found)
        return None

    async def _beyond(self, stored: MarketStore, canary: Canary) -> str:
        """Whether so many urgent requests are without a vendor that nobody waits for statistics; "": no."""
        end_ms = self.clock.now_ms()
        start_ms = end_ms - DAY_MS
        on = [(max(start_ms, first), min(end_ms, last)) for first, last in canary.on]
        spans = [each for each in on if each[0] < each[1]]
        if not spans:
            return ""
        quarters = await stored.quarters.of(days_between(start_ms, end_ms))
        count = sum(urgent_unmatched(quarters, *each) for each in spans)
        usual = canary.urgent_a_day * sum(last - first for first, last in spans) / DAY_MS
        if count - usual < canary.at_once:
            return ""
        return f"urgent_unmatched: {count} within a day in its hours, usually {usual:.1f}"

    async def _found(self, stored: MarketStore, market: str, canary: Canary) -> tuple[GuardrailFound, ...]:
        tz, now_ms = self.markets.zones[market], self.clock.now_ms()
        pairs = pairs_of(canary, canary.first_day, canary.days, tz, canary.seed)
        back_ms = (WEEK * DAY_MS) * (canary.days // WEEK + 1) if canary.mode is CanaryMode.WHOLE else 0
        days = days_between(to_ms(canary.begins_at) - back_ms, max(now_ms, to_ms(canary.begins_at)) + 1)
        return judged(canary.plan, pairs, await stored.quarters.of(days), canary.washout_hours, now_ms)

    async def _laid(self, market: str, update: CanaryUpdate, tuning: Tuning) -> Laid:
        values = self.registry.checked(update.values)
        changes = self.registry.changes(tuning.overrides, values)
        refuse_untried(changes)
        await cited(self.markets.store(market).what_ifs, update.what_if)
        tz, now_ms = self.markets.zones[market], self.clock.now_ms()
        today = to_instant(now_ms).astimezone(tz).date()
        quarters = await self._past(market, now_ms)
        found = planned(update, update.guardrails, past_pairs(update, today, tz), quarters)
        known = [each.days for each in found if each.days is not None]
        first_ms = first_instant_ms(today + timedelta(days=1), tz)
        plan = CanaryPlan(
            days=max(known) if len(known) == len(found) else None,
            begins_at=to_instant(first_ms),
            guardrails=found,
            changes=tuple(changes),
            chance=ALPHA,
            power=POWER,
        )
        start_ms = now_ms - PAST_DAYS * DAY_MS
        seen_days = max(1, len({each.slot_ms // DAY_MS for each in quarters}))
        urgent = urgent_unmatched(quarters, start_ms, now_ms) / seen_days
        return Laid(update, values, plan, first_ms, urgent)

    async def _past(self, market: str, now_ms: int) -> Quarters:
        days = days_between(now_ms - (PAST_DAYS + 1) * DAY_MS, now_ms)
        return await self.markets.store(market).quarters.of(days)

    async def _ended(
        self, market: str, held: Versioned[CanaryHeld], end: End, by: str, done: Also | None = None
    ) -> None:
        """Its end is a version, too, with the values that stood all along; unless the tuning is another."""
        stored, at, canary = self.markets.store(market), to_instant(self.clock.now_ms()), held.value.canary
        assert canary is not None  # noqa: S101  (as its callers have seen)
        over = replace(canary, state=end.state, ended_at=at, why=end.why, found=end.found)
        crossed = next((each.what.value for each in end.found if each.crossed), "")

        def also(program: Program) -> None:
            stored.tuning_canary.write(program, held.version, CanaryHeld(canary=over))
            announce(program, stored, over, crossed)
            if done is not None:
                done(program)
            if end.state is S.ROLLED_BACK:
                add_decisions(program, stored.keys, [task], {})

        tuning = await standing_tuning(stored)
        task = canary_tasks.rolled_back(canary.candidate.version, crossed, self._context(market, tuning, by))
        if tuning is not None and tuning.version == canary.base:
            how = end.state.value.replace("_", " ")
            reason = f"canary of version {canary.candidate.version} {how}: {end.why}"
            after = replace(tuning, version=tuning.version + 1, by=by, reason=reason[:200], at=at)
            await stored.tuning.put(after, tuning.version, also)
        else:
            await stored.tuning_canary.commit(also)
        self.markets.forget_tuning(market)

    async def _seen_to(self, stored: MarketStore, market: str, canary: Canary, by: str) -> Decision | None:
        """Whoever puts one away that was rolled back has seen why: its task is over."""
        name = canary_tasks.name_of(canary.candidate.version)
        task = await stored.tasks.records.known(name)
        context = self._context(market, await standing_tuning(stored), by)
        return None if task is None else canary_tasks.seen(task, context)

    def _context(self, market: str, tuning: Tuning | None, by: str) -> Context:
        values = (tuning or Tuning()).values
        return Context(now_ms=self.clock.now_ms(), values=values, by=by, tz=self.markets.zones[market])
