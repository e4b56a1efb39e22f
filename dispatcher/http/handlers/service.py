"""The service's own routes: alive, ready, metrics, documents, and what each problem type means."""

from __future__ import annotations

import asyncio
import contextlib
import html
from functools import cached_property
from pathlib import Path

import msgspec
from aiohttp import web

from contracts.asyncapi import asyncapi
from contracts.health import Health
from contracts.openapi import openapi
from contracts.operations import Operation
from contracts.problems import KINDS, Problem
from dispatcher import __version__
from dispatcher.domain.refusals import Unavailable
from dispatcher.http.call import Call, Reply
from dispatcher.http.metrics import CONTENT_TYPE, Metrics
from dispatcher.service.service import Service as Everything

ASSETS = Path(__file__).parent.parent / "assets"
TITLE = "Dispatcher"
PROBE_S = 1.0  # real seconds: whoever asks whether we are ready does not wait long
PAGE = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


class Service:
    """Handlers that need no token."""

    def __init__(self, service: Everything, metrics: Metrics, operations: tuple[Operation, ...]) -> None:
        self.service, self.measured, self.operations = service, metrics, operations

    @cached_property
    def _openapi(self) -> bytes:
        return msgspec.json.encode(openapi(self.operations, title=TITLE, version=__version__))

    @cached_property
    def _asyncapi(self) -> bytes:
        return msgspec.json.encode(asyncapi(title=f"{TITLE} streams", version=__version__))

    async def live(self, call: Call) -> web.Response:
        """The process answers."""
        return web.Response(text="alive\n")

    async def ready(self, call: Call) -> Reply:
        """200 when Redis answers and keeps what it acknowledges; 503 and why when not."""
        try:
            found = await asyncio.wait_for(self.service.store.health(), PROBE_S)
            health = Health(ready=found.durable, durable=found.durable, reasons=found.problems)
        except TimeoutError:
            health = Health(ready=False, reasons=(f"the store gave no answer within {PROBE_S:g} s",))
        return Reply(health, 200 if health.ready else 503)

    async def metrics(self, call: Call) -> web.Response:
        """Metrics for Prometheus; those of the store are left as they were while it does not answer."""
        with contextlib.suppress(TimeoutError, Unavailable):
            async with asyncio.timeout(PROBE_S):
                for market in self.service.markets:
                    self.measured.counted(market, await self.service.store.market(market).requests.counts())
        return web.Response(body=self.measured.page(), headers={"Content-Type": CONTENT_TYPE})

    async def openapi(self, call: Call) -> web.Response:
        """The HTTP API."""
        return web.Response(body=self._openapi, content_type="application/json")

    async def asyncapi(self, call: Call) -> web.Response:
        """The Redis streams."""
        return web.Response(body=self._asyncapi, content_type="application/json")

    async def index(self, request: web.Request) -> web.Response:
        """Whoever opens the bare address in a browser wants the documentation."""
        return web.Response(status=302, headers={"Location": "/docs"})

    async def docs(self, call: Call) -> web.Response:
        """The API in a browser, without any other host."""
        return _asset("docs.html", "text/html")

    async def script(self, request: web.Request) -> web.Response:
        """The page's module."""
        return _asset("docs.js", "text/javascript")

    async def style(self, request: web.Request) -> web.Response:
        """The page's style."""
        return _asset("docs.css", "text/css")

    async def problem(self, call: Call) -> web.Response:
        """What a problem type means and what may fix it."""
        slug = call.path["slug"]
        if slug not in KINDS:
            raise Problem(f"there is no problem type {slug}", slug="not-found")
        kind = KINDS[slug]
        text = (
            f"<!doctype html><html lang=en><meta charset=utf-8><title>{html.escape(kind.title)}</title>"
            f"<h1>{html.escape(kind.title)}</h1><p>Type <code>/problems/{slug}</code>, status {kind.status}."
            f"<p>{html.escape(kind.remedy)}<p><a href=/docs>The API</a>"
        )
        return web.Response(text=text, content_type="text/html", headers=PAGE)


def _asset(name: str, content_type: str) -> web.Response:
    body = (ASSETS / name).read_bytes()
    return web.Response(body=body, content_type=content_type, charset="utf-8", headers=PAGE)
