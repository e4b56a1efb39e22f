"""Quotes: what a request would cost, of whom and when."""

from __future__ import annotations

from msgspec.structs import replace

from contracts.operations import Answer, Body
from contracts.quotes import Quotes
from contracts.requests import Request
from dispatcher.domain.rights import SUBMITTERS
from dispatcher.http.call import Call, Reply
from dispatcher.http.parts import Parts
from dispatcher.http.routing import MARKET, Routes

ROUTES = Routes("requests", 20)


@ROUTES.post(
    f"{MARKET}/quotes",
    id="quote",
    roles=SUBMITTERS,
    body=Body(Request),
    answers={200: Answer("ranked quotes, or the reasons for none", Quotes)},
    problems=("invalid-request",),
)
async def quote(call: Call, parts: Parts) -> Reply:
    """Rank vendors and start times with prices for a request that is not stored; books nothing."""
    quotes = await parts.quoter.quote(call.market, call.body)
    unknown = await parts.service.vendors.unknown(call.market, [call.body])
    return Reply(replace(quotes, unknown_vendors=tuple(sorted(unknown))))
