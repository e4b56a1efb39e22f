"""What each user may read, and nothing else (P6)."""

from __future__ import annotations

from contracts.codes import RequestState, Role
from contracts.dispatches import Dispatch
from contracts.offers import Offer
from contracts.request_views import RequestView
from dispatcher.domain.record import OfferRecord, RequestRecord, offer_id, request_id_of
from dispatcher.domain.refusals import Invalid, NotFound
from dispatcher.domain.states import LIVE_OFFERS
from dispatcher.domain.transitions import offer_named
from dispatcher.domain.views import dispatch_view, offer_view, request_view
from dispatcher.security.principal import Principal
from dispatcher.service.base import Base


class Reads(Base):
    """Views. They raise NotFound for what is unknown or another's, and Unavailable."""

    async def view(self, who: Principal, market: str, request_id: str) -> RequestView:
        """One request, for platform and ops."""
        self.enter_for_requests(who, market)
        return request_view(await self.known(market, request_id, f"request {request_id}"))

    async def page(
        self, who: Principal, market: str, state: RequestState | None, cursor: str | None, limit: int
    ) -> tuple[list[RequestView], str | None]:
        """Requests by time received, and where the next page starts. Raises Invalid for a strange cursor."""
        self.enter_for_requests(who, market)
        try:
            page = await self.store.page(market, state, cursor, limit)
        except ValueError as error:
            raise Invalid(str(error)) from error
        return [request_view(record) for record in page.records], page.cursor

    async def offers_of(self, who: Principal, market: str, vendor_id: str) -> list[Offer]:
        """A vendor's open offers and dispatches, earliest start first, without door and patient."""
        self.enter(who, market)
        who.refuse_others(vendor_id)
        names = await self.store.offers(market, vendor_id)
        ids = list(dict.fromkeys(map(request_id_of, names)))
        records, requests = await self.store.records(market, ids), await self.store.requests(market, ids)
        return [
            offer_view(records[each], offer, requests[each])
            for each in ids
            if each in records and each in requests
            for offer in records[each].offers
            if offer.vendor_id == vendor_id and offer.state in LIVE_OFFERS
        ]

    async def offer_of(
        self, who: Principal, market: str, name: str, known: RequestRecord | None = None
    ) -> Offer:
        """One offer: a vendor's own; platform and ops may see any. `known`: its record, if just read."""
        record, offer = await self._offer(who, market, name, known)
        request = await self.store.request(market, record.id)
        if request is None:
            raise _no_offer(name)
        return offer_view(record, offer, request)

    async def dispatch_of(
        self, who: Principal, market: str, name: str, known: RequestRecord | None = None
    ) -> Dispatch:
        """One dispatch with its door, and with the patient unless ops asks. `known`: as above.

        Raises WrongState before acceptance and after the work was given back.
        """
        record, offer = await self._offer(who, market, name, known)
        request = await self.store.request(market, record.id)
        if request is None:
            raise _no_offer(name)
        dispatch_view(record, offer, request, None)  # refuses before the patient block is opened
        patient = None if who.role is Role.OPS else await self.store.patient(market, record.id)
        return dispatch_view(record, offer, request, patient)

    async def _offer(
        self, who: Principal, market: str, name: str, known: RequestRecord | None
    ) -> tuple[RequestRecord, OfferRecord]:
        self.enter(who, market)
        record = known or await self.known(market, request_id_of(name), f"offer {name}")
        if who.role is Role.VENDOR:
            return record, offer_named(record, name, who.vendor_id)
        for offer in record.offers:
            if offer_id(record, offer) == name:
                return record, offer
        raise _no_offer(name)


def _no_offer(name: str) -> NotFound:
    return NotFound(f"there is no offer {name}\nMaybe the id is misspelt.")
