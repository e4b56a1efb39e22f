"""A request as platform and ops read it, and what they may ask of it once it is stored."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from msgspec import Meta

from contracts.amendments import AmendmentView
from contracts.barriers import BarrierView
from contracts.base import Day, Id, Instant, OfferId, Version, Wire, refuse_odd_year
from contracts.codes import (
    OfferState,
    ProviderCancelCode,
    RequestState,
    Requirement,
    ServiceClass,
    TrackingStatus,
)
from contracts.counters import CounterView
from contracts.episodes import AfterView
from contracts.geo import WindowView
from contracts.matches import Match
from contracts.offer_modes import ChainLinkView, OfferMode
from contracts.paging import Cursor, PageSize
from contracts.patterns import whole
from contracts.prices import Charge, PriceLine
from contracts.quotes import QuotedStart, Quotes
from contracts.requests import Request
from contracts.unmatched import Unmatched

IdPart = Annotated[
    str, Meta(pattern=whole("[A-Za-z0-9_-]{0,64}"), description="the id begins so, or has this within")
]


class Transition(Wire):
    """One step of a request's history: by which role, and by whom of it (the token's `sub`)."""

    state: RequestState
    at: Instant
    by: str = ""
    code: str = ""
    subject: str = ""


class Attempt(Wire):
    """One offer in a request's history, as platform and ops see it."""

    id: OfferId
    vendor_id: Id
    state: OfferState
    at: Instant
    code: str = ""
    reference: str = ""  # the vendor's own trip number
    chosen_by: str = ""  # who chose the vendor by hand; left out: the matcher
    mode: OfferMode | None = None  # how it was made; left out: as its vendor has agreed to answer
    willing: bool = False  # its vendor said yes while a broadcast collects
    counter: CounterView | None = None  # what its vendor would have done instead
    price_cents: Charge | None = None  # what its vendor charges, 0: nothing; left out: it never had the work
    price_lines: tuple[PriceLine, ...] = ()


class WaitsFor(Wire):
    """What a request on hold lacks, and whose it is to provide."""

    requirement: Requirement
    owner: str


class Doors(StrEnum):
    """What the positions of a request are that is read back."""

    EXACT = "exact"
    ZONE = "zone"  # the centre of a square of about 2 km


class RequestView(Wire):
    """A request as the platform and ops see it, without the patient block.

    `asked`: all that was asked, as it was submitted but for the patient; where one request is read, and its
    doors can be opened, not in lists. Ops has the zones (`doors`): for a door it reads the patient block.
    """

    id: Id
    kind: str
    state: RequestState
    owner: str
    version: Version
    received_at: Instant
    match_by: Instant
    status: TrackingStatus | None = None
    window: WindowView | None = None  # on the start of service; of a will-call: when it may be called
    activated_at: Instant | None = None  # when a will-call was called
    return_of: str = ""  # the leg there, of which it is the way back
    waits_for: tuple[WaitsFor, ...] = ()  # on hold
    tasks: tuple[str, ...] = ()  # ids of tasks that this request made necessary
    match: Match | None = None
    unmatched: Unmatched | None = None
    attempts: tuple[Attempt, ...] = ()
    episode: str = ""
    after: tuple[AfterView, ...] = ()  # what goes before it
    before: tuple[Id, ...] = ()  # what goes after it
    at_risk: str = ""  # why it is out of sequence, or may be
    apart: tuple[Id, ...] = ()  # rides of the same patient that it might meet, and must not
    history: tuple[Transition, ...] = ()
    asked: Request | None = None
    doors: Doors | None = None  # of `asked`
    amendments: tuple[AmendmentView, ...] = ()
    standing_order: str = ""  # by which it was made
    barrier_asked: bool = False  # it ended without its service, and nobody has said why
    barrier: BarrierView | None = None  # its note only where one request is read
    authorization: str = ""  # on which it draws, or will once it is booked
    chain: tuple[ChainLinkView, ...] = ()  # who is asked next, in order, while a cascade's offer is out
    collects_until: Instant | None = None  # of a broadcast: when the best of those who said yes has it


class RequestQuery(Wire):
    """Which requests to list: those for which all that is given holds; all when nothing is.

    By time received; with `day` by when their window opens. Without `state` and `day`, a `vendor_id` means
    what it has open, `match_by_before` what waits for a vendor, `service_class` what has not ended. A page
    may be shorter than `limit`, even empty, and have a cursor all the same: so much was looked through.
    """

    state: RequestState | None = None
    day: Annotated[Day | None, Meta(description="its window opens on this local day")] = None
    vendor_id: Annotated[Id | None, Meta(description="asked for it, works on it, or has done it")] = None
    match_by_before: Annotated[Instant | None, Meta(description="its deadline is before this")] = None
    service_class: Annotated[ServiceClass | None, Meta(description="level of service, or equipment")] = None
    id: IdPart = ""
    cursor: Cursor = ""
    limit: PageSize = 50


class RequestPage(Wire, omit_defaults=False):
    """Requests by time received; `cursor` is empty on the last page."""

    requests: tuple[RequestView, ...] = ()
    cursor: str = ""


class Receipt(Wire):
    """A request is durable: where to read it; which vendors it names that nobody knows now."""

    id: Id
    href: str
    unknown_vendors: tuple[Id, ...] = ()


class Receipts(Wire, omit_defaults=False):
    """Every request of the call is durable, in the order given."""

    requests: tuple[Receipt, ...]


class Cancel(Wire):
    """Platform or ops withdraw a request."""

    code: ProviderCancelCode | None = None


class AmendedRequest(Wire):
    """The request after an amendment; with `requote` as it stands, and what it would cost.

    `quotes`: of all vendors, as for a new request. `kept`: of the vendor that has the work, if it agrees;
    left out where none has it, or where it may not serve it so.
    """

    request: RequestView
    quotes: Quotes | None = None
    kept: QuotedStart | None = None


class OfferTo(Wire):
    """Ops asks a vendor of its choice; without `start_at` when it costs least within the window."""

    vendor_id: Id
    start_at: Instant | None = None
    again: bool = False  # although the vendor declined it, or did not answer

    def __post_init__(self) -> None:
        """Refuse a start that no calendar of ours holds."""
        refuse_odd_year("start_at", self.start_at)


class PutOnHold(Wire):
    """Nobody is to be asked for a request until it is resumed."""

    reason: Requirement = Requirement.AUTHORIZATION


class Resume(Wire):
    """What a request waited for is there: one requirement, or all of them."""

    requirement: Requirement | None = None
