"""Large answers for pages: JSON, compressed for who takes that, beside the loop that others wait for."""

from __future__ import annotations

import asyncio
import gzip

from aiohttp import web

from dispatcher.http.call import Call

JSON = "application/json"
SMALL_BYTES = 20_000


async def large(call: Call, body: bytes) -> web.Response:
    """The answer; columns shrink to a tenth and less."""
    headers = {"Cache-Control": "no-store", "X-Request-Id": call.call_id, "Vary": "Accept-Encoding"}
    if len(body) > SMALL_BYTES and "gzip" in call.raw.headers.get("Accept-Encoding", ""):
        body = await asyncio.to_thread(gzip.compress, body, 1)
        headers["Content-Encoding"] = "gzip"
    return web.Response(body=body, content_type=JSON, headers=headers)
