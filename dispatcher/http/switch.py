"""From method and path to the handler: one look-up for the paths that come again and again.

aiohttp resolves every call anew and goes through its middlewares, which made a twentieth of a submission's
cost; and it makes a regular expression of each path, which was most of what an application took to be built.
Its own router has what is no operation: the documents' files and the console's pages.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any

from aiohttp import web
from aiohttp.web_urldispatcher import UrlMappingMatchInfo

Parts = tuple[str, ...]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
REMEMBERED = 1_024  # paths; one with an id of its own is looked for anew
ODD = frozenset("%?#;")


class Found(UrlMappingMatchInfo):
    """What stands in a path; `typed` is what it means to the route's operation, once that was looked at."""

    __slots__ = ("typed",)

    def __init__(self, named: dict[str, str], route: web.AbstractRoute) -> None:
        super().__init__(named, route)
        self.typed: dict[str, Any] | None = None


class Switch:
    """The operations' routes, whose handlers turn every failure into an answer by themselves."""

    def __init__(self, app: web.Application) -> None:
        self._app = app
        self._routes: dict[tuple[str, int], list[tuple[Parts, web.AbstractRoute]]] = {}
        self.find = lru_cache(REMEMBERED)(self._find)

    def __iter__(self) -> Iterator[web.AbstractRoute]:
        return (route for routes in self._routes.values() for _, route in routes)

    def add(self, methods: Sequence[str], path: str, handler: Handler) -> None:
        """A handler under its path, in which a `{name}` stands for what is between two slashes."""
        parts = tuple(path.split("/"))
        route = web.PlainResource(path).add_route(methods[0], handler)
        for method in methods:
            self._routes.setdefault((method, len(parts)), []).append((parts, route))

    def look(self, request: web.Request) -> tuple[Handler, Found] | None:
        """As `find`, whatever the path looks like; None: it is no operation's."""
        return self._among(request.method, request.rel_url.path_safe)

    def methods(self, request: web.Request) -> set[str]:
        """Those by which there are operations at this path."""
        path = request.rel_url.path_safe
        return {method for method, _ in self._routes if self._among(method, path)}

    def _find(self, method: str, path: str) -> tuple[Handler, Found] | None:
        """The handler, and what stands in the path; None: it has to be looked at more closely."""
        return self._among(method, path) if ODD.isdisjoint(path) and path.isascii() else None

    def _among(self, method: str, path: str) -> tuple[Handler, Found] | None:
        given = path.split("/")
        for parts, route in self._routes.get((method, len(given)), ()):
            if all(
                part == each or (part[:1] == "{" and each) for part, each in zip(parts, given, strict=True)
            ):
                return route.handler, self._found(parts, given, route)
        return None

    def _found(self, parts: Parts, given: list[str], route: web.AbstractRoute) -> Found:
        pairs = zip(parts, given, strict=True)
        info = Found({part[1:-1]: _plain(each) for part, each in pairs if part[:1] == "{"}, route)
        info.add_app(self._app)
        info.freeze()
        return info


def _plain(part: str) -> str:
    """Without what `path_safe` leaves escaped, so that a slash within a part ends no part."""
    return part.replace("%2F", "/").replace("%25", "%") if "%" in part else part
