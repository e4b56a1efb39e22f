"""The addresses of the vendors' page: the page itself, its manifest, and its service worker.

What it is made of is beside the console's (`assets/vendor`), and served at the console's address of assets.
"""

from __future__ import annotations

import json

from aiohttp import web

from dispatcher.console.assets import VENDOR, Assets

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' blob:; manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; trusted-types worker; require-trusted-types-for 'script'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(self), payment=()",
}
ASK = HEADERS | {"Cache-Control": "no-cache"}
USED = ("vendor/", "core/api.js", "core/dom.js", "core/press.js", "core/spoken.js", "style/1-tokens.css")


def add(app: web.Application, assets: Assets) -> None:
    """The addresses, over these files."""

    async def shell(request: web.Request) -> web.Response:
        """The page, whatever stands behind its address."""
        return web.Response(body=assets.shell(VENDOR), content_type="text/html", charset="utf-8", headers=ASK)

    async def manifest(request: web.Request) -> web.Response:
        """How a phone installs it."""
        body = assets.filled("vendor/app.webmanifest")
        return web.Response(body=body, content_type="application/manifest+json", headers=ASK)

    async def worker(request: web.Request) -> web.Response:
        """The service worker: it changes with any file, so that a phone gets the new ones together."""
        script = _worker(assets)
        headers = ASK | {"Service-Worker-Allowed": "/vendor"}  # the page itself, too
        return web.Response(text=script, content_type="text/javascript", charset="utf-8", headers=headers)

    app.router.add_get("/vendor", shell)
    app.router.add_get("/vendor/app.webmanifest", manifest)
    app.router.add_get("/vendor/worker.js", worker)
    app.router.add_get("/vendor/{rest:.*}", shell)


def _worker(assets: Assets) -> str:
    files = [f"{assets.base}/{each}" for each in assets.named(*USED) if not each.endswith(".html")]
    said = json.dumps({"digest": assets.digest, "files": files})
    return f'import {{ begin }} from "{assets.base}/vendor/worker/worker.js";\nbegin({said});\n'
