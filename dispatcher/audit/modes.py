"""Who is asked at once, and who after whom, as it is stored: chains, and offers that book nothing yet."""

from __future__ import annotations

from collections.abc import Iterator

from contracts.codes import RequestState
from dispatcher.domain.request_kind import REQUEST_KIND
from dispatcher.domain.requests import RequestRecord, offer_id
from dispatcher.store.survey import Survey, of_kind


def asked_otherwise(found: Survey) -> Iterator[tuple[str, str]]:
    """A chain waits behind one offer that is out; what is out has booked, or is of a broadcast, and will.

    A broadcast that collects is decided in time.
    """
    for each in of_kind(found, REQUEST_KIND.name, RequestRecord):
        yield from _chained(each)
        for offer in each.offers:
            name = offer_id(each, offer)
            if offer.wants and not (offer.unanswered and offer.broadcast):
                yield name, f"is {offer.state.value}, and would still book"
            if offer.wants and offer.bookings:
                yield name, "has booked, and would book again"
            if offer.live and not (offer.wants or offer.bookings):
                yield name, f"is {offer.state.value}, and takes nothing"
        if each.collect_ms and each.timer_ms > each.collect_ms:
            yield each.id, "collects, and nothing decides who has it"


def _chained(record: RequestRecord) -> Iterator[tuple[str, str]]:
    if not record.chain and not record.collect_ms:
        return
    if record.state is not RequestState.OFFERED:
        yield record.id, f"is {record.state.value}, and knows who is asked next"
    if record.chain and len(record.live_offers) != 1:
        yield record.id, f"has a chain behind {len(record.live_offers)} offers"
    names = [each.vendor_id for each in record.live_offers] + [each.vendor_id for each in record.chain]
    if len(set(names)) < len(names):
        yield record.id, "asks a vendor twice"
