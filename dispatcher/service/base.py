"""What all commands share: who may enter a market, the tuning in force, and load → decide → commit."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from zoneinfo import ZoneInfo

from contracts.codes import Role
from contracts.tuning import Number, Tuning
from dispatcher.domain.decision import Decision
from dispatcher.domain.record import RequestRecord
from dispatcher.domain.refusals import NotFound, Refusal, Reused, Unavailable
from dispatcher.runtime.clock import Clock
from dispatcher.security.principal import Principal
from dispatcher.store.outcome import Command, Outcome, Status
from dispatcher.store.store import Store
from dispatcher.tuning.registry import Registry
from solvers.travel import DetourTravel, TravelOf

ATTEMPTS = 8  # a record moves on a handful of times in its life: more would be a defect
TUNING_AGE_S = 1.0  # how old the tuning in force may be; every match carries the version it was made with

Values = Mapping[str, Number]
Decide = Callable[[RequestRecord, int, Values], Decision | None]


class Base:
    """One process's way into the service. `markets` maps each market to its time zone.

    `travel_of` is the matcher's: it says how long the ride to an appointment takes.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        markets: Mapping[str, ZoneInfo],
        registry: Registry,
        travel_of: TravelOf = DetourTravel.of,
    ) -> None:
        self.store = store
        self.clock = clock
        self.markets = markets
        self.registry = registry
        self.travel_of = travel_of
        self._tunings: dict[str, tuple[float, Tuning]] = {}

    async def values(self, market: str) -> Tuning:
        """The tuning in force, at most TUNING_AGE_S old."""
        until, tuning = self._tunings.get(market, (0.0, None))
        if tuning is None or time.monotonic() >= until:
            tuning = await self.store.tuning(market)
            self._tunings[market] = time.monotonic() + TUNING_AGE_S, tuning
        return tuning

    def enter(self, who: Principal, market: str) -> None:
        """Raises NotFound for a market that is not served or not the caller's, in the same words."""
        if market not in self.markets or not who.may_enter(market):
            known = sorted(filter(who.may_enter, self.markets))
            remedy = (
                f"Maybe one of: {', '.join(known)}." if known else "Maybe the token names no market of ours."
            )
            raise NotFound(f"there is no market {market}\n{remedy}", markets=known)

    def enter_for_requests(self, who: Principal, market: str) -> None:
        """As `enter`, and requests are not there for vendors: they have offers."""
        self.enter(who, market)
        if who.role is Role.VENDOR:
            raise NotFound("a vendor has offers and dispatches, no requests\nMaybe read your offers.")

    async def act(
        self, market: str, request_id: str, named: str, decide: Decide, command: Command | None
    ) -> RequestRecord:
        """Load, decide, commit; the record after. What moved on meanwhile is loaded and decided anew.

        `named` is what the caller asked for, told when it is not there. Raises what `decide` raises, unless
        this very command had its effect before; Reused; Unavailable.
        """
        values = (await self.values(market)).values
        for _ in range(ATTEMPTS):
            record = await self.known(market, request_id, named)
            try:
                decision = decide(record, self.clock.now_ms(), values)
            except Refusal:
                if await self.had_effect(market, command):
                    return record
                raise
            if decision is None:
                await self.had_effect(market, command)  # Reused, if its id came with another body
                return record
            outcome = await self.store.commit(market, [decision], command=command)
            if outcome.status is Status.OK:
                return decision.after
            if outcome.status is Status.DUPLICATE:
                return await self.known(market, request_id, named)
            refuse_reuse(outcome)
        raise too_busy(named)

    async def known(self, market: str, request_id: str, named: str) -> RequestRecord:
        """The record. Raises NotFound."""
        record = await self.store.record(market, request_id)
        if record is None:
            raise NotFound(f"there is no {named}\nMaybe the id is misspelt.")
        return record

    async def had_effect(self, market: str, command: Command | None) -> bool:
        """Whether this command was committed before. Raises Reused when its id was, with another body."""
        outcome = await self.store.answered(market, command) if command else None
        if outcome is None:
            return False
        refuse_reuse(outcome)
        return True


def refuse_reuse(outcome: Outcome) -> None:
    """Raises Reused if that is how the commit ended."""
    if outcome.status is Status.REUSED:
        raise Reused(
            "this id or Idempotency-Key came before with another body\n"
            "Maybe a retry was changed: use a new id for a new command."
        )


def too_busy(named: str) -> Unavailable:
    """The refusal when a command lost every race; it may be repeated."""
    return Unavailable(
        f"{named} changed {ATTEMPTS} times while this command was decided\nMaybe ask again.", retry_after_s=1
    )
