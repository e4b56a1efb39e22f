"""Vendors in one list with what became of their work, for ops."""

from __future__ import annotations

from contracts.codes import Role
from contracts.operations import Answer
from contracts.vendor_outcomes import VendorOutcomesPage, VendorOutcomesQuery
from dispatcher.http.call import Call, Reply
from dispatcher.http.parts import Parts
from dispatcher.http.routing import MARKET, Routes

ROUTES = Routes("vendors", 31)


@ROUTES.get(
    f"{MARKET}/vendor-outcomes",
    id="listVendorOutcomes",
    roles={Role.OPS},
    query=VendorOutcomesQuery,
    answers={200: Answer("a page", VendorOutcomesPage)},
)
async def list_outcomes(call: Call, parts: Parts) -> Reply:
    """List vendors by id with their outcomes, papers to verify, pauses and open work."""
    return Reply(await parts.service.vendor_outcomes.page(call.principal, call.market, call.query))
