"""Timers of a market: whatever is due is decided and committed. Any number may run; each effect happens once.

A timer lives in its record and stays due until a commit moves it: a crash before that leaves it due, a
second process that fires it too finds the record moved on. Every kind of record has its own list of timers.

One that cannot be fired stays due, too: it is put off, each time for longer, and those behind it go first.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Protocol

import structlog

from dispatcher.domain.authorizations import AuthorizationRecord
from dispatcher.domain.commands.fire_timer import FireTimer
from dispatcher.domain.commands.retime import RetimeDispatch
from dispatcher.domain.commands.table import Command
from dispatcher.domain.compact import Record
from dispatcher.domain.kinds import Kind, kinds
from dispatcher.domain.refusals import Unavailable
from dispatcher.domain.requests import RequestRecord
from dispatcher.domain.standing_orders import StandingOrderRecord
from dispatcher.jobs.agenda import Agenda
from dispatcher.jobs.put_off import PutOff
from dispatcher.runtime.cancellation import cancel_requested
from dispatcher.runtime.rounds import Rounds, few_at_once
from dispatcher.service.loops import TIMERS
from dispatcher.service.service import Service
from dispatcher.store.aside import Item
from dispatcher.store.outcome import Outcome, Status

BATCH = 256
TOGETHER = 32  # in one commit
AT_ONCE = 16  # of a kind: hundreds that are due together leave others of the process their turn
LOOK_EVERY_S = 0.5  # real seconds: a timer set meanwhile may be due before the next one known
LOOK_AGAIN_S = 0.05  # at a scaled clock's speed, and after a failure
BY = "timer"

log = structlog.get_logger()


class Retimer(Protocol):
    """Works out another start for a dispatch whose sequence is at risk: the matcher's."""

    async def retimed(self, market: str, record: RequestRecord) -> RetimeDispatch:
        """What its vendor is to be asked. Raises Unavailable."""


async def _at_once() -> None:
    """Nothing comes first."""


