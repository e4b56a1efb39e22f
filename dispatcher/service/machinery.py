"""What the service does of its own accord: the matcher's offers and reasons, and timers.

Decided on what was read before: what has gone stale falls out alone, and is found again.
"""

from __future__ import annotations

from contracts.requests import Request
from contracts.unmatched import Unmatched
from dispatcher.domain.decision import Decision
from dispatcher.domain.decisions import due, explain, offer
from dispatcher.domain.proposal import Proposal
from dispatcher.domain.record import RequestRecord
from dispatcher.domain.refusals import WrongState
from dispatcher.service.base import Base
from dispatcher.store.outcome import Outcome, Status


class Machinery(Base):
    """Commands without a caller. They raise Unavailable."""

    async def offer(
        self, market: str, record: RequestRecord, request: Request, proposal: Proposal, *, fence: int
    ) -> Outcome:
        """Put a match to its vendor.

        OK, STALE (the request moved on), OUTDATED (vendor or posting did), FULL (capacity gone), FENCED.
        """
        values = (await self.values(market)).values
        try:
            decision = offer(record, request, proposal, self.clock.now_ms(), values)
        except WrongState:
            return Outcome(Status.STALE, stale_id=record.id)
        return await self.store.commit(market, [decision], fence=fence)

    async def explain(
        self, market: str, record: RequestRecord, unmatched: Unmatched, *, fence: int
    ) -> Outcome | None:
        """Keep why there is no vendor yet; None if that is what the record says already."""
        try:
            decision = explain(record, unmatched, self.clock.now_ms())
        except WrongState:
            return Outcome(Status.STALE, stale_id=record.id)
        return await self._committed(market, decision, fence)

    async def fire_timer(self, market: str, record: RequestRecord) -> Outcome | None:
        """What happens when nothing happened; None if the timer is not due."""
        values = (await self.values(market)).values
        return await self._committed(market, due(record, self.clock.now_ms(), values))

    async def _committed(
        self, market: str, decision: Decision | None, fence: int | None = None
    ) -> Outcome | None:
        if decision is None:
            return None
        return await self.store.commit(market, [decision], fence=fence)
