"""The routes that need a token: what each takes and answers, and whom it serves.

Server and OpenAPI are made from this table and that of the open routes (`open_routes.py`).
"""

from __future__ import annotations

from collections.abc import Iterable

from contracts.capacity import Capacity
from contracts.codes import Role
from contracts.dispatches import Dispatch, StatusUpdate
from contracts.offers import Accept, Decline, Offer, Offers
from contracts.operations import Answer, Operation
from contracts.quotes import Quotes
from contracts.request_views import (
    Cancel,
    PutOnHold,
    Receipts,
    RequestPage,
    RequestQuery,
    RequestView,
    Resume,
)
from contracts.requests import Request, RequestBatch
from contracts.tuning import TuningUpdate, TuningView
from contracts.vendors import Posted, Vendor
from dispatcher.runtime.errors import UserError

P, V, OPS = Role.PLATFORM, Role.VENDOR, Role.OPS
MARKET = "/v1/markets/{market}"
REQUEST, OFFER, DISPATCH = (
    f"{MARKET}/requests/{{request_id}}",
    f"{MARKET}/offers/{{offer_id}}",
    f"{MARKET}/dispatches/{{offer_id}}",
)
VENDOR = f"{MARKET}/vendors/{{vendor_id}}"
CAPACITY = f"{VENDOR}/capacity/{{day}}"
TUNING = f"{MARKET}/tuning"
ETAG = {"ETag": "the version, for If-Match"}
SSE = "text/event-stream"


def _roles(*roles: Role) -> frozenset[Role]:
    return frozenset(roles)