class Timers:
    """Fires what is due, `batch` of a kind at a time; without a `retimer` no vendor is asked for a start.

    `calm`: waited for, a moment, before each: what comes first where matching has the same process.
    """

    def __init__(
        self,
        service: Service,
        *,
        batch: int = BATCH,
        retimer: Retimer | None = None,
        calm: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self.service, self.retimer = service, retimer
        self.batch, self._calm = batch, calm or _at_once
        self._rounds = Rounds()
        self._agendas: dict[str, Agenda] = {}
        self._put_off: defaultdict[tuple[str, str], PutOff] = defaultdict(PutOff)  # by market and kind

    async def run(self, market: str, kind: Kind[Any]) -> None:
        """Those of one kind for ever, until cancelled; a list that cannot be read holds up no other kind.

        A store that is away is waited for.
        """
        while not cancel_requested():
            try:
                await self._agenda(market).until_due(kind)
                fired = await self.fire_kind(market, kind)
                self._answered(market, kind)
                if not fired:
                    await asyncio.sleep(self._rest_s(market, kind))
            except Unavailable as refusal:
                self.service.store.waits.begin(market, _loop(kind), refusal)
                await asyncio.sleep(LOOK_EVERY_S)

    async def fire_due(self, market: str) -> int:
        """A batch of each kind, the longest overdue first; how many had their effect."""
        return sum([await self.fire_kind(market, kind) for kind in kinds()])

    async def fire_kind(self, market: str, kind: Kind[Any]) -> int:
        """A batch of one kind."""
        records, put_off = self.service.store.market(market).records(kind), self._put_off[market, kind.name]
        due = await records.due(self._now_ms(market), self.batch + len(put_off))
        ids = put_off.ripe(due)[: self.batch]
        found = await records.get_all(ids)
        if lost := set(ids) - set(found):
            await self._tell_lost(market, kind, lost, len(due))
        done = await self._fired_together(market, kind, list(found.values()))
        left = [record for record in found.values() if record.id not in done]
        fired = await few_at_once((partial(self._fire, market, kind, record) for record in left), AT_ONCE)
        done |= {record.id for record, had_effect in zip(left, fired, strict=True) if had_effect}
        put_off.ended(done, [each for each in ids if each not in done])
        return len(done)

    async def _tell_lost(self, market: str, kind: Kind[Any], lost: set[str], count: int) -> None:
        """Name those that are still due, and not there: what was forgotten meanwhile is due no more."""
        stored = self.service.store.market(market)
        still_due = await stored.records(kind).due(self._now_ms(market), count)
        there = await stored.records(kind).get_all(sorted(lost.intersection(still_due)))
        for each in lost.intersection(still_due) - set(there):
            log.error("a timer has no record that can be read", market=market, kind=kind.name, id=each)
            self.service.store.aside.note(market, Item(kind.name, each), "missing")

    async def _fired_together(self, market: str, kind: Kind[Any], due: Sequence[Record]) -> set[str]:
        """Ids of those that moved on, some in a commit; where one of these cannot, each is left to itself.

        A task that nobody sees to, a report that does not come: they are told again and again, and of a bad
        day these are most timers that there are.
        """
        values, done = (await self.service.markets.tuning(market)).values, set[str]()
        many = [each for each in due if kind.together(each, values)]
        for at in range(0, len(many) if len(many) > 1 else 0, TOGETHER):
            some = many[at : at + TOGETHER]
            commands = [(FireTimer(kind=kind.name, id=each.id, alone=kind.alone), each) for each in some]
            await self._calm()
            try:
                outcome = await self.service.executor.attempt_all(BY, market, commands)
            except Unavailable:
                raise
            except Exception as error:  # which of them it is, is told where each is fired by itself
                log.warning("timers fall apart", market=market, kind=kind.name, error=type(error).__name__)
                continue
            if outcome is not None and outcome.ok:
                done |= {each.id for each in some}
        return done

    async def _fire(self, market: str, kind: Kind[Any], record: Record) -> bool:
        """Whether it had its effect. One that cannot be fired is told and must not stop the others."""
        try:
            await self._calm()
            await self._rounds.next()
            outcome = await self._effect(market, kind, record)
        except Unavailable:
            raise
        except Exception:
            log.exception("a timer failed", market=market, kind=kind.name, id=record.id)
            return False
        return outcome is not None and outcome.status is Status.OK

    async def _effect(self, market: str, kind: Kind[Any], record: Record) -> Outcome | None:
        if isinstance(record, StandingOrderRecord):  # what it makes is more than its record can tell
            return await self.service.occurrences.fire(market, record)
        if isinstance(record, AuthorizationRecord):  # so is what it frees
            return await self.service.authorizations.fire(BY, market, record)
        ready = await self._retimed(market, record) or FireTimer(kind=kind.name, id=record.id)
        return await self.service.executor.attempt_while_taken(BY, market, ready, record)

    async def _retimed(self, market: str, record: Record) -> Command | None:
        if self.retimer is None or not isinstance(record, RequestRecord):
            return None
        is_due = 0 < record.retime_ms <= self.service.clock.now_ms()
        waits = record.pending is not None and record.pending.expires_ms <= self.service.clock.now_ms()
        return await self.retimer.retimed(market, record) if is_due and not waits else None

    def _now_ms(self, market: str) -> int:
        """By the store's clock where ours is ahead: or what waits for an answer would end before its time."""
        clock, ahead_s = self.service.clock, max(0, self.service.store.skew.ahead_s(market))
        return clock.now_ms() - round(1000 * ahead_s / clock.real_s(1.0))

    def _answered(self, market: str, kind: Kind[Any]) -> None:
        self.service.store.waits.end(market, _loop(kind))

    def _agenda(self, market: str) -> Agenda:
        if market not in self._agendas:
            self._agendas[market] = Agenda(
                self.service.store.market(market).due_times,
                partial(self._now_ms, market),
                partial(self._pause_s, market),
                partial(self._answered, market),
            )
        return self._agendas[market]

    def _rest_s(self, market: str, kind: Kind[Any]) -> float:
        """Real seconds after what is due had no effect; what is put off makes nobody hurry."""
        return self._pause_s(market, None) if self._put_off[market, kind.name] else LOOK_AGAIN_S

    def _pause_s(self, market: str, next_ms: int | None) -> float:
        """Real seconds until the next known timer, within what leaves no new one waiting long."""
        clock = self.service.clock
        most_s = max(LOOK_AGAIN_S, min(LOOK_EVERY_S, clock.real_s(1.0)))
        if next_ms is None:
            return most_s
        return max(LOOK_AGAIN_S, min(most_s, clock.real_s((next_ms - self._now_ms(market)) / 1000)))


def _loop(kind: Kind[Any]) -> str:
    """As it is told of where it waits for the store."""
    return f"{TIMERS} of {kind.name}"
