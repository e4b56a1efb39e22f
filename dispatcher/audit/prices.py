"""Whether what is charged adds up: the lines of a price, waiting, and fees, as they are stored."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from contracts.codes import OfferState
from contracts.prices import PriceKind
from dispatcher.domain.offers import OfferRecord
from dispatcher.domain.prices import AFTERWARDS, FEES, lines_of
from dispatcher.domain.request_kind import REQUEST_KIND
from dispatcher.domain.requests import RequestRecord, offer_id
from dispatcher.store.survey import Survey, of_kind

Finding = tuple[str, str]


def out_of_sum(found: Survey) -> Iterator[Finding]:
    """The lines of a price are the price; nobody waits after the work; a fee belongs to how it ended."""
    for record in of_kind(found, REQUEST_KIND.name, RequestRecord):
        for offer in record.offers:
            yield from ((offer_id(record, offer), told) for told in wrong(offer))


def wrong(offer: OfferRecord) -> Iterator[str]:
    """What is wrong with the price of one offer, in words."""
    lines = lines_of(offer)
    total, kinds = sum(each.cents for each in lines), {each.kind for each in lines}
    if total != offer.price_cents:
        yield f"costs {offer.price_cents} cents, its lines are {total}"
    if total < 0 and offer.state is not OfferState.TURNED_BACK:
        yield f"is {offer.state.value}, and its vendor owes {-total} cents"
    for kind in sorted(kinds & FEES):
        if offer.state is not _ENDS[kind]:
            yield f"is {offer.state.value}, and has the fee {kind.value}"
    if offer.unanswered and kinds & AFTERWARDS:
        yield "is not accepted, and more is charged than was offered"
    if any(each.is_open for each in offer.waits) and offer.state is not OfferState.ACCEPTED:
        yield f"is {offer.state.value}, and its vendor waits"
    if any(not one.until_ms or one.until_ms >= other.since_ms for one, other in pairwise(offer.waits)):
        yield "was waited for twice at once"


_ENDS = {
    PriceKind.TURN_BACK: OfferState.TURNED_BACK,
    PriceKind.LATE_CANCEL: OfferState.CANCELLED,
    PriceKind.NO_SHOW: OfferState.COMPLETED,
}
