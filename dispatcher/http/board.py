"""The board: every request of a market as columns, and what changes of it, for pages that show them all."""

from __future__ import annotations

import asyncio
import contextlib

from aiohttp import ClientConnectionResetError, web

from contracts.board import Board as BoardPage
from contracts.operations import Answer
from contracts.problems import Unauthenticated
from dispatcher.delivery.board import Board, Boards
from dispatcher.delivery.board_listener import changes
from dispatcher.domain.refusals import Unavailable
from dispatcher.domain.rights import READERS
from dispatcher.http.call import Call
from dispatcher.http.entry import GATE
from dispatcher.http.events import HEADERS, SSE, Quiet
from dispatcher.http.large import JSON, large
from dispatcher.http.parts import Parts
from dispatcher.http.routing import MARKET, Routes

READY_S = 10.0  # real seconds: so long may the first look take
ROUTES = Routes("board", 75)
BOARDS = web.AppKey("boards", Boards)


@ROUTES.get(
    f"{MARKET}/board",
    id="readBoard",
    roles=READERS,
    answers={200: Answer("the board", BoardPage, media=JSON)},
)
async def read(call: Call, parts: Parts) -> web.Response:
    """Read the board: what is open and what ended last, as columns and rows."""
    return await large(call, (await _ready(call, parts)).page())


@ROUTES.get(
    f"{MARKET}/board/changes",
    id="followBoard",
    roles=READERS,
    stream=True,
    answers={200: Answer("a change (`BoardChange`) in JSON an event", None, media=SSE)},
)
async def follow(call: Call, parts: Parts) -> web.StreamResponse:
    """Follow the board (server-sent events): the rows that changed, several times a second; never resumed."""
    board, gate = await _ready(call, parts), call.raw.app[GATE]
    response = web.StreamResponse(headers={**HEADERS, "X-Request-Id": call.call_id})
    gone = (ClientConnectionResetError, ConnectionResetError, Unauthenticated)
    with board.listening() as listener, parts.metrics.streams.track_inprogress(), contextlib.suppress(*gone):
        await response.prepare(call.raw)
        await response.write(b": open\n\n")
        quiet = Quiet(gate.waits_s(call.raw, parts.limits.keep_alive_s), parts.limits.keep_alive_s)
        async for told in changes(listener, quiet.waits_s):
            await gate.still(call.raw)  # it ends with the caller's session
            if said := quiet.says(told):
                await response.write(said)
    return response


async def _ready(call: Call, parts: Parts) -> Board:
    """The board of the call's market, once it was read. Raises Unavailable."""
    board = call.raw.app[BOARDS].of(parts.service.markets.store(call.market))
    try:
        async with asyncio.timeout(READY_S):
            await board.ready.wait()
    except TimeoutError:
        raise Unavailable(
            f"the board was not read within {READY_S:g} s\nMaybe the store is away: see /readyz.",
            retry_after_s=parts.limits.retry_after_s,
        ) from None
    return board
