"""Whether vendors' statements are what dispatches cost that are over."""

from __future__ import annotations

from collections.abc import Iterator

from contracts.instants import DAY_MS
from dispatcher.domain.offers import OfferRecord
from dispatcher.domain.prices import charged
from dispatcher.domain.request_kind import REQUEST_KIND
from dispatcher.domain.requests import RequestRecord, offer_id
from dispatcher.domain.statements import is_over
from dispatcher.store.survey import Survey, of_kind

KEPT_MS = 28 * DAY_MS  # the least that tuning may say: a month after the month


def unbilled(found: Survey) -> Iterator[tuple[str, str]]:
    """The items of each are its price, corrections among them; each open dispute stands there, no other."""
    billed = found.billed
    for record in of_kind(found, REQUEST_KIND.name, RequestRecord):
        for offer in filter(is_over, record.offers):
            name = offer_id(record, offer)
            price = sum(each.cents for each in charged(offer) or ())
            said, open_now = billed.cents.get(name, 0), sum(each.open for each in offer.disputes)
            if name not in billed.work:
                if _is_to_be_there(found, offer):
                    yield name, f"is {offer.state.value} and stands in no statement"
            elif said != price:
                yield name, f"costs {price} cents, and its vendor's statement says {said}"
            elif _is_kept(found, offer) and billed.disputed.get(name, 0) != open_now:
                yield name, f"has {open_now} open disputes, its statement {billed.disputed.get(name, 0)}"


def _is_to_be_there(found: Survey, offer: OfferRecord) -> bool:
    """Whether it ended since statements are written, and its month is not so old that it went."""
    billed = found.billed
    if billed.odd or not billed.first_ms or offer.closed_ms < billed.first_ms:
        return False
    return _is_kept(found, offer)


def _is_kept(found: Survey, offer: OfferRecord) -> bool:
    """Whether its month surely is; of one that is not, no disputed line stands there."""
    return offer.start_ms > found.billed.last_ms - KEPT_MS
