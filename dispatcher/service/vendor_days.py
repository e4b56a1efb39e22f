"""A vendor's dispatches of a day, those that are over among them: what is open, and what its outcomes name.

Nothing is kept for it alone: work that is under way stands in its vendor's list, and work that has ended in
what stands behind its scorecard, each by when it was to start.
"""

from __future__ import annotations

from datetime import date
from typing import Final

from contracts.codes import OfferState, TrackingStatus
from contracts.dispatches import DayDispatch, DispatchPage, DispatchQuery
from contracts.instants import DAY_MS, to_instant
from contracts.patients import Patient
from contracts.requests import Request
from dispatcher.domain.offers import OfferRecord
from dispatcher.domain.prices import charged, lines_view
from dispatcher.domain.requests import RequestRecord, request_id_of
from dispatcher.domain.rights import SEES_PATIENT
from dispatcher.domain.scorecards import ENDED, Outcome, days_between
from dispatcher.domain.states import SHOWS_PATIENT
from dispatcher.domain.views import dispatch_view, offer_view
from dispatcher.runtime.clock import Clock
from dispatcher.security.principal import Principal
from dispatcher.service.local_days import span_ms
from dispatcher.service.markets import Markets
from dispatcher.service.patient_reads import PatientReads
from dispatcher.store.listing import Cursor, Place
from dispatcher.store.market import MarketStore

MOST_OPEN: Final = 1_000  # of a day
BEFORE_DAYS, AFTER_DAYS = 1, 3  # work may end, or be told as ended, so long before and after its day
BACK = TrackingStatus.TURNED_BACK
KEPT = ENDED | {Outcome.CHARGED}
SHOWN = SHOWS_PATIENT | {OfferState.TURNED_BACK}


class VendorDays:
    """Raises NotFound and Unavailable."""

    def __init__(self, markets: Markets, reads: PatientReads, clock: Clock) -> None:
        self.markets, self.reads, self.clock = markets, reads, clock

    async def page(self, who: Principal, market: str, query: DispatchQuery) -> DispatchPage:
        """A page of them, by their start; that patients are shown is durable before. Raises Invalid."""
        self.markets.authorize(who, market)
        stored, day = self.markets.store(market), query.day or self._today(market)
        after = Cursor.parse(query.cursor)
        places = [each for each in await self._places(stored, market, who.vendor_id, day) if each > after]
        page = places[: query.limit]
        found = await self._shown(who, stored, [each.id for each in page])
        named = [each.id for each in found if each.patient is not None]
        await self.reads.note_dispatches(who, market, named)
        more = len(places) > len(page)
        return DispatchPage(day=day, dispatches=tuple(found), cursor=str(Cursor(*page[-1])) if more else "")

    def _today(self, market: str) -> date:
        return to_instant(self.clock.now_ms()).astimezone(self.markets.zones[market]).date()

    async def _places(self, stored: MarketStore, market: str, vendor_id: str, day: date) -> list[Place]:
        """Where each stands: its start, and its id."""
        start_ms, end_ms = span_ms(day, self.markets.zones[market])
        days = days_between(start_ms - BEFORE_DAYS * DAY_MS, end_ms + AFTER_DAYS * DAY_MS)
        known = {
            each.offer_id: each.entry.start_ms
            for each in await stored.scorecards.entries(vendor_id, days)
            if each.outcome in KEPT and start_ms <= each.entry.start_ms < end_ms
        }
        still = await stored.requests.offers_starting(vendor_id, start_ms, end_ms, MOST_OPEN)
        known |= {each.id: each.score for each in still}
        return sorted(Place(start_ms, offer_id) for offer_id, start_ms in known.items())

    async def _shown(self, who: Principal, stored: MarketStore, names: list[str]) -> list[DayDispatch]:
        ids = list(dict.fromkeys(map(request_id_of, names)))
        records, bodies = await stored.requests.records.get_all(ids), await stored.requests.with_patients(ids)
        unread = await stored.threads.unread(names, who.subject)
        found = []
        for name in names:
            record, held = records.get(request_id_of(name)), bodies.get(request_id_of(name))
            if record is None or held is None:  # forgotten since, or set aside
                continue
            offer = record.offer_named(name, who.vendor_id)
            if offer.state in SHOWN or charged(offer):
                request, patient = held
                seen = patient if who.may(SEES_PATIENT) else None
                found.append(_row(record, offer, request, seen, unread.get(name, 0)))
        return found


def _row(
    record: RequestRecord, offer: OfferRecord, request: Request, patient: Patient | None, unread: int
) -> DayDispatch:
    """As the vendor may see it: of what it gave back, or was taken from it, neither door nor patient."""
    if offer.state not in SHOWS_PATIENT:
        made = offer_view(record, offer, request)
        status = BACK if offer.state is OfferState.TURNED_BACK else None
        lines = lines_view(charged(offer) or ())
        return DayDispatch(
            id=made.id, offer=made, reference=offer.reference, status=status, price_lines=lines
        )
    whole = dispatch_view(record, offer, request, patient)
    return DayDispatch(
        id=whole.id,
        offer=whole.offer,
        reference=whole.reference,
        status=whole.status,
        pickup=whole.pickup,
        dropoff=whole.dropoff,
        patient=whole.patient,
        identifiers=whole.identifiers,
        price_lines=whole.price_lines,
        unread=unread,
    )
