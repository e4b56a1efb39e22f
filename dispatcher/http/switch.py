"""From method and path to the handler, in one look-up for the paths that come again and again.

aiohttp resolves every call anew and goes through its middlewares, which made a twentieth of a submission's
cost. What is odd (an escaped path, one with a query) or unknown goes that way still.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import Any

from aiohttp import web
from aiohttp.web_urldispatcher import AbstractRoute, UrlMappingMatchInfo

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
REMEMBERED = 1_024  # paths; one with an id of its own is looked for anew
ODD = frozenset("%?#;")


class Found(UrlMappingMatchInfo):
    """What stands in a path; `typed` is what it means to the route's operation, once that was looked at."""

    __slots__ = ("typed",)

    def __init__(self, named: dict[str, str], route: AbstractRoute) -> None:
        super().__init__(named, route)
        self.typed: dict[str, Any] | None = None


class Switch:
    """The routes whose handlers turn every failure into an answer by themselves."""

    def __init__(self, app: web.Application) -> None:
        self._app = app
        self._routes: dict[tuple[str, int], list[tuple[tuple[str, ...], AbstractRoute]]] = {}
        self.find = lru_cache(REMEMBERED)(self._find)

    def add(self, method: str, path: str, route: AbstractRoute) -> None:
        """A route under its path, in which a `{name}` stands for what is between two slashes."""
        parts = tuple(path.split("/"))
        self._routes.setdefault((method, len(parts)), []).append((parts, route))

    def _find(self, method: str, path: str) -> tuple[Handler, Found] | None:
        """The handler, and what stands in the path; None: aiohttp has to look."""
        given = path.split("/")
        if not ODD.isdisjoint(path) or "" in given[1:] or not path.isascii():
            return None
        for parts, route in self._routes.get((method, len(given)), ()):
            if all(part == each or part[:1] == "{" for part, each in zip(parts, given, strict=True)):
                named = {part[1:-1]: each for part, each in zip(parts, given, strict=True) if part[:1] == "{"}
                info = Found(named, route)
                info.add_app(self._app)
                info.freeze()
                return route.handler, info
        return None
