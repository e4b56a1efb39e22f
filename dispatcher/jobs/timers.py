"""Timers of a market: whatever is due is decided and committed. Any number may run; each effect happens once.

A timer lives in its record and stays due until a commit moves it: a crash before that leaves it due, a
second process that fires it too finds the record moved on.
"""

from __future__ import annotations

import asyncio

import structlog

from dispatcher.domain.record import RequestRecord
from dispatcher.domain.refusals import Unavailable
from dispatcher.runtime.cancellation import cancel_requested
from dispatcher.service.dispatcher import Dispatcher
from dispatcher.store.outcome import Status

BATCH = 256
LOOK_EVERY_S = 0.5  # real seconds: a timer set meanwhile may be due before the next one known
LOOK_AGAIN_S = 0.02  # at a scaled clock's speed, and after a failure

log = structlog.get_logger()


class Timers:
    """Fires what is due, `batch` at a time."""

    def __init__(self, service: Dispatcher, *, batch: int = BATCH) -> None:
        self.service = service
        self.batch = batch

    async def run(self, market: str) -> None:
        """For ever, until cancelled. A store that is away is waited for."""
        while not cancel_requested():
            try:
                fired = await self.fire_due(market)
                if not fired:
                    await asyncio.sleep(await self._pause_s(market))
            except Unavailable as refusal:
                log.warning("timers wait for the store", market=market, reason=refusal.detail)
                await asyncio.sleep(LOOK_EVERY_S)

    async def fire_due(self, market: str) -> int:
        """One batch, the longest overdue first; how many had their effect."""
        store = self.service.store
        ids = await store.due(market, self.service.clock.now_ms(), self.batch)
        records = await store.records(market, ids)
        for lost in set(ids) - set(records):
            log.error("a timer has no record", market=market, request=lost)
        done = await asyncio.gather(*(self._fire(market, record) for record in records.values()))
        return sum(done)

    async def _fire(self, market: str, record: RequestRecord) -> bool:
        """Whether it had its effect. One that cannot be fired is told and must not stop the others."""
        try:
            outcome = await self.service.fire_timer(market, record)
        except Unavailable:
            raise
        except Exception:
            log.exception("a timer failed", market=market, request=record.id, state=record.state.value)
            return False
        return outcome is not None and outcome.status is Status.OK

    async def _pause_s(self, market: str) -> float:
        """Real seconds until the next known timer, within what leaves no new one waiting long."""
        clock = self.service.clock
        next_ms = await self.service.store.next_due_ms(market)
        most_s = max(LOOK_AGAIN_S, min(LOOK_EVERY_S, clock.real_s(1.0)))
        if next_ms is None:
            return most_s
        return max(LOOK_AGAIN_S, min(most_s, clock.real_s((next_ms - clock.now_ms()) / 1000)))
