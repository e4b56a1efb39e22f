"""A vendor's routes: its offers, its answers, its dispatches. What is another's does not exist."""

from __future__ import annotations

from contracts.offers import Offers as OfferList
from dispatcher.domain.commands.accept import AcceptOffer
from dispatcher.domain.commands.decline import DeclineOffer
from dispatcher.domain.commands.report import ReportStatus
from dispatcher.http.call import Call, Reply
from dispatcher.service.service import Service


class Offers:
    """Handlers over the service."""

    def __init__(self, service: Service) -> None:
        self.service = service

    async def list(self, call: Call) -> Reply:
        """Open offers and dispatches, earliest start first."""
        who = call.principal
        offers = await self.service.offers.of_vendor(who, call.market, who.vendor_id)
        return Reply(OfferList(offers=tuple(offers)))

    async def accept(self, call: Call) -> Reply:
        """Take the work; the answer shows door, name and phone."""
        offer_id = call.path["offer_id"]
        command = AcceptOffer(offer_id=offer_id, reference=call.body.reference)
        idempotency = call.idempotency(f"accept/{offer_id}")
        after = await self.service.execute(call.principal, call.market, command, idempotency)
        return Reply(await self.service.offers.dispatch(call.principal, call.market, offer_id, after))

    async def decline(self, call: Call) -> Reply:
        """Do not take the work."""
        offer_id = call.path["offer_id"]
        command = DeclineOffer(offer_id=offer_id, code=call.body.code)
        idempotency = call.idempotency(f"decline/{offer_id}")
        after = await self.service.execute(call.principal, call.market, command, idempotency)
        return Reply(await self.service.offers.offer(call.principal, call.market, offer_id, after))

    async def report(self, call: Call) -> Reply:
        """Say where the work stands."""
        offer_id = call.path["offer_id"]
        command = ReportStatus(
            offer_id=offer_id, status=call.body.status, at=call.body.at, code=call.body.code
        )
        idempotency = call.idempotency(f"report/{offer_id}")
        after = await self.service.execute(call.principal, call.market, command, idempotency)
        return Reply(await self.service.offers.offer(call.principal, call.market, offer_id, after))

    async def dispatch(self, call: Call) -> Reply:
        """Door, name and phone, after acceptance."""
        return Reply(await self.service.offers.dispatch(call.principal, call.market, call.path["offer_id"]))
