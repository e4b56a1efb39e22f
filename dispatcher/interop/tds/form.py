"""The form `tcrp210` of a vendor's webhook: which event is which telegram, and what it is made of.

Doors and names are in no stream: they are read when the telegram is sent, as its vendor, by the same view as
over HTTP, and that they were shown is noted. Of what has ended since nothing is sent: what follows says so.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import msgspec
from msgspec.structs import replace

from contracts.amendments import AmendmentProposed
from contracts.codes import OfferState, Role
from contracts.dispatches import Dispatch
from contracts.events import OfferClosed, OfferMade
from contracts.instants import to_instant
from contracts.offers import Offer
from contracts.webhooks import TELEGRAMS, WebhookForm
from dispatcher.delivery.webhooks.content import Event
from dispatcher.delivery.webhooks.forms import Form
from dispatcher.delivery.webhooks.test_calls import TYPE as TEST
from dispatcher.domain.refusals import NotFound, WrongState
from dispatcher.domain.webhooks import WebhookRecord
from dispatcher.interop.tds import orders
from dispatcher.interop.tds.writing import MEDIA, telegram, time
from dispatcher.security.principal import Principal
from dispatcher.service.service import Service

RIDE = "trip"
DECLINED = OfferState.REJECTED  # whoever declines has nothing to send; a turn-back may have been a driver's
WITHOUT_END = frozenset(
    {DECLINED, OfferState.COMPLETED, OfferState.FAILED}
)  # no telegram says that it is over


def forms(service: Service) -> Mapping[WebhookForm, Form]:
    """Those that this room has, over a service."""
    return {each: Telegrams(service, TELEGRAMS[each]) for each in TELEGRAMS}


class Telegrams:
    """One of them: `said` names the telegram for each type of event."""

    media = MEDIA

    def __init__(self, service: Service, said: Mapping[str, str]) -> None:
        self.service, self.said = service, said

    async def body(self, market: str, hook: WebhookRecord, event: Event) -> bytes | None:
        """One telegram; None for what has none: equipment, what its vendor declined, what has ended since.

        Raises Unreadable, Unavailable.
        """
        tz, sent = self.service.markets.zones[market], _instant(event["time"])
        name = str(event.get("subject", ""))
        if event["type"] == TEST:
            return telegram("telegram", event["id"], time("timestamp", sent, tz), kind="TripRequest")
        wanted, who = self.said.get(event["type"]), _vendor(market, hook.vendor_id)
        if wanted == "tripCancelRequest":
            closed, offer = msgspec.convert(event["data"], OfferClosed), await self._read(who, market, name)
            is_news = closed.state != DECLINED and offer is not None and offer.kind == RIDE
            return orders.cancellation(name, closed, sent, tz) if is_news else None
        if wanted == "tripRequest":
            offer = await self._offer(who, market, name, event)
            return orders.trip_request(offer, sent, tz) if offer and offer.kind == RIDE else None
        dispatch = await self._dispatch(who, market, name) if wanted is not None else None
        if dispatch is None or dispatch.offer.kind != RIDE:
            return None
        if wanted == "tripTask":
            return orders.task(dispatch, sent, tz)
        return orders.order(dispatch, market, sent, tz)

    async def _offer(self, who: Principal, market: str, name: str, event: Event) -> Offer | None:
        """As the event has it, unless that is over and nothing follows that says so; else as it stands."""
        offer = await self._read(who, market, name)
        if offer is None:
            return None
        if event["type"] == "dispatch.offer.made":
            return msgspec.convert(event["data"], OfferMade).offer if offer.state not in WITHOUT_END else None
        if event["type"] == "dispatch.amendment.proposed":
            proposed = msgspec.convert(event["data"], AmendmentProposed)
            asked = replace(proposed.offer, expires_at=proposed.expires_at)  # until when it may be answered
            return asked if asked.amendment == offer.amendment else None
        return offer if offer.state is OfferState.REQUESTED else None

    async def _read(self, who: Principal, market: str, name: str) -> Offer | None:
        """None: it is forgotten, and so is all that was told of it."""
        try:
            return await self.service.offers.offer(who, market, name)
        except NotFound:
            return None

    async def _dispatch(self, who: Principal, market: str, name: str) -> Dispatch | None:
        """While its vendor has the work: whose it was knows the patient from then, and needs no more."""
        offer = await self._read(who, market, name)
        if offer is None or offer.state is not OfferState.ACCEPTED:
            return None
        try:
            return await self.service.offers.dispatch(who, market, name)
        except (NotFound, WrongState):  # it ended between the two
            return None


def _vendor(market: str, vendor_id: str) -> Principal:
    """As whom it is read: what a vendor may not see is not sent to it either."""
    return Principal.of(Role.VENDOR, subject="tds", markets=frozenset({market}), vendor_id=vendor_id)


def _instant(said: object) -> dt.datetime:
    """An event's time, in whichever form its stream has it."""
    return msgspec.convert(said, dt.datetime) if not isinstance(said, int) else to_instant(said)
