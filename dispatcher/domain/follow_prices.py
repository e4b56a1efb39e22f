"""Where the price of a dispatch changes, or is disputed, its vendor and all who follow are told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from contracts.prices import DispatchPriced, PriceChanged
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Decision, Message
from dispatcher.domain.offers import OfferRecord
from dispatcher.domain.prices import charged, lines_of, lines_view
from dispatcher.domain.requests import RequestRecord, offer_id
from dispatcher.domain.states import WORKED_ON


def with_prices(decision: Decision, context: Context) -> Decision:
    """The decision with the news; as it is where no dispatch costs otherwise than it did."""
    told = [
        message
        for change in decision.changes
        if isinstance(change.before, RequestRecord) and isinstance(change.after, RequestRecord)
        for message in _news(change.before, change.after)
    ]
    return replace(decision, messages=(*decision.messages, *told)) if told else decision


def _news(before: RequestRecord, after: RequestRecord) -> Iterator[Message]:
    """Of one that is over and costs nothing there is none; why it is over, its vendor is told with that."""
    if before.offers == after.offers:
        return
    known = {each.attempt: each for each in before.offers}
    for offer in after.offers:
        was = known.get(offer.attempt)
        if was is None or was is offer or not _costs_otherwise(was, offer):
            continue
        if charged(offer) or offer.state in WORKED_ON:
            yield _to_all(after, offer)
            if offer.state is was.state or offer.state in WORKED_ON:
                yield _to_vendor(after, offer)


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
