"""How one market is served, for ops: matchers, queues, store, troubles."""

from __future__ import annotations

from contracts.codes import Role
from contracts.market_health import MarketHealth
from contracts.operations import Answer
from dispatcher.http.call import Call, Reply
from dispatcher.http.parts import Parts
from dispatcher.http.routing import MARKET, Routes

ROUTES = Routes("service", 985)


@ROUTES.get(
    f"{MARKET}/health",
    id="getMarketHealth",
    roles={Role.OPS},
    answers={200: Answer("how it is served", MarketHealth)},
)
async def read(call: Call, parts: Parts) -> Reply:
    """Read how a market is served: matchers, lease, queues, store, troubles, dead letters."""
    return Reply(await parts.service.market_health.read(call.principal, call.market))
