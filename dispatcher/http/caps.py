"""Caps per payer and vendor: set by ops or a case manager, read by the vendor, too."""

from __future__ import annotations

from contracts.base import Id
from contracts.caps import Caps, CapsQuery, CapsView
from contracts.codes import Role
from contracts.operations import Answer, Body
from dispatcher.domain.commands.caps import SETTERS
from dispatcher.http import versions
from dispatcher.http.call import Call, Reply
from dispatcher.http.parts import Parts
from dispatcher.http.routing import ETAG, MARKET, Routes

CAPS = f"{MARKET}/vendors/{{vendor_id}}/caps"
ROUTES = Routes("vendors", 41, vendor_id=Id)


@ROUTES.put(
    CAPS,
    id="putCaps",
    roles=SETTERS,
    body=Body(Caps),
    versioned=True,
    answers={
        200: Answer("the caps, with what is used of them", CapsView, ETAG),
        201: Answer("they are new", CapsView, ETAG),
    },
)
async def put(call: Call, parts: Parts) -> Reply:
    """Set the caps of a vendor, per payer and day, month or year: in trips, in cents, or both.

    What is booked beyond a lower one stays booked; nothing more is offered.
    """
    who, market, vendor_id, caps = call.principal, call.market, call.path["vendor_id"], parts.service.caps

    async def put_over(version: int) -> CapsView:
        return await caps.put(who, market, vendor_id, call.body, version)

    async def current() -> int:
        return (await caps.get(who, market, vendor_id)).version

    view, status = await versions.put(call, put_over, current)
    return _shown(view, status)


@ROUTES.get(
    CAPS,
    id="getCaps",
    roles=SETTERS | {Role.VENDOR},
    query=CapsQuery,
    answers={200: Answer("the caps, with what is used of them", CapsView, ETAG)},
)
async def read(call: Call, parts: Parts) -> Reply:
    """Read the caps of a vendor, with what is used and left of them today, this month and this year.

    Where none were set yet there are none, at version 0.
    """
    caps, vendor_id = parts.service.caps, call.path["vendor_id"]
    return _shown(await caps.get(call.principal, call.market, vendor_id, call.query.day))


def _shown(view: CapsView, status: int = 200) -> Reply:
    return Reply(view, status, versions.etag(view.version))
