"""Where the price of a dispatch changes, or is disputed, its vendor and all who follow are told.

Work that is taken back and costs something all the same stands in its vendor's day, as what was done does.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from contracts.codes import OfferState
from contracts.prices import DispatchPriced, PriceChanged
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Decision, Message
from dispatcher.domain.offers import OfferRecord
from dispatcher.domain.prices import charged, lines_of, lines_view
from dispatcher.domain.requests import RequestRecord, offer_id
from dispatcher.domain.scorecards import Outcome, WorkOutcome, outcome_of
from dispatcher.domain.states import WORKED_ON


def with_prices(decision: Decision, context: Context) -> Decision:
    """The decision with the news; as it is where no dispatch costs otherwise than it did."""
    told = list[Message]()
    owed = list[WorkOutcome]()
    for change in decision.changes:
        if isinstance(change.before, RequestRecord) and isinstance(change.after, RequestRecord):
            for was, offer in _priced_anew(change.before, change.after):
                told += _news(change.after, was, offer)
                owed += _owed(change.after, was, offer, context)
    if not told:
        return decision
    return replace(decision, messages=(*decision.messages, *told), outcomes=(*decision.outcomes, *owed))


def _priced_anew(before: RequestRecord, after: RequestRecord) -> Iterator[tuple[OfferRecord, OfferRecord]]:
    """Each dispatch as it was and is, one that is over and costs nothing by now among them."""
    if before.offers == after.offers:
        return
    known = {each.attempt: each for each in before.offers}
    for offer in after.offers:
        was = known.get(offer.attempt)
        if was is None or was is offer or not _costs_otherwise(was, offer):
            continue
        if charged(offer) or was.state in WORKED_ON:
            yield was, offer


def _news(after: RequestRecord, was: OfferRecord, offer: OfferRecord) -> Iterator[Message]:
    """Why it is over, its vendor is told with that."""
    yield _to_all(after, offer)
    if offer.state is was.state or offer.state in WORKED_ON:
        yield _to_vendor(after, offer)


def _owed(
    after: RequestRecord, was: OfferRecord, offer: OfferRecord, context: Context
) -> Iterator[WorkOutcome]:
    """On the day on which it was to be, however long before it was taken back."""
    if offer.state is OfferState.CANCELLED and was.state in WORKED_ON and charged(offer):
        at_ms = max(context.now_ms, offer.start_ms)
        yield outcome_of(after, offer, context, Outcome.CHARGED, code=offer.code, at_ms=at_ms)


def _costs_otherwise(was: OfferRecord, now: OfferRecord) -> bool:
    if was.disputes != now.disputes or was.waits != now.waits:
        return True
    return lines_of(was) != lines_of(now)


def _to_all(after: RequestRecord, offer: OfferRecord) -> Message:
    name = offer_id(after, offer)
    news = PriceChanged(request_id=after.id, offer_id=name, vendor_id=offer.vendor_id, **_facts(offer))
    return Message(type="dispatch.price.changed", subject=after.id, data=news)


def _to_vendor(after: RequestRecord, offer: OfferRecord) -> Message:
    name = offer_id(after, offer)
    news = DispatchPriced(offer_id=name, href=f"dispatches/{name}/price", **_facts(offer))
    return Message(type="dispatch.dispatch.priced", subject=name, data=news, vendor_id=offer.vendor_id)


def _facts(offer: OfferRecord) -> dict[str, Any]:
    lines = charged(offer) or ()
    return {
        "price_cents": sum(each.cents for each in lines),
        "price_lines": lines_view(lines),
        "waiting": any(each.is_open for each in offer.waits),
        "open_disputes": sum(each.open for each in offer.disputes),
    }
