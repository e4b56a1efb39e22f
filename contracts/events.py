"""Events: CloudEvents 1.0, one per stream entry; what those about requests, offers and replies hold."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from contracts.base import Id, Instant, OfferId, Tally, Version, Wire, refuse_odd_year
from contracts.codes import ReportCode, RequestState, TrackingStatus
from contracts.counters import Counter
from contracts.event_types import event
from contracts.matches import Match
from contracts.offers import Offer
from contracts.prices import PriceLine
from contracts.proofs import ProofReport
from contracts.streams import To
from contracts.unmatched import Unmatched

PREFIX = "dispatch."
LONGEST_SIGNATURE = 131_072  # it repeats the data: a proof of 40 items, in letters that JSON escapes


def _version() -> Literal["1.0"]:
    return "1.0"


class CloudEvent(Wire, forbid_unknown_fields=False):
    """The envelope (CloudEvents 1.0). `subject` is a request or offer id; `source` and `id` together dedupe.

    Attributes that are not named here are extensions: legal, and not looked at.
    """

    specversion: Literal["1.0"] = msgspec.field(default_factory=_version)  # never left out
    id: Annotated[str, Meta(min_length=1, max_length=256)]
    source: Annotated[str, Meta(min_length=1, max_length=1024)]
    type: Annotated[str, Meta(min_length=1, max_length=256)]
    subject: Annotated[str, Meta(max_length=256)] = ""
    time: Instant | None = None
    datacontenttype: str = "application/json"
    dataschema: Annotated[str, Meta(max_length=1024)] = ""
    data: dict[str, Any] = msgspec.field(default_factory=dict)
    traceparent: Any = ""  # the request's trace (W3C); a reply that repeats it is seen in that
    # Extensions, on reply streams only: the vendor's signature (`contracts.reply_claims`); and, as replies
    # carried it before, its bearer token, which lies in backups for as long as it holds.
    dispatchsignature: Annotated[str, Meta(max_length=LONGEST_SIGNATURE)] = ""
    dispatchtoken: Annotated[str, Meta(max_length=4096)] = ""


@event("dispatch.request.received", "dispatch.request.changed", "dispatch.request.overdue", to=To.EVENTS)
class RequestChanged(Wire):
    """A request went to another state."""

    request_id: Id
    state: RequestState
    version: Version
    by: str = ""
    code: str = ""
    status: TrackingStatus | None = None


@event("dispatch.request.matched", to=To.MATCHES)
class RequestMatched(Wire):
    """A request has a vendor: on `matches`, and over HTTP to those who see requests."""

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
    """An offer or dispatch ended for its vendor: expired, cancelled, rejected, turned back.

    Cancelled with the code `withdrawn`: it was not answered yet, and its request went elsewhere meanwhile;
    `amended`: it was not answered yet, and its request was changed; `amendment_refused`, `amendment_expired`,
    `amendment_unfit`: the dispatch's request was changed, and it is matched again.
    """

    offer_id: OfferId
    state: str
    code: str = ""
    price_lines: tuple[PriceLine, ...] = ()  # of a dispatch: what is charged or owed all the same


@event("dispatch.dispatch.confirmed", to=To.VENDOR)
class DispatchConfirmed(Wire):
    """The vendor's acceptance is booked; door and patient are read over HTTP, never from a stream."""

    offer_id: OfferId
    href: str


@event("dispatch.reply.refused", to=To.VENDOR)
class ReplyRefused(Wire):
    """A reply over Redis that was not taken, with the problem type and what may fix it."""

    reply_id: str  # "" if the reply could not be read so far
    entry_id: str = ""  # its place in the reply stream, as XADD said
    type: str
    detail: str


@event(
    "dispatch.reply.accept",
    "dispatch.reply.decline",
    "dispatch.reply.status",
    "dispatch.reply.agree",
    "dispatch.reply.refuse",
    "dispatch.reply.counter",
    "dispatch.reply.waiting",
    "dispatch.reply.ready",
    "dispatch.reply.proof",
    to=To.REPLIES,
)
class OfferReply(Wire):
    """A vendor's answer or report over `replies`; exactly what the HTTP routes take."""

    offer_id: OfferId
    reference: Annotated[str, Meta(max_length=64)] = ""
    code: ReportCode | None = None
    status: TrackingStatus | None = None
    at: Instant | None = None
    amendment: Tally | None = None  # of agree and refuse: its number
    counter: Counter | None = None  # of counter: what would be otherwise
    proof: ProofReport | None = None  # of proof: without a name or a position, which no stream holds

    def __post_init__(self) -> None:
        """Refuse a time that no calendar of ours holds."""
        refuse_odd_year("at", self.at)
