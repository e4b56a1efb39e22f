"""Offers: a vendor's list and its answers. What is another's does not exist."""

from __future__ import annotations

from contracts.base import OfferId
from contracts.codes import Role
from contracts.dispatches import Dispatch
from contracts.offers import Accept, Decline, Offer, Offers
from contracts.operations import Answer, Body
from dispatcher.domain.commands.accept import AcceptOffer, closed_already
from dispatcher.domain.commands.decline import DeclineOffer
from dispatcher.domain.commands.subjects import OnOffer
from dispatcher.domain.offers import NO_CAPACITY
from dispatcher.http.call import Call, Reply
from dispatcher.http.commands import execute
from dispatcher.http.parts import Parts
from dispatcher.http.routing import MARKET, Routes
from dispatcher.service.execute import Prepare

OFFERS = f"{MARKET}/offers"
OFFER = f"{OFFERS}/{{offer_id}}"
ROUTES = Routes("offers", 50, offer_id=OfferId)


@ROUTES.get(
    OFFERS,
    id="listOffers",
    roles={Role.VENDOR},
    answers={200: Answer("offers, earliest start first", Offers)},
)
async def list_offers(call: Call, parts: Parts) -> Reply:
    """List your open offers and dispatches, and what you have not read on them."""
    who = call.principal
    return Reply(await parts.service.offers.listed(who, call.market, who.vendor_id))


@ROUTES.post(
    f"{OFFER}/accept",
    id="acceptOffer",
    command=AcceptOffer,
    body=Body(Accept, optional=True),
    answers={
        200: Answer("the dispatch: door, name and phone", Dispatch),
        202: Answer("your yes is noted: the best of those who say it has the work by `decided_by`", Offer),
    },
    problems=("wrong-state",),
)
async def accept(call: Call, parts: Parts) -> Reply:
    """Take the work."""
    offer_id = call.path["offer_id"]
    command = AcceptOffer(offer_id=offer_id, reference=call.body.reference)
    offers = parts.service.offers
    looked = offers.looking(call.principal, call.market, offer_id, whole=True)
    looked.left = await execute(call, parts, command, look=looked)
    offer = looked.left.offer_named(offer_id)
    if offer.code == NO_CAPACITY:
        raise closed_already(offer, offer_id)
    if offer.unanswered:
        return Reply(await offers.offer(call.principal, call.market, offer_id, looked), 202)
    return Reply(await offers.dispatch(call.principal, call.market, offer_id, looked))


@ROUTES.post(
    f"{OFFER}/decline",
    id="declineOffer",
    command=DeclineOffer,
    body=Body(Decline),
    answers={200: Answer("the declined offer", Offer)},
    problems=("wrong-state",),
)
async def decline(call: Call, parts: Parts) -> Reply:
    """Do not take the work; it is not offered to you again."""
    offer_id = call.path["offer_id"]
    command = DeclineOffer(offer_id=offer_id, code=call.body.code)
    return Reply(await with_offer(call, parts, command))


async def with_offer(call: Call, parts: Parts, command: OnOffer, prepare: Prepare | None = None) -> Offer:
    """The offer as it stands after a command on it."""
    offers, name = parts.service.offers, command.offer_id
    looked = offers.looking(call.principal, call.market, name)
    looked.left = await execute(call, parts, command, prepare, look=looked)
    return await offers.offer(call.principal, call.market, name, looked)
