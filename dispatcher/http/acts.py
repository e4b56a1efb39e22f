"""The audit: who changed what, and who looked at a patient block."""

from __future__ import annotations

from contracts.acts import ActPage, ActQuery
from contracts.codes import Role
from contracts.operations import Answer
from dispatcher.http.call import Call, Reply
from dispatcher.http.parts import Parts
from dispatcher.http.routing import MARKET, Routes

ROUTES = Routes("audit", 96)


@ROUTES.get(
    f"{MARKET}/audit",
    id="readAudit",
    roles={Role.OPS},
    query=ActQuery,
    answers={200: Answer("a page", ActPage)},
    problems=("invalid-request",),
)
async def read(call: Call, parts: Parts) -> Reply:
    """List who changed what by hand, when and why, and who read patient blocks; the newest first."""
    return Reply(await parts.service.acts.page(call.principal, call.market, call.query))
