"""Saved views of the board, of everybody who looks at a market."""

from __future__ import annotations

from contracts.operations import Answer, Body
from contracts.views import SavedViews
from dispatcher.domain.rights import READERS
from dispatcher.http.call import Call, Reply
from dispatcher.http.parts import Parts
from dispatcher.http.routing import ETAG, MARKET, Routes
from dispatcher.http.versions import POSTED, etag, posted

VIEWS = f"{MARKET}/board/views"
ROUTES = Routes("board", 76)


@ROUTES.get(VIEWS, id="listViews", roles=READERS, answers={200: Answer("all views", SavedViews, ETAG)})
async def read(call: Call, parts: Parts) -> Reply:
    """List the saved views of the board."""
    found = await parts.service.markets.store(call.market).views.get()
    return Reply(found.value, headers=etag(found.version) if found.version else {})


@ROUTES.put(VIEWS, id="putViews", roles=READERS, body=Body(SavedViews), versioned=True, answers=POSTED)
async def put(call: Call, parts: Parts) -> Reply:
    """Save the views of the board, all of them."""
    views = parts.service.markets.store(call.market).views

    async def change(version: int) -> int:
        return await views.put(call.body, version)

    async def current() -> int:
        return (await views.get()).version

    return await posted(call, change, current)
