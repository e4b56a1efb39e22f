"""Vendors: registered, changed and read, by version."""

from __future__ import annotations

from functools import partial

from contracts.base import Id
from contracts.codes import Role
from contracts.operations import Answer, Body
from contracts.problems import InvalidMessage
from contracts.vendors import Vendor
from dispatcher.http.call import Call, Reply
from dispatcher.http.parts import Parts
from dispatcher.http.routing import ETAG, MARKET, Routes
from dispatcher.http.versions import POSTED, changed, etag, posted
from dispatcher.service.areas import refuse_bad_areas

VENDOR = f"{MARKET}/vendors/{{vendor_id}}"
ROUTES = Routes("vendors", 30, vendor_id=Id)


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
    """Register or change a vendor."""
    vendor, vendor_id = call.body, call.path["vendor_id"]
    if vendor.id != vendor_id:
        detail = f"the id is {vendor.id}, and the path says {vendor_id}"
        raise InvalidMessage.at("/id", f"{detail}\nMaybe one of the two is misspelt.")
    refuse_bad_areas(vendor)
    who, market, vendors = call.principal, call.market, parts.service.vendors

    async def current() -> int:
        return (await vendors.get(who, market, vendor_id)).version

    return posted(await changed(call, partial(vendors.put, who, market, vendor), current))


@ROUTES.get(
    VENDOR,
    id="getVendor",
    roles={Role.OPS, Role.VENDOR},
    answers={200: Answer("the vendor", Vendor, ETAG)},
)
async def read(call: Call, parts: Parts) -> Reply:
    """Read a vendor."""
    found = await parts.service.vendors.get(call.principal, call.market, call.path["vendor_id"])
    return Reply(found.value, headers=etag(found.version))
