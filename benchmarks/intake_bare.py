"""The peer of `bench intake`: bare aiohttp that reads, validates, answers 202; no token, nothing stored."""

from __future__ import annotations

import socket
import sys

import uvloop
from aiohttp import web

from contracts.codec import decode, encode
from contracts.request_views import Receipt, Receipts
from contracts.requests import Request


async def submit(request: web.Request) -> web.Response:
    """The same validation, the same answer."""
    asked: Request = decode(await request.read(), Request)  # type: ignore[arg-type]
    href = f"{request.path}/{asked.id}"
    body = encode(Receipts(requests=(Receipt(id=asked.id, href=href),)))
    return web.Response(status=202, body=body, content_type="application/json", headers={"Location": href})


async def _serve(listener: socket.socket) -> None:
    app = web.Application()
    app.router.add_post("/v1/markets/{market}/requests", submit)
    await web._run_app(app, sock=listener, access_log=None, print=None)


def main() -> None:
    """Serve on the inherited socket."""
    uvloop.run(_serve(socket.socket(fileno=int(sys.argv[1]))))


if __name__ == "__main__":
    main()
