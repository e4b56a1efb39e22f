"""Load, decide, commit, and ask again: the one way in which a command has its effect."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from msgspec.structs import replace

from contracts.tuning import Tuning
from dispatcher.domain import acts
from dispatcher.domain.commands.fire_timer import FireTimer
from dispatcher.domain.commands.table import Command, decide, row
from dispatcher.domain.compact import Record
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Decision
from dispatcher.domain.kinds import beside
from dispatcher.domain.refusals import NotFound, Refusal, Reused, Unavailable, WrongState
from dispatcher.domain.requests import RequestRecord
from dispatcher.runtime import traces
from dispatcher.runtime.clock import Clock
from dispatcher.security.principal import Principal
from dispatcher.service import loading, traced
from dispatcher.service.contention import Contention
from dispatcher.service.loading import Look
from dispatcher.service.markets import Markets
from dispatcher.service.measures import Measures
from dispatcher.service.reach import with_all_beside
from dispatcher.store.idempotency import IdempotencyRecord
from dispatcher.store.market import MarketStore
from dispatcher.store.outcome import Outcome, Status
from dispatcher.store.requests import Reading

Prepare = Callable[[Any, Any], Awaitable[Command]]
ATTEMPTS = 8  # a record moves on a handful of times in its life: more would be a defect


class Executor:
    """Commands of one process: HTTP, the replies consumer, the matcher and the timers come through here."""

    sends_nothing = False  # see `Context`

    def __init__(self, markets: Markets, clock: Clock, measures: Measures | None = None) -> None:
        self.markets, self.clock, self.measures = markets, clock, measures or Measures()
        self.contention = Contention()

    async def execute(
        self,
        who: Principal,
        market: str,
        command: Command,
        idempotency: IdempotencyRecord | None = None,
        *,
        prepare: Prepare | None = None,
        look: Look | None = None,
    ) -> Any:
        """The record after the command had its effect, and the same again when it is repeated.

        `prepare`: the command as it is decided on, made of what stands then. `look`: see `loading`. Raises
        what either raises, NotFound (market, record, or not the caller's), Reused, Unavailable, `is_gone`.
        """
        by, stored = self._right(who, market, command), self.markets.store(market)
        async with self.contention.turn(market, command.subject) as turn:
            for lost in range(ATTEMPTS):
                await turn.come(lost)
                since = stored.lineage  # before anything is read
                found = await loading.read(self.markets, stored, command, who.vendor_id, look)
                record = found.record
                context = await self._context(stored, found, await self.markets.tuning(market), by, who)
                with traced.commands(market, by, [(command, record)]):
                    try:
                        context, ready = await _ready(context, record, command, prepare)
                        decision = await with_all_beside(stored, context, partial(decide, record, ready))
                    except Refusal:
                        if await already_applied(stored, idempotency):
                            return record or await self._again(stored, command)
                        raise
                    also = self._also(command, context, decision, look)
                after, full = await _committed(stored, record, decision, idempotency, also, since=since)
                if after is not None:
                    self.measures.decided(market, [decision] if decision else [], context.now_ms)
                    return after
                if await already_applied(stored, idempotency):
                    return await self._again(stored, command)
                command = command.if_full if full else command
        raise too_busy(command.named)

    async def attempt(
        self, by: str, market: str, command: Command, record: Record | None, *, fence: str | None = None
    ) -> Outcome | None:
        """Decide on a record that was read before (None: the command creates it), commit once; None if
        nothing is to be done.

        For what the service does of its own accord: OK; STALE (the record moved on: it is found again);
        OUTDATED (what it relies on did); FULL; FENCED. Raises Unavailable.
        """
        return await self.attempt_all(by, market, [(command, record)], fence=fence)

    async def attempt_while_taken(
        self, by: str, market: str, command: Command, record: Record
    ) -> Outcome | None:
        """The same; what turns out to be taken is decided on as the command says (`Command.if_full`)."""
        whose = {each.vendor_id for each in record.chain} if isinstance(record, RequestRecord) else set()
        outcome = await self.attempt(by, market, command, record)
        for _ in range(ATTEMPTS):
            if not _is_taken(outcome, whose) or command.if_full is command:
                break
            command = command.if_full
            outcome = await self.attempt(by, market, command, record)
        return outcome

    async def attempt_all(
        self,
        by: str,
        market: str,
        decided_on: Sequence[tuple[Command, Record | None]],
        *,
        fence: str | None = None,
    ) -> Outcome | None:
        """The same for several records: one commit, all of it or none; None if nothing is to be done.

        Each is decided on as the others will be that come before it.
        """
        if not traces.on():  # as nearly always: a name of an outcome costs more than a look
            return await self._attempt_all(by, market, decided_on, fence)
        with traced.commands(market, by, decided_on) as spans:
            outcome = await self._attempt_all(by, market, decided_on, fence)
            for each in spans:
                each.note(dispatcher__outcome="nothing" if outcome is None else outcome.status.name.lower())
        return outcome

    async def _attempt_all(
        self, by: str, market: str, decided_on: Sequence[tuple[Command, Record | None]], fence: str | None
    ) -> Outcome | None:
        stored, tuning = self.markets.store(market), await self.markets.tuning(market)
        needed, now, since = list[Decision](), dict[str, Any](), stored.lineage
        for command, record in decided_on:
            alone = isinstance(command, FireTimer) and command.alone
            found = await loading.known(stored, record)
            context = await self._context(stored, found, tuning, by, alone=alone)
            try:
                as_now = replace(context, related={**context.related, **now}) if now else context
                decision = await with_all_beside(stored, as_now, partial(decide, record, command))
            except WrongState:
                return Outcome(Status.STALE, stale_id=command.subject)
            changed = (
                {} if decision is None else {beside(each.record): each.after for each in decision.changes}
            )
            if decision is None:
                continue
            if changed.keys() & now.keys():  # two of them change one record: not in one commit
                return Outcome(Status.STALE, stale_id=command.subject)
            needed, now = [*needed, decision], now | changed
        outcome = await stored.commit(needed, fence=fence, since=since) if needed else None
        if outcome is not None and outcome.ok:
            self.measures.decided(market, needed, self.clock.now_ms())
        return outcome

    async def load(self, stored: MarketStore, command: Command) -> Any:
        """The record that a command is about. Raises NotFound."""
        return await loading.load(self.markets, stored, command)

    async def _again(self, stored: MarketStore, command: Command) -> Any:
        """What a command that was carried out before is about. Raises `is_gone` where that was made by it."""
        try:
            return await self.load(stored, command)
        except NotFound as refusal:
            if not row(type(command)).creates:
                raise
            raise is_gone(command.named) from refusal

    def _right(self, who: Principal, market: str, command: Command) -> str:
        """By which right of the caller's the command is given: what histories name."""
        self.markets.authorize(who, market)
        roles = row(type(command)).roles
        if not who.may(roles):
            raise NotFound(f"there is no {command.named}\nMaybe it is for another role.")
        return who.acting_as(roles)

    def _also(
        self, command: Command, context: Context, decision: Decision | None, look: Look | None
    ) -> list[Decision]:
        """What is committed with it: who did it by hand, for the audit; and what who looked has to note."""
        noted = look.noted(decision, context) if look is not None else None
        also = [] if noted is None else [noted]
        by = context.by if decision is None else decision.by or context.by
        if acts.is_by_hand(by) and not row(type(command)).quiet:
            context = context if by == context.by else replace(context, by=by)
            act_id, kind = secrets.token_hex(12), row(type(command)).kind or ""
            also.append(acts.of_command(act_id, command, kind, context))
        return also

    async def _context(
        self,
        stored: MarketStore,
        found: Reading,
        tuning: Tuning,
        by: str,
        who: Principal | None = None,
        *,
        alone: bool = False,
    ) -> Context:
        """`who`: the caller; None when the service acts of its own accord. `alone`: with nothing beside."""
        related: Mapping[str, Record] = {}
        if found.record is not None and not alone:
            related = await stored.related(found.record, found.beside)
        return Context(
            now_ms=self.clock.now_ms(),
            values=tuning.values,
            lists=tuning.lists,
            by=by,
            subject=who.subject if who else "",
            roles=who.roles if who else frozenset(),
            vendor_id=who.vendor_id if who else "",
            facility_id=who.facility_id if who else "",
            tz=self.markets.zones[stored.name],
            related=related,
            sends_nothing=self.sends_nothing or self.markets.sends_nothing(stored.name),
            body=loading.asked(stored, found),
        )


async def _ready(
    context: Context, record: Record | None, command: Command, prepare: Prepare | None
) -> tuple[Context, Command]:
    """The command as it is decided on; with what it knows of other records."""
    ready = await prepare(record, command) if prepare else command
    if not ready.beside:
        return context, ready
    return replace(context, related={**ready.beside, **context.related}), ready


async def _committed(
    stored: MarketStore,
    record: Record | None,
    decision: Decision | None,
    idempotency: IdempotencyRecord | None,
    also: Iterable[Decision] = (),
    *,
    since: int,
) -> tuple[Record | None, bool]:
    """The record after (as it was, if it is gone), if that is how it ended; None when it is to be loaded
    again, and whether for want of what would be booked. Raises Reused.
    """
    if decision is None:
        if idempotency is not None:
            refuse_reuse(await stored.remember(idempotency))
        return record, False
    outcome = await stored.commit([decision, *also], idempotency=idempotency, since=since)
    refuse_reuse(outcome)
    after: Record | None = (decision.after or record) if outcome.status is Status.OK else None
    return after, _is_taken(outcome, {each.vendor_id for each in decision.preconditions})


def _is_taken(outcome: Outcome | None, whose: Collection[str]) -> bool:
    """Whether it was not committed for want of capacity, or because a vendor is another than was planned."""
    if outcome is None:
        return False
    return outcome.status is Status.FULL or (outcome.status is Status.OUTDATED and outcome.stale_id in whose)


async def already_applied(stored: MarketStore, idempotency: IdempotencyRecord | None) -> bool:
    """Whether this command was committed before. Raises Reused when its id was, with another body."""
    outcome = await stored.answered(idempotency) if idempotency else None
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


def is_gone(named: str) -> WrongState:
    """The refusal of a repeated call whose answer was about what is not there any more."""
    return WrongState(
        f"{named} was made under this Idempotency-Key, and is there no more\n"
        "Maybe use a new key for a new one.",
        state="gone",
    )


def too_busy(named: str) -> Unavailable:
    """The refusal when a command lost every race; it may be repeated."""
    return Unavailable(
        f"{named} changed {ATTEMPTS} times while this command was decided\nMaybe ask again.", retry_after_s=1
    )
