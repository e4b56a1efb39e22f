"""How groups of requests fare beside one another, for ops."""

from __future__ import annotations

from contracts.codes import Role
from contracts.fairness import Fairness, FairnessQuery
from contracts.operations import Answer
from dispatcher.http.call import Call, Reply
from dispatcher.http.parts import Parts
from dispatcher.http.routing import MARKET, Routes

ROUTES = Routes("vendors", 32)


@ROUTES.get(
    f"{MARKET}/fairness",
    id="getFairness",
    roles={Role.OPS},
    query=FairnessQuery,
    answers={200: Answer("the figures", Fairness)},
)
async def fairness(call: Call, parts: Parts) -> Reply:
    """Show how requests fare by level of service and area: who waits longer, or goes unmatched oftener."""
    return Reply(await parts.service.fairness.of(call.principal, call.market, call.query))
