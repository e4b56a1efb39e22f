"""Vendors: registered, changed and read, by version; paused by ops, their papers verified by ops."""

from __future__ import annotations

from functools import partial

from contracts.base import Id
from contracts.codes import Role
from contracts.onboarding import SetOnboarding
from contracts.operations import Answer, Body
from contracts.problems import InvalidMessage
from contracts.vendors import (
    PauseVendor,
    StoredVendor,
    Vendor,
    VendorPage,
    VendorQuery,
    VerifyCredentials,
)
from dispatcher.http.call import Call, Reply
from dispatcher.http.parts import Parts
from dispatcher.http.routing import ETAG, MARKET, Routes
from dispatcher.http.versions import POSTED, etag, posted
from dispatcher.service.areas import refuse_bad_areas
from dispatcher.store.codec import Versioned

VENDORS = f"{MARKET}/vendors"
VENDOR = f"{VENDORS}/{{vendor_id}}"
ROUTES = Routes("vendors", 30, vendor_id=Id)


@ROUTES.get(
    VENDORS,
    id="listVendors",
    roles={Role.OPS, Role.VENDOR},
    query=VendorQuery,
    answers={200: Answer("a page", VendorPage)},
)
async def list_vendors(call: Call, parts: Parts) -> Reply:
    """List vendors by id, in pages; for a vendor itself only."""
    query = call.query
    found, cursor = await parts.service.vendors.page(call.principal, call.market, query.cursor, query.limit)
    page = tuple(StoredVendor(version=each.version, vendor=each.value) for each in found)
    return Reply(VendorPage(vendors=page, cursor=cursor or ""))


@ROUTES.put(
    VENDOR,
    id="putVendor",
    roles={Role.OPS, Role.VENDOR},
    body=Body(Vendor),
    versioned=True,
    answers=POSTED,
    problems=("invalid-request",),
)
async def put(call: Call, parts: Parts) -> Reply:
    """Register or change a vendor.

    A pause by ops stands, and papers that are as they were stay verified.
    """
    vendor, vendor_id = call.body, call.path["vendor_id"]
    if vendor.id != vendor_id:
        detail = f"the id is {vendor.id}, and the path says {vendor_id}"
        raise InvalidMessage.at("/id", f"{detail}\nMaybe one of the two is misspelt.")
    who, market, vendors = call.principal, call.market, parts.service.vendors
    refuse_bad_areas(vendor, parts.service.markets.zones[market].key)

    async def current() -> int:
        return (await vendors.get(who, market, vendor_id)).version

    return await posted(call, partial(vendors.put, who, market, vendor), current)


@ROUTES.get(
    VENDOR,
    id="getVendor",
    roles={Role.OPS, Role.VENDOR},
    answers={200: Answer("the vendor", Vendor, ETAG)},
)
async def read(call: Call, parts: Parts) -> Reply:
    """Read a vendor."""
    found = await parts.service.vendors.get(call.principal, call.market, call.path["vendor_id"])
    return _shown(found)


@ROUTES.post(
    f"{VENDOR}/pause",
    id="pauseVendor",
    roles={Role.OPS},
    body=Body(PauseVendor),
    answers={200: Answer("the vendor, paused by ops", Vendor, ETAG)},
    problems=("wrong-state",),
)
async def pause(call: Call, parts: Parts) -> Reply:
    """Pause a vendor: it gets no new work, and cannot lift it; it reads who paused it, when and why."""
    vendor_id = call.path["vendor_id"]
    found = await parts.service.vendors.pause(
        call.principal, call.market, vendor_id, call.body.reason, call.idempotency(f"pause/{vendor_id}")
    )
    return _shown(found)


@ROUTES.post(
    f"{VENDOR}/resume",
    id="resumeVendor",
    roles={Role.OPS},
    answers={200: Answer("the vendor; a pause of its own stands", Vendor, ETAG)},
)
async def resume(call: Call, parts: Parts) -> Reply:
    """End the pause of ops."""
    vendor_id = call.path["vendor_id"]
    key = call.idempotency(f"resume/{vendor_id}")
    return _shown(await parts.service.vendors.resume(call.principal, call.market, vendor_id, key))


@ROUTES.post(
    f"{VENDOR}/verify",
    id="verifyCredentials",
    roles={Role.OPS},
    body=Body(VerifyCredentials),
    answers={200: Answer("the vendor with its papers", Vendor, ETAG)},
    problems=("wrong-state",),
)
async def verify(call: Call, parts: Parts) -> Reply:
    """Verify papers that a vendor claims, or take it back; each is named by its kind and last day."""
    vendor_id, body = call.path["vendor_id"], call.body
    found = await parts.service.vendors.verify(
        call.principal,
        call.market,
        vendor_id,
        body.credentials,
        call.idempotency(f"verify/{vendor_id}"),
        holds=body.verified,
    )
    return _shown(found)


@ROUTES.post(
    f"{VENDOR}/onboarding",
    id="setOnboarding",
    roles={Role.OPS},
    body=Body(SetOnboarding),
    answers={200: Answer("the vendor in that state", Vendor, ETAG)},
    problems=("wrong-state",),
)
async def onboard(call: Call, parts: Parts) -> Reply:
    """Verify, activate or suspend a vendor: applied, verified, active, suspended.

    Only who is active is offered work; what it has agreed to stays its own, and is a task.
    """
    vendor_id = call.path["vendor_id"]
    key = call.idempotency(f"onboarding/{vendor_id}")
    found = await parts.service.vendors.onboard(call.principal, call.market, vendor_id, call.body, key)
    return _shown(found)


def _shown(found: Versioned[Vendor]) -> Reply:
    return Reply(found.value, headers=etag(found.version))
