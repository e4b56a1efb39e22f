"""Lists that come in pages, each with the cursor of the next."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Protocol, TypeVar

from client.errors import UnexpectedAnswer
from client.http import Connection

PAGE_SIZE = 200


class Page(Protocol):
    """A part of a list; its `cursor` is empty on the last one."""

    @property
    def cursor(self) -> str: ...


P = TypeVar("P", bound=Page)


async def pages(
    connection: Connection, path: str, form: type[P], params: Mapping[str, str]
) -> AsyncIterator[P]:
    """Page by page to the last. Raises UnexpectedAnswer for a page that leads to itself."""
    asked = {"limit": str(PAGE_SIZE)} | dict(params)
    while True:
        page = await connection.call("GET", path, form, params=asked)
        yield page
        if not page.cursor:
            return
        if page.cursor == asked.get("cursor"):
            raise UnexpectedAnswer(f"GET {path}", 200, "the page after it is itself")
        asked["cursor"] = page.cursor
