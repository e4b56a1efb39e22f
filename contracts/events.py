"""Events: CloudEvents 1.0, one per stream entry; what those about requests, offers and replies hold."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from contracts.base import Count, Id, Instant, OfferId, Wire
from contracts.codes import ReportCode, RequestState, TrackingStatus
from contracts.event_types import event
from contracts.matches import Match
from contracts.offers import Offer
from contracts.streams import To
from contracts.unmatched import Unmatched

PREFIX = "dispatch."


class CloudEvent(Wire):
    """The envelope (CloudEvents 1.0). `subject` is a request or offer id; `id` dedupes."""

    specversion: Literal["1.0"] = "1.0"
    id: Annotated[str, Meta(min_length=1, max_length=128)]
    source: Annotated[str, Meta(min_length=1, max_length=128)]
    type: Annotated[str, Meta(min_length=1, max_length=64)]
    subject: Annotated[str, Meta(max_length=128)] = ""
    time: Instant
    datacontenttype: str = "application/json"
    data: dict[str, Any] = msgspec.field(default_factory=dict)
    # Extension: the vendor's bearer token, on `replies` only, where no HTTP header can carry it.
    dispatchtoken: Annotated[str, Meta(max_length=4096)] = ""


@event("dispatch.request.received", "dispatch.request.changed", "dispatch.request.overdue", to=To.EVENTS)
class RequestChanged(Wire):
    """A request went to another state."""

    request_id: Id
    state: RequestState
    version: Count
    by: str = ""
    code: str = ""
    status: TrackingStatus | None = None


@event("dispatch.request.matched", to=To.MATCHES)
class RequestMatched(Wire):
    """A request has a vendor: on `matches`, for the platform."""

    match: Match
    offer_id: OfferId
    state: RequestState


@event("dispatch.request.unmatched", to=To.MATCHES)
class RequestUnmatched(Wire):
    """A request found no vendor by its deadline, and why."""

    request_id: Id
    unmatched: Unmatched


class GapReason(StrEnum):
    """Why a feed over HTTP may have left something out."""

    TRIMMED = "trimmed"  # what followed the position is no longer kept
    AHEAD = "ahead"  # the position is behind all that there is: it is another market's, or data was restored


class FeedGap(Wire):
    """`dispatch.feed.gap`, in feeds over HTTP only: something may be missing before what follows.

    Read anew what you keep a copy of. `after` is the position that was asked for.
    """

    reason: GapReason
    after: str


@event("dispatch.offer.made", to=To.VENDOR)
class OfferMade(Wire):
    """An offer put to a vendor: on the vendor's own stream."""

    offer: Offer


@event("dispatch.offer.closed", to=To.VENDOR)
class OfferClosed(Wire):
    """An offer or dispatch ended for its vendor: expired, cancelled, rejected, turned back."""

    offer_id: OfferId
    state: str
    code: str = ""


@event("dispatch.dispatch.confirmed", to=To.VENDOR)
class DispatchConfirmed(Wire):
    """The vendor's acceptance is booked; door and patient are read over HTTP, never from a stream."""

    offer_id: OfferId
    href: str


@event("dispatch.reply.refused", to=To.VENDOR)
class ReplyRefused(Wire):
    """A reply over Redis that was not taken, with the problem type and what may fix it."""

    reply_id: str
    type: str
    detail: str


@event("dispatch.reply.accept", "dispatch.reply.decline", "dispatch.reply.status", to=To.REPLIES)
class OfferReply(Wire):
    """A vendor's answer or report over `replies`; exactly what the HTTP routes take."""

    offer_id: OfferId
    reference: Annotated[str, Meta(max_length=64)] = ""
    code: ReportCode | None = None
    status: TrackingStatus | None = None
    at: Instant | None = None
