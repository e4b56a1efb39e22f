"""The messages of the decisions: what the platform, ops and a vendor hear of a step."""

from __future__ import annotations

from msgspec.structs import replace

from contracts.amendments import (
    AmendmentAnswered,
    AmendmentOutcome,
    AmendmentProposed,
    AmendmentWithdrawn,
    DispatchAmended,
)
from contracts.asked_windows import WindowAsked
from contracts.base import Wire
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
from dispatcher.domain.amendments import Amendment
from dispatcher.domain.decision import Message
from dispatcher.domain.offers import OfferRecord
from dispatcher.domain.prices import charged, lines_view
from dispatcher.domain.requests import RequestRecord, offer_id
from dispatcher.domain.tasks import TaskRecord
from dispatcher.domain.views import match_view, offer_view, proposed_offer


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
        window=_window(after.earliest_ms, after.latest_ms),
        by=by,
    )
    return Message(type="dispatch.request.activated", subject=after.id, data=news)


def window_asked(after: RequestRecord, task: TaskRecord, by: str) -> Message:
    """To the platform: which window would do; the request stays as it is until it is amended."""
    news = WindowAsked(
        request_id=after.id,
        task_id=task.id,
        window=_window(task.asked_earliest_ms, task.asked_latest_ms),
        now=_window(after.earliest_ms, after.latest_ms),
        by=by,
    )
    return Message(type="dispatch.request.window_asked", subject=after.id, data=news)


def _window(earliest_ms: int, latest_ms: int) -> WindowView:
    return WindowView(earliest=to_instant(earliest_ms), latest=to_instant(latest_ms))


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
    news = OfferClosed(
        offer_id=offer_id(after, offer),
        state=offer.state.value,
        code=offer.code,
        price_lines=lines_view(charged(offer) or ()),
    )
    return _to_vendor(after, offer, "dispatch.offer.closed", news)


def confirmed(after: RequestRecord, offer: OfferRecord) -> Message:
    """To the vendor: the work is its own. `href` is relative to the market's root."""
    name = offer_id(after, offer)
    news = DispatchConfirmed(offer_id=name, href=f"dispatches/{name}")
    return _to_vendor(after, offer, "dispatch.dispatch.confirmed", news)


def proposed(after: RequestRecord, offer: OfferRecord, asked: Amendment, request: Request) -> Message:
    """To the vendor that has the work: whether it keeps it, as it would be; without door or name."""
    news = AmendmentProposed(
        offer_id=offer_id(after, offer),
        number=len(after.amendments),
        fields=asked.shown,
        expires_at=to_instant(asked.expires_ms),
        offer=proposed_offer(after, offer, asked, request),
    )
    return _to_vendor(after, offer, "dispatch.amendment.proposed", news)


def withdrawn(after: RequestRecord, over: Amendment) -> list[Message]:
    """To the vendor that was asked, and still has the work as it was: it need not answer."""
    number = len(after.amendments)
    return [
        _to_vendor(
            after,
            offer,
            "dispatch.amendment.withdrawn",
            AmendmentWithdrawn(offer_id=offer_id(after, offer), number=number, outcome=over.outcome),
        )
        for offer in after.live_offers
        if offer.attempt == over.attempt
    ]


def amended(after: RequestRecord, offer: OfferRecord, over: Amendment) -> Message:
    """To the vendor that has the work: it is other work now, or about somebody else."""
    name = offer_id(after, offer)
    news = DispatchAmended(
        offer_id=name, number=len(after.amendments), fields=over.shown, href=f"dispatches/{name}"
    )
    return _to_vendor(after, offer, "dispatch.dispatch.amended", news)


def answered(after: RequestRecord, over: Amendment) -> Message:
    """To all who follow requests: whether its vendor keeps the work."""
    news = AmendmentAnswered(
        request_id=after.id,
        offer_id=f"{after.id}.{over.attempt}",
        number=len(after.amendments),
        outcome=over.outcome,
        rules=over.rules,
    )
    what = "agreed" if over.outcome is AmendmentOutcome.AGREED else "refused"
    return Message(type=f"dispatch.amendment.{what}", subject=after.id, data=news)


def _to_vendor(after: RequestRecord, offer: OfferRecord, kind: str, data: Wire) -> Message:
    subject = offer_id(after, offer)
    return Message(type=kind, subject=subject, data=data, vendor_id=offer.vendor_id)
