"""Requests: submit, list, read, cancel, put on hold, resume, release, activate, offer by hand, withdraw,
ask for a wider window.
"""

from __future__ import annotations

from functools import partial
from typing import cast

import msgspec

from contracts.asked_windows import AskWindow
from contracts.base import Id
from contracts.episodes import Release
from contracts.instants import to_ms
from contracts.operations import Answer, Body
from contracts.request_batch import RequestBatch
from contracts.request_views import (
    Cancel,
    OfferTo,
    PutOnHold,
    Receipt,
    Receipts,
    RequestPage,
    RequestQuery,
    RequestView,
    Resume,
)
from contracts.requests import Request
from contracts.will_call import Activate
from dispatcher.domain.commands.activate import ActivateRequest
from dispatcher.domain.commands.ask_window import AskForWindow
from dispatcher.domain.commands.cancel import CancelRequest
from dispatcher.domain.commands.offer_by_hand import OfferByHand
from dispatcher.domain.commands.on_hold import HoldRequest, ResumeRequest
from dispatcher.domain.commands.release import ReleaseSequence
from dispatcher.domain.commands.subjects import OnRequest
from dispatcher.domain.commands.withdraw import WithdrawOffers
from dispatcher.domain.refusals import PossibleDuplicate
from dispatcher.domain.rights import READERS, SUBMITTERS
from dispatcher.domain.views import activated_view, request_view
from dispatcher.http.call import Call, Reply
from dispatcher.http.commands import execute
from dispatcher.http.duplicates import with_pointers
from dispatcher.http.parts import Parts
from dispatcher.http.routing import ETAG, MARKET, Routes
from dispatcher.http.versions import etag
from dispatcher.store.idempotency import IdempotencyRecord

REQUESTS = f"{MARKET}/requests"
REQUEST = f"{REQUESTS}/{{request_id}}"
ROUTES = Routes("requests", 10, request_id=Id)


@ROUTES.post(
    REQUESTS,
    id="submitRequests",
    roles=SUBMITTERS,
    body=Body(Request, batch=RequestBatch, batch_member="requests"),
    keyed=True,
    answers={202: Answer("durable; a vendor is being sought", Receipts, {"Location": "where to read it"})},
    problems=("invalid-request", "possible-duplicate"),
)
async def submit(call: Call, parts: Parts) -> Reply:
    """Submit requests, one or up to 1,000 at once; answered when they are durable."""
    batch = isinstance(call.body, RequestBatch)
    requests = call.body.requests if batch else (call.body,)
    key = cast(IdempotencyRecord, call.idempotency("submit", msgspec.msgpack.encode(requests)))
    market = call.market
    unknown = await parts.service.vendors.unknown(market, requests)  # first: what is stored gets its 202
    try:
        ids = await parts.service.requests.submit(call.principal, market, requests, key)
    except PossibleDuplicate as refusal:
        raise with_pointers(refusal, requests if batch else (), parts.metrics) from None
    parts.metrics.accepted.inc(len(ids))
    base = REQUESTS.format(market=market)
    receipts = tuple(_receipt(each, base, unknown) for each in requests)
    return Reply(Receipts(requests=receipts), 202, {"Location": base if batch else receipts[0].href})


def _receipt(request: Request, base: str, unknown: frozenset[str]) -> Receipt:
    strange = tuple(each for each in request.named_vendors if each in unknown) if unknown else ()
    return Receipt(id=request.id, href=f"{base}/{request.id}", unknown_vendors=strange)


@ROUTES.get(
    REQUESTS,
    id="listRequests",
    roles=READERS,
    query=RequestQuery,
    answers={200: Answer("a page", RequestPage)},
)
async def list_requests(call: Call, parts: Parts) -> Reply:
    """List requests in pages: by state, day, vendor, deadline, class of service, text of the id."""
    views, after = await parts.service.requests.search(call.principal, call.market, call.query)
    return Reply(RequestPage(requests=tuple(views), cursor=after or ""))


@ROUTES.get(
    REQUEST,
    id="getRequest",
    roles=READERS,
    answers={200: Answer("the request", RequestView, ETAG)},
)
async def read(call: Call, parts: Parts) -> Reply:
    """Read a request: all that was asked, state, history, match or the reasons for none."""
    view = await parts.service.requests.view(call.principal, call.market, call.path["request_id"])
    return Reply(view, headers=etag(view.version))


@ROUTES.post(
    f"{REQUEST}/cancel",
    id="cancelRequest",
    conditional=True,
    command=CancelRequest,
    body=Body(Cancel, optional=True),
    answers={200: Answer("the cancelled request", RequestView, ETAG)},
    problems=("wrong-state",),
)
async def cancel(call: Call, parts: Parts) -> Reply:
    """Cancel a request: its capacity is released, its vendor told."""
    code = call.body.code.value if call.body.code else ""
    return await _executed(call, parts, CancelRequest(request_id=call.path["request_id"], code=code))


