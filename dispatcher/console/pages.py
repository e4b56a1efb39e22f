"""The console's addresses: one page for all of them, what it is made of, and its sessions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from aiohttp import web

from dispatcher.console import sessions, vendor_pages, vendor_sessions
from dispatcher.console.assets import Asset, Assets
from dispatcher.http.app import build_app
from dispatcher.http.parts import Parts
from dispatcher.http.routing import Routes

if TYPE_CHECKING:  # what it imports is slow, and needed where there is one
    from dispatcher.console.oidc import Directory

OIDC = "/console/oidc"
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src {pictures}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
}
FOREVER, ASK = "public, max-age=31536000, immutable", "no-cache"
ASSETS = web.AppKey("assets", Assets)
HEADERS = web.AppKey("headers", dict[str, str])


def headers_of(parts: Parts) -> dict[str, str]:
    """What every answer carries; a setting may name one more place that pictures come from."""
    pictures = "'self' data: blob:" + (f" {parts.map_tiles.origin}" if parts.map_tiles else "")
    return {name: value.replace("{pictures}", pictures) for name, value in _HEADERS.items()}


def with_console(
    parts: Parts, directory: Directory | None = None, more: Iterable[Routes] = ()
) -> web.Application:
    """The API, with `more` routes, and the console beside it. `directory`: whose people may sign in, too."""
    app = build_app(parts, [sessions.ROUTES, vendor_sessions.ROUTES, *more])
    if directory is not None:
        app[sessions.DIRECTORY] = directory
        app.router.add_get(OIDC, directory.leave)
        app.router.add_get(f"{OIDC}/callback", directory.come_back)
    app[ASSETS], app[HEADERS] = Assets(), headers_of(parts)
    app.router.add_get("/console/assets/{digest}/{name:.+}", asset)
    app.router.add_get("/console", shell)
    app.router.add_get("/console/{market}/{view}", shell)
    app.router.add_get("/console/{market}/{view}/{rest:.*}", shell)
    app.router.add_get("/console/{rest:.*}", shell)
    vendor_pages.add(app, app[ASSETS])
    return app


async def shell(request: web.Request) -> web.Response:
    """The page, whatever stands behind its address: what it shows is decided in the browser."""
    view = f"pages/{request.match_info.get('view', '')}.js"
    body = request.app[ASSETS].shell(view=view)
    return web.Response(
        body=body,
        content_type="text/html",
        charset="utf-8",
        headers=_headers(request) | {"Cache-Control": ASK},
    )


def _headers(request: web.Request) -> dict[str, str]:
    found: dict[str, str] = request.app[HEADERS]
    return found


async def asset(request: web.Request) -> web.Response:
    """A file of the page; under the digest of all it never changes."""
    assets = request.app[ASSETS]
    found: Asset | None = assets.get(request.match_info["name"])
    if found is None:
        raise web.HTTPNotFound
    kept = FOREVER if request.match_info["digest"] == assets.digest else ASK
    headers = _headers(request) | {
        "Cache-Control": kept,
        "ETag": found.etag,
        "Vary": "Accept-Encoding",
    }
    if request.headers.get("If-None-Match") == found.etag:
        return web.Response(status=304, headers=headers)
    body = found.body
    if found.packed and "gzip" in request.headers.get("Accept-Encoding", ""):
        body, headers = found.packed, headers | {"Content-Encoding": "gzip"}
    return web.Response(body=body, content_type=found.media, charset=found.charset, headers=headers)
