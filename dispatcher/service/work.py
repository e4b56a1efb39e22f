"""What platform and vendors do with a request after it came in: hold, cancel, accept, decline, report."""

from __future__ import annotations

from contracts.codes import HoldReason
from contracts.dispatches import StatusUpdate
from contracts.offers import Accept, Decline
from dispatcher.domain.decisions import accept, cancel, decline, hold, report, resume
from dispatcher.domain.record import RequestRecord, request_id_of
from dispatcher.security.principal import Principal
from dispatcher.service.base import Base, Decide
from dispatcher.store.outcome import Command


class Work(Base):
    """The commands on one request. Each gives the record after, and the same again when repeated.

    They raise NotFound (unknown or another's), WrongState (the work has moved on), Reused, Unavailable.
    """

    async def cancel(
        self, who: Principal, market: str, request_id: str, *, code: str = "", command: Command | None = None
    ) -> RequestRecord:
        """End the request; capacity is given back and its vendor told."""
        return await self._change(
            who,
            market,
            request_id,
            lambda record, now_ms, values: cancel(record, now_ms, who.name, code, values),
            command,
        )

    async def hold(
        self,
        who: Principal,
        market: str,
        request_id: str,
        reason: HoldReason,
        command: Command | None = None,
    ) -> RequestRecord:
        """Seek no vendor until it is resumed."""
        return await self._change(
            who, market, request_id, lambda record, now_ms, _: hold(record, now_ms, who.name, reason), command
        )

    async def resume(
        self, who: Principal, market: str, request_id: str, command: Command | None = None
    ) -> RequestRecord:
        """Seek a vendor: what it was on hold for is there."""
        return await self._change(
            who, market, request_id, lambda record, now_ms, _: resume(record, now_ms, who.name), command
        )

    async def accept(
        self, who: Principal, market: str, offer_id: str, answer: Accept, command: Command | None = None
    ) -> RequestRecord:
        """The vendor takes the work."""
        return await self._answer(
            who,
            market,
            offer_id,
            lambda record, now_ms, values: accept(
                record, offer_id, who.vendor_id, answer, now_ms=now_ms, values=values
            ),
            command,
        )

    async def decline(
        self, who: Principal, market: str, offer_id: str, answer: Decline, command: Command | None = None
    ) -> RequestRecord:
        """The vendor does not take the work, and is not asked again."""
        return await self._answer(
            who,
            market,
            offer_id,
            lambda record, now_ms, _: decline(record, offer_id, who.vendor_id, answer, now_ms=now_ms),
            command,
        )

    async def report(
        self, who: Principal, market: str, offer_id: str, update: StatusUpdate, command: Command | None = None
    ) -> RequestRecord:
        """How the work goes, until its end."""
        return await self._answer(
            who,
            market,
            offer_id,
            lambda record, now_ms, values: report(
                record, offer_id, who.vendor_id, update, now_ms=now_ms, values=values
            ),
            command,
        )

    async def _change(
        self, who: Principal, market: str, request_id: str, decide: Decide, command: Command | None
    ) -> RequestRecord:
        self.enter_for_requests(who, market)
        return await self.act(market, request_id, f"request {request_id}", decide, command)

    async def _answer(
        self, who: Principal, market: str, offer_id: str, decide: Decide, command: Command | None
    ) -> RequestRecord:
        self.enter(who, market)
        return await self.act(market, request_id_of(offer_id), f"offer {offer_id}", decide, command)