@ROUTES.post(
    f"{REQUEST}/hold",
    id="holdRequest",
    conditional=True,
    command=HoldRequest,
    body=Body(PutOnHold, optional=True),
    answers={200: Answer("the request, on hold", RequestView, ETAG)},
    problems=("wrong-state",),
)
async def hold(call: Call, parts: Parts) -> Reply:
    """Put a request on hold: no vendor is sought until it is resumed; its deadline runs on."""
    command = HoldRequest(request_id=call.path["request_id"], requirement=call.body.reason)
    return await _executed(call, parts, command)


@ROUTES.post(
    f"{REQUEST}/resume",
    id="resumeRequest",
    conditional=True,
    command=ResumeRequest,
    body=Body(Resume, optional=True),
    answers={200: Answer("the request; a vendor is being sought", RequestView, ETAG)},
    problems=("wrong-state",),
)
async def resume(call: Call, parts: Parts) -> Reply:
    """Resume a request that is on hold: it is authorized, or its predecessor is done."""
    command = ResumeRequest(request_id=call.path["request_id"], requirement=call.body.requirement)
    return await _executed(call, parts, command)


@ROUTES.post(
    f"{REQUEST}/release",
    id="releaseRequest",
    conditional=True,
    command=ReleaseSequence,
    body=Body(Release, optional=True),
    answers={200: Answer("the request; it waits no more for what it was to go after", RequestView, ETAG)},
    problems=("wrong-state",),
)
async def release(call: Call, parts: Parts) -> Reply:
    """Let a request go anyway: it waits no more for what goes before it, one or all."""
    command = ReleaseSequence(request_id=call.path["request_id"], predecessor_id=call.body.request)
    return await _executed(call, parts, command)


@ROUTES.post(
    f"{REQUEST}/activate",
    id="activateRequest",
    conditional=True,
    command=ActivateRequest,
    body=Body(Activate, optional=True),
    answers={
        200: Answer("the request; a vendor is being sought, once nothing else is missing", RequestView, ETAG)
    },
    problems=("wrong-state", "invalid-request"),
)
async def activate(call: Call, parts: Parts) -> Reply:
    """Activate a will-call: its passenger is ready, now or at `ready_at`; a vendor is sought at once."""
    ready_at = call.body.ready_at
    ready_ms = to_ms(ready_at) if ready_at else None
    record = await execute(
        call, parts, ActivateRequest(request_id=call.path["request_id"], ready_ms=ready_ms)
    )
    view = activated_view(record) if call.principal.is_outside else request_view(record)
    return Reply(view, headers=etag(record.version))


@ROUTES.post(
    f"{REQUEST}/offer",
    id="offerRequest",
    conditional=True,
    command=OfferByHand,
    body=Body(OfferTo),
    answers={200: Answer("the request, offered to that vendor", RequestView, ETAG)},
    problems=("wrong-state", "does-not-fit"),
)
async def offer(call: Call, parts: Parts) -> Reply:
    """Offer a request to a vendor of your choice, by the matcher's rules; the matcher does not undo it."""
    body: OfferTo = call.body
    command = OfferByHand(
        request_id=call.path["request_id"],
        vendor_id=body.vendor_id,
        start_ms=to_ms(body.start_at) if body.start_at else None,
        again=body.again,
    )
    record = await execute(call, parts, command, partial(parts.quoter.prepared, call.market))
    parts.quoter.committed(call.market, record)
    return Reply(request_view(record), headers=etag(record.version))


@ROUTES.post(
    f"{REQUEST}/withdraw",
    id="withdrawOffers",
    conditional=True,
    command=WithdrawOffers,
    answers={200: Answer("the request; a vendor is being sought", RequestView, ETAG)},
    problems=("wrong-state",),
)
async def withdraw(call: Call, parts: Parts) -> Reply:
    """Take back what was offered and nobody has answered: the vendor is told, a vendor is sought anew."""
    return await _executed(call, parts, WithdrawOffers(request_id=call.path["request_id"]))


@ROUTES.post(
    f"{REQUEST}/ask-window",
    id="askWindow",
    conditional=True,
    command=AskForWindow,
    body=Body(AskWindow),
    answers={200: Answer("the request; the platform is asked", RequestView, ETAG)},
    problems=("wrong-state", "invalid-request"),
)
async def ask_window(call: Call, parts: Parts) -> Reply:
    """Ask the platform for a wider window: a task and an event of its own; the request stays as it is."""
    window = call.body.window
    command = AskForWindow(
        request_id=call.path["request_id"],
        earliest_ms=to_ms(window.earliest),
        latest_ms=to_ms(window.latest),
    )
    return await _executed(call, parts, command)


async def _executed(call: Call, parts: Parts, command: OnRequest) -> Reply:
    """The request as it stands now: the same answer when it stood so before."""
    record = await execute(call, parts, command)
    return Reply(request_view(record), headers=etag(record.version))