def _changed(form: object, summary: str) -> dict[int, Answer]:
    return {200: Answer(summary, form, ETAG), 201: Answer("it is new", form, ETAG)}


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        id="submitRequests",
        method="POST",
        path=f"{MARKET}/requests",
        roles=_roles(P),
        tag="requests",
        summary="Submit requests, one or up to 1,000 at once; answered when they are durable",
        body=(Request, RequestBatch),
        keyed=True,
        answers={
            202: Answer("durable; a vendor is being sought", Receipts, {"Location": "where to read it"})
        },
        problems=("invalid-request",),
    ),
    Operation(
        id="listRequests",
        method="GET",
        path=f"{MARKET}/requests",
        roles=_roles(P, OPS),
        tag="requests",
        summary="List requests by time received, in pages",
        query=RequestQuery,
        answers={200: Answer("a page", RequestPage)},
    ),
    Operation(
        id="getRequest",
        method="GET",
        path=REQUEST,
        roles=_roles(P, OPS),
        tag="requests",
        summary="Read a request: state, history, match or the reasons for none",
        answers={200: Answer("the request", RequestView, ETAG)},
    ),
    Operation(
        id="cancelRequest",
        method="POST",
        path=f"{REQUEST}/cancel",
        roles=_roles(P),
        tag="requests",
        summary="Cancel a request: its capacity is released, its vendor told",
        body=(Cancel,),
        optional=True,
        answers={200: Answer("the cancelled request", RequestView, ETAG)},
        problems=("wrong-state",),
    ),
    Operation(
        id="holdRequest",
        method="POST",
        path=f"{REQUEST}/hold",
        roles=_roles(P),
        tag="requests",
        summary="Put a request on hold: no vendor is sought until it is resumed; its deadline runs on",
        body=(PutOnHold,),
        optional=True,
        answers={200: Answer("the request, on hold", RequestView, ETAG)},
        problems=("wrong-state",),
    ),
    Operation(
        id="resumeRequest",
        method="POST",
        path=f"{REQUEST}/resume",
        roles=_roles(P),
        tag="requests",
        summary="Resume a request that is on hold: it is authorized, or its predecessor is done",
        body=(Resume,),
        optional=True,
        answers={200: Answer("the request; a vendor is being sought", RequestView, ETAG)},
        problems=("wrong-state",),
    ),
    Operation(
        id="quote",
        method="POST",
        path=f"{MARKET}/quotes",
        roles=_roles(P),
        tag="requests",
        summary="Rank vendors and start times with prices for a request that is not stored; books nothing",
        body=(Request,),
        answers={200: Answer("ranked quotes, or the reasons for none", Quotes)},
        problems=("invalid-request",),
    ),
    Operation(
        id="putVendor",
        method="PUT",
        path=VENDOR,
        roles=_roles(OPS, V),
        tag="vendors",
        summary="Register or change a vendor",
        body=(Vendor,),
        versioned=True,
        answers=_changed(Posted, "stored"),
        problems=("invalid-request",),
    ),
    Operation(
        id="getVendor",
        method="GET",
        path=VENDOR,
        roles=_roles(OPS, V),
        tag="vendors",
        summary="Read a vendor",
        answers={200: Answer("the vendor", Vendor, ETAG)},
    ),
    Operation(
        id="putCapacity",
        method="PUT",
        path=CAPACITY,
        roles=_roles(OPS, V),
        tag="vendors",
        summary="Post a vendor's capacity of one day; below what is booked it is refused",
        body=(Capacity,),
        versioned=True,
        answers=_changed(Posted, "stored"),
        problems=("over-booked", "invalid-request"),
    ),
    Operation(
        id="getCapacity",
        method="GET",
        path=CAPACITY,
        roles=_roles(OPS, V),
        tag="vendors",
        summary="Read a vendor's capacity of one day, as posted",
        answers={200: Answer("the capacity", Capacity, ETAG)},
    ),
    Operation(
        id="listOffers",
        method="GET",
        path=f"{MARKET}/offers",
        roles=_roles(V),
        tag="offers",
        summary="List your open offers and dispatches",
        answers={200: Answer("offers, earliest start first", Offers)},
    ),
    Operation(
        id="acceptOffer",
        method="POST",
        path=f"{OFFER}/accept",
        roles=_roles(V),
        tag="offers",
        summary="Take the work",
        body=(Accept,),
        optional=True,
        answers={200: Answer("the dispatch: door, name and phone", Dispatch)},
        problems=("wrong-state",),
    ),
    Operation(
        id="declineOffer",
        method="POST",
        path=f"{OFFER}/decline",
        roles=_roles(V),
        tag="offers",
        summary="Do not take the work; it is not offered to you again",
        body=(Decline,),
        answers={200: Answer("the declined offer", Offer)},
        problems=("wrong-state",),
    ),
    Operation(
        id="getDispatch",
        method="GET",
        path=DISPATCH,
        roles=_roles(V),
        tag="dispatches",
        summary="Read an accepted offer with door, name and phone",
        answers={200: Answer("the dispatch", Dispatch)},
        problems=("wrong-state",),
    ),
    Operation(
        id="reportStatus",
        method="POST",
        path=f"{DISPATCH}/status",
        roles=_roles(V),
        tag="dispatches",
        summary="Report a status: en route, at pick-up, on board, completed, no-show, failed or turned back",
        body=(StatusUpdate,),
        answers={200: Answer("the offer as it stands now", Offer)},
        problems=("wrong-state", "invalid-request"),
    ),
    Operation(
        id="followEvents",
        method="GET",
        path=f"{MARKET}/events",
        roles=_roles(P, OPS, V),
        tag="events",
        summary="Follow events as they happen (server-sent events); a vendor its own",
        resumable=True,
        answers={200: Answer("one CloudEvent in JSON an event; its id resumes", None, media=SSE)},
    ),
    Operation(
        id="getTuning",
        method="GET",
        path=TUNING,
        roles=_roles(OPS),
        tag="tuning",
        summary="Read every parameter with its value, bounds and unit",
        answers={200: Answer("the tuning", TuningView, ETAG)},
    ),
    Operation(
        id="putTuning",
        method="PUT",
        path=TUNING,
        roles=_roles(OPS),
        tag="tuning",
        summary="Replace all overrides; what is left out goes back to its default",
        body=(TuningUpdate,),
        versioned=True,
        answers={200: Answer("the tuning", TuningView, ETAG)},
        problems=("invalid-request",),
    ),
)


def check(operations: Iterable[Operation]) -> None:
    """Refuse to start with a route that declares no role, or repeats another's id or place."""
    ids: set[str] = set()
    places: set[tuple[str, str]] = set()
    for operation in operations:
        where = f"{operation.method} {operation.path}"
        if operation.roles is None:
            raise UserError(f"route {where} declares no role.", "Give it roles, or ANYONE if it is open.")
        if operation.id in ids or (operation.method, operation.path) in places:
            raise UserError(f"route {where} ({operation.id}) is declared twice.", "Remove one of the two.")
        ids.add(operation.id)
        places.add((operation.method, operation.path))
