"""Events: CloudEvents 1.0, one per stream entry. `EVENTS` maps each type to what its data holds."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from contracts.base import Count, Id, Instant, OfferId, Wire
from contracts.codes import ReportCode, RequestState, TrackingStatus
from contracts.matches import Match
from contracts.offers import Offer
from contracts.tasks import TaskChanged
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


class RequestChanged(Wire):
    """A request went to another state."""

    request_id: Id
    state: RequestState
    version: Count
    by: str = ""
    code: str = ""
    status: TrackingStatus | None = None


class RequestMatched(Wire):
    """A request has a vendor: on `matches`, for the platform."""

    match: Match
    offer_id: OfferId
    state: RequestState


class RequestUnmatched(Wire):
    """A request found no vendor by its deadline, and why."""

    request_id: Id
    unmatched: Unmatched


class OfferMade(Wire):
    """An offer put to a vendor: on the vendor's own stream."""

    offer: Offer


class OfferClosed(Wire):
    """An offer or dispatch ended for its vendor: expired, cancelled, rejected, turned back.

    Cancelled with the code `withdrawn`: it was not answered yet, and its request went elsewhere meanwhile.
    """

    offer_id: OfferId
    state: str
    code: str = ""


class DispatchConfirmed(Wire):
    """The vendor's acceptance is booked; door and patient are read over HTTP, never from a stream."""

    offer_id: OfferId
    href: str


class ReplyRefused(Wire):
    """A reply over Redis that was not taken, with the problem type and what may fix it."""

    reply_id: str
    type: str
    detail: str


class OfferReply(Wire):
    """A vendor's answer or report over `replies`; exactly what the HTTP routes take."""

    offer_id: OfferId
    reference: Annotated[str, Meta(max_length=64)] = ""
    code: ReportCode | None = None
    status: TrackingStatus | None = None
    at: Instant | None = None


EVENTS: dict[str, type[Wire]] = {
    "dispatch.request.received": RequestChanged,
    "dispatch.request.changed": RequestChanged,
    "dispatch.request.overdue": RequestChanged,
    "dispatch.request.matched": RequestMatched,
    "dispatch.request.unmatched": RequestUnmatched,
    "dispatch.offer.made": OfferMade,
    "dispatch.offer.closed": OfferClosed,
    "dispatch.dispatch.confirmed": DispatchConfirmed,
    "dispatch.reply.refused": ReplyRefused,
    "dispatch.task.opened": TaskChanged,
    "dispatch.task.claimed": TaskChanged,
    "dispatch.task.escalated": TaskChanged,
    "dispatch.task.done": TaskChanged,
}
REPLIES: dict[str, type[Wire]] = {
    "dispatch.reply.accept": OfferReply,
    "dispatch.reply.decline": OfferReply,
    "dispatch.reply.status": OfferReply,
}
