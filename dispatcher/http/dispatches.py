"""Dispatches: what a vendor has accepted, and how it goes."""

from __future__ import annotations

from msgspec.structs import replace

from contracts.base import OfferId
from contracts.codes import Role
from contracts.dispatches import Dispatch, DispatchPage, DispatchQuery, StatusUpdate
from contracts.offers import Offer
from contracts.operations import Answer, Body
from dispatcher.domain.commands.report import ReportStatus
from dispatcher.http.call import Call, Reply
from dispatcher.http.offers import with_offer
from dispatcher.http.parts import Parts
from dispatcher.http.routing import MARKET, Routes

DISPATCHES = f"{MARKET}/dispatches"
DISPATCH = f"{DISPATCHES}/{{offer_id}}"
ROUTES = Routes("dispatches", 60, offer_id=OfferId)


@ROUTES.get(
    DISPATCHES,
    id="listDispatches",
    roles={Role.VENDOR},
    query=DispatchQuery,
    answers={200: Answer("a page, by agreed start", DispatchPage)},
    problems=("invalid-request",),
)
async def of_day(call: Call, parts: Parts) -> Reply:
    """List your dispatches of a day, those that are over among them, with door and name."""
    return Reply(await parts.service.vendor_days.page(call.principal, call.market, call.query))


@ROUTES.get(
    DISPATCH,
    id="getDispatch",
    roles={Role.VENDOR},
    answers={200: Answer("the dispatch", Dispatch)},
    problems=("wrong-state",),
)
async def read(call: Call, parts: Parts) -> Reply:
    """Read an accepted offer with door, name and phone."""
    found = await parts.service.offers.dispatch(call.principal, call.market, call.path["offer_id"])
    unread = await parts.service.threads.unread(call.principal, call.market, found.id)
    return Reply(replace(found, unread=unread))


@ROUTES.post(
    f"{DISPATCH}/status",
    id="reportStatus",
    command=ReportStatus,
    body=Body(StatusUpdate),
    answers={200: Answer("the offer as it stands now", Offer)},
    problems=("wrong-state", "invalid-request"),
)
async def report(call: Call, parts: Parts) -> Reply:
    """Report a status: en route, at pick-up, on board, completed, no-show, failed or turned back."""
    offer_id = call.path["offer_id"]
    said = call.body
    command = ReportStatus(offer_id=offer_id, status=said.status, at=said.at, code=said.code)
    return Reply(await with_offer(call, parts, command))
