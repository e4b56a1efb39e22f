"""A vendor's routes: its offers, its answers, its dispatches. What is another's does not exist."""

from __future__ import annotations

from contracts.offers import Offers as OfferList
from dispatcher.http.call import Call, Reply
from dispatcher.service.dispatcher import Dispatcher


class Offers:
    """Handlers over the service."""

    def __init__(self, service: Dispatcher) -> None:
        self.service = service

    async def list(self, call: Call) -> Reply:
        """Open offers and dispatches, earliest start first."""
        who = call.principal
        offers = await self.service.offers_of(who, call.market, who.vendor_id)
        return Reply(OfferList(offers=tuple(offers)))

    async def accept(self, call: Call) -> Reply:
        """Take the work; the answer shows door, name and phone."""
        offer_id = call.path["offer_id"]
        command = call.command(f"accept/{offer_id}")
        after = await self.service.accept(call.principal, call.market, offer_id, call.body, command)
        return Reply(await self.service.dispatch_of(call.principal, call.market, offer_id, after))

    async def decline(self, call: Call) -> Reply:
        """Do not take the work."""
        offer_id = call.path["offer_id"]
        command = call.command(f"decline/{offer_id}")
        after = await self.service.decline(call.principal, call.market, offer_id, call.body, command)
        return Reply(await self.service.offer_of(call.principal, call.market, offer_id, after))

    async def report(self, call: Call) -> Reply:
        """Say where the work stands."""
        offer_id = call.path["offer_id"]
        command = call.command(f"report/{offer_id}")
        after = await self.service.report(call.principal, call.market, offer_id, call.body, command)
        return Reply(await self.service.offer_of(call.principal, call.market, offer_id, after))

    async def dispatch(self, call: Call) -> Reply:
        """Door, name and phone, after acceptance."""
        return Reply(await self.service.dispatch_of(call.principal, call.market, call.path["offer_id"]))
