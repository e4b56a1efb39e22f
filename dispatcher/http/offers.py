"""Offers: a vendor's list and its answers. What is another's does not exist."""

from __future__ import annotations

from contracts.base import OfferId
from contracts.codes import Role
from contracts.dispatches import Dispatch
from contracts.offers import Accept, Decline, Offer, Offers
from contracts.operations import Answer, Body
from dispatcher.http.call import Call, Reply
from dispatcher.http.parts import Parts
from dispatcher.http.routing import MARKET, Routes

OFFERS = f"{MARKET}/offers"
OFFER = f"{OFFERS}/{{offer_id}}"
ROUTES = Routes("offers", offer_id=OfferId)


@ROUTES.get(
    OFFERS,
    id="listOffers",
    roles={Role.VENDOR},
    answers={200: Answer("offers, earliest start first", Offers)},
)
async def list_offers(call: Call, parts: Parts) -> Reply:
    """List your open offers and dispatches."""
    who = call.principal
    offers = await parts.service.offers_of(who, call.market, who.vendor_id)
    return Reply(Offers(offers=tuple(offers)))


@ROUTES.post(
    f"{OFFER}/accept",
    id="acceptOffer",
    roles={Role.VENDOR},
    body=Body(Accept, optional=True),
    answers={200: Answer("the dispatch: door, name and phone", Dispatch)},
    problems=("wrong-state",),
)
async def accept(call: Call, parts: Parts) -> Reply:
    """Take the work."""
    offer_id = call.path["offer_id"]
    command = call.command(f"accept/{offer_id}")
    after = await parts.service.accept(call.principal, call.market, offer_id, call.body, command)
    return Reply(await parts.service.dispatch_of(call.principal, call.market, offer_id, after))


@ROUTES.post(
    f"{OFFER}/decline",
    id="declineOffer",
    roles={Role.VENDOR},
    body=Body(Decline),
    answers={200: Answer("the declined offer", Offer)},
    problems=("wrong-state",),
)
async def decline(call: Call, parts: Parts) -> Reply:
    """Do not take the work; it is not offered to you again."""
    offer_id = call.path["offer_id"]
    command = call.command(f"decline/{offer_id}")
    after = await parts.service.decline(call.principal, call.market, offer_id, call.body, command)
    return Reply(await parts.service.offer_of(call.principal, call.market, offer_id, after))
