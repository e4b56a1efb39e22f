"""The messages of the decisions: what the platform, ops and a vendor hear of a step."""

from __future__ import annotations

from msgspec.structs import replace

from contracts.events import (
    DispatchConfirmed,
    OfferClosed,
    OfferMade,
    RequestChanged,
    RequestMatched,
    RequestUnmatched,
)
from contracts.geo import WindowView
from contracts.instants import to_instant
from contracts.requests import Request
from contracts.unmatched import Unmatched
from contracts.will_call import RequestActivated
from dispatcher.domain.decision import Message
from dispatcher.domain.offers import OfferRecord
from dispatcher.domain.requests import RequestRecord, offer_id
from dispatcher.domain.views import match_view, offer_view


def changed(after: RequestRecord, by: str, code: str = "", *, event: str = "changed") -> Message:
    """To all who follow requests: the state, and what the vendor reported last."""
    news = RequestChanged(
        request_id=after.id, state=after.state, version=after.version, by=by, code=code, status=after.status
    )
    return Message(type=f"dispatch.request.{event}", subject=after.id, data=news)


def activated(after: RequestRecord, by: str) -> Message:
    """To all who follow requests: a will-call was called, and the window that it has now."""
    news = RequestActivated(
        request_id=after.id,
        state=after.state,
        version=after.version,
        window=WindowView(earliest=to_instant(after.earliest_ms), latest=to_instant(after.latest_ms)),
        by=by,
    )
    return Message(type="dispatch.request.activated", subject=after.id, data=news)


def matched(after: RequestRecord, offer: OfferRecord) -> Message:
    """To the platform: a vendor was found (`offered`, with the facts of the choice) or has taken the work."""
    match = match_view(after, offer)
    if not offer.unanswered:
        match = replace(match, terms=(), runners_up=())  # told before, and in the request's view
    news = RequestMatched(match=match, offer_id=offer_id(after, offer), state=after.state)
    return Message(type="dispatch.request.matched", subject=after.id, data=news)


def unmatched(after: RequestRecord, reasons: Unmatched) -> Message:
    """To the platform: the deadline passed without a vendor, and why."""
    news = RequestUnmatched(request_id=after.id, unmatched=reasons)
    return Message(type="dispatch.request.unmatched", subject=after.id, data=news)


def made(after: RequestRecord, offer: OfferRecord, request: Request) -> Message:
    """To the vendor: the offer, without door or name."""
    return _to_vendor(after, offer, "dispatch.offer.made", OfferMade(offer=offer_view(after, offer, request)))


def closed(after: RequestRecord, offer: OfferRecord) -> Message:
    """To the vendor: it is relieved of this offer or dispatch, and why."""
    news = OfferClosed(offer_id=offer_id(after, offer), state=offer.state.value, code=offer.code)
    return _to_vendor(after, offer, "dispatch.offer.closed", news)


def confirmed(after: RequestRecord, offer: OfferRecord) -> Message:
    """To the vendor: the work is its own. `href` is relative to the market's root."""
    name = offer_id(after, offer)
    news = DispatchConfirmed(offer_id=name, href=f"dispatches/{name}")
    return _to_vendor(after, offer, "dispatch.dispatch.confirmed", news)


def _to_vendor(
    after: RequestRecord,
    offer: OfferRecord,
    kind: str,
    data: OfferMade | OfferClosed | DispatchConfirmed,
) -> Message:
    subject = offer_id(after, offer)
    return Message(type=kind, subject=subject, data=data, vendor_id=offer.vendor_id)
