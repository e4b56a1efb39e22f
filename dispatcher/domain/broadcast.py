"""A broadcast: several vendors are asked at once, and an offer that is out books nothing.

The first acceptance books, in the ledger, and closes the others, all in one commit. Where tuning has it
collect, acceptances are only noted for a while; then the best of them has the work: the cheapest, for
offers are made in that order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from contracts.tuning import Parameter
from dispatcher.domain.context import Context
from dispatcher.domain.offers import OfferRecord
from dispatcher.domain.requests import RequestRecord

COLLECT = Parameter(
    name="broadcast_collect_s",
    default=0,
    minimum=0,
    maximum=3_600,
    unit="seconds",
    summary="For so long a broadcast notes who says yes, and then takes the best; 0: the first has it.",
    scope="domain.broadcast",
)
PARAMETERS = (COLLECT,)


def collects_until(made: Sequence[OfferRecord], context: Context) -> int:
    """Until when acceptances of these new offers are only noted, in ms; 0: they are not.

    Never beyond the first that ends without an answer: who has said yes does not expire.
    """
    collect_s = COLLECT.whole(context.values)
    if not collect_s or not any(each.broadcast for each in made):
        return 0
    return min(context.now_ms + 1000 * collect_s, *(each.expires_ms for each in made))


def is_collecting(record: RequestRecord, offer: OfferRecord) -> bool:
    """Whether a yes to this offer is only noted: until the timer has taken the best, however late it is."""
    return bool(offer.wants) and record.collect_ms > 0


def willing(record: RequestRecord) -> list[OfferRecord]:
    """Who has said yes, the best first."""
    said = (each for each in record.offers if each.unanswered and each.willing_ms)
    return sorted(said, key=lambda each: each.attempt)


def all_said(offers: Iterable[OfferRecord]) -> bool:
    """Whether nobody is left whose answer is waited for."""
    return all(each.willing_ms for each in offers if each.unanswered)
