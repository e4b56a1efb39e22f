"""Documents, open to anyone: OpenAPI, AsyncAPI, the page to read them, and what each problem type means."""

from __future__ import annotations

import html
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

import msgspec
from aiohttp import web
from msgspec import Meta

from contracts.asyncapi import asyncapi
from contracts.openapi import openapi
from contracts.operations import ANYONE, Answer, Operation
from contracts.patterns import whole
from contracts.problems import PROBLEM_TYPES, Problem
from dispatcher import __version__
from dispatcher.http.call import Call
from dispatcher.http.parts import Parts
from dispatcher.http.routing import Routes

ASSETS = Path(__file__).parent / "assets"
TITLE = "Dispatcher"
JSON, HTML = "application/json", "text/html"
PAGE = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}
ROUTES = Routes("service", 1000, type=Annotated[str, Meta(pattern=whole("[a-z-]{1,40}"))])


class Documents:
    """What describes an application that has these operations; each is made when it is first asked for."""

    def __init__(self, operations: Sequence[Operation]) -> None:
        self.operations = operations

    @cached_property
    def openapi(self) -> bytes:
        """OpenAPI in JSON."""
        return msgspec.json.encode(openapi(self.operations, title=TITLE, version=__version__))

    @cached_property
    def asyncapi(self) -> bytes:
        """AsyncAPI in JSON."""
        return msgspec.json.encode(asyncapi(title=f"{TITLE} streams", version=__version__))


DOCUMENTS = web.AppKey("documents", Documents)


@ROUTES.get(
    "/openapi.json",
    id="openapi",
    roles=ANYONE,
    answers={200: Answer(body=dict[str, Any], media=JSON)},
)
async def read_openapi(call: Call, parts: Parts) -> web.Response:
    """OpenAPI 3.1 of this interface."""
    return web.Response(body=call.raw.app[DOCUMENTS].openapi, content_type=JSON)


@ROUTES.get(
    "/asyncapi.json",
    id="asyncapi",
    roles=ANYONE,
    answers={200: Answer(body=dict[str, Any], media=JSON)},
)
async def read_asyncapi(call: Call, parts: Parts) -> web.Response:
    """AsyncAPI 3.0 of the Redis streams."""
    return web.Response(body=call.raw.app[DOCUMENTS].asyncapi, content_type=JSON)


@ROUTES.get(
    "/docs",
    id="docs",
    roles=ANYONE,
    answers={200: Answer(media=HTML)},
)
async def docs(call: Call, parts: Parts) -> web.Response:
    """Documentation, to read and try in a browser."""
    return _asset("docs.html", HTML)


@ROUTES.get(
    "/problems/{type}",
    id="problem",
    roles=ANYONE,
    answers={200: Answer(media=HTML)},
)
async def problem(call: Call, parts: Parts) -> web.Response:
    """What a problem type means and what may fix it."""
    name = call.path["type"]
    if name not in PROBLEM_TYPES:
        raise Problem(f"there is no problem type {name}", type="not-found")
    told = PROBLEM_TYPES[name]
    text = (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{html.escape(told.title)}</title>"
        f"<h1>{html.escape(told.title)}</h1><p>Type <code>/problems/{name}</code>, status {told.status}."
        f"<p>{html.escape(told.remedy)}<p><a href=/docs>The API</a>"
    )
    return web.Response(text=text, content_type=HTML, headers=PAGE)


async def index(request: web.Request) -> web.Response:
    """Whoever opens the bare address in a browser wants the documentation."""
    return web.Response(status=302, headers={"Location": "/docs"})


async def script(request: web.Request) -> web.Response:
    """The page's module."""
    return _asset("docs.js", "text/javascript")


async def style(request: web.Request) -> web.Response:
    """The page's style."""
    return _asset("docs.css", "text/css")


def _asset(name: str, content_type: str) -> web.Response:
    body = (ASSETS / name).read_bytes()
    return web.Response(body=body, content_type=content_type, charset="utf-8", headers=PAGE)
