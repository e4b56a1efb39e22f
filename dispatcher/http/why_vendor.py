"""Why a vendor gets no offers."""

from __future__ import annotations

from contracts.base import Id
from contracts.codes import Role
from contracts.operations import Answer
from contracts.why_vendor import VendorWhy, WhyQuery
from dispatcher.http.call import Call, Reply
from dispatcher.http.parts import Parts
from dispatcher.http.routing import MARKET, Routes

ROUTES = Routes("vendors", 42, vendor_id=Id)


@ROUTES.get(
    f"{MARKET}/vendors/{{vendor_id}}/why",
    id="whyNoOffers",
    roles={Role.OPS, Role.VENDOR},
    query=WhyQuery,
    answers={200: Answer("what was decided, by how it went for this vendor", VendorWhy)},
)
async def why(call: Call, parts: Parts) -> Reply:
    """Say why a vendor gets no offers: requests of the last days lost to each rule, and what would help."""
    vendor_id = call.path["vendor_id"]
    return Reply(await parts.service.why_vendor.of(call.principal, call.market, vendor_id, call.query.days))
