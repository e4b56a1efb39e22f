"""HTTP by the byte, for what no client library would send."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import msgspec

from tests.http.conftest import Api

TIMEOUT_S = 20.0


class Told(NamedTuple):
    """An answer: status, headers by their names in small letters, body."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def problem(self) -> str:
        """The type of the problem that it is."""
        assert self.headers["content-type"] == "application/problem+json"
        problem: dict[str, Any] = msgspec.json.decode(self.body)
        assert problem["status"] == self.status
        assert problem["detail"]
        return str(problem["type"]).removeprefix("/problems/")


class Wire(NamedTuple):
    """One connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def send(self, *lines: str, body: bytes = b"") -> None:
        """Header lines with the empty one behind them, and a body."""
        self.writer.write("".join(f"{line}\r\n" for line in (*lines, "")).encode("latin-1") + body)

    async def told(self) -> Told:
        """The next answer."""
        async with asyncio.timeout(TIMEOUT_S):
            first, *rest = (await self.reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (x.partition(":") for x in rest)}
            body = await self.reader.readexactly(int(headers.get("content-length", 0)))
        return Told(int(first.split()[1]), headers, body)

    async def ended(self) -> bool:
        """Whether the server hangs up, in time."""
        try:
            async with asyncio.timeout(TIMEOUT_S):
                await self.reader.read()
        except ConnectionResetError:
            pass
        return True


@asynccontextmanager
async def wire(api: Api) -> AsyncIterator[Wire]:
    """A connection to the service."""
    reader, writer = await asyncio.open_connection(api.client.server.host, api.client.server.port)
    try:
        yield Wire(reader, writer)
    finally:
        writer.transport.abort()


def post(api: Api, *more: str, length: int | None = None, **headers: str) -> tuple[str, ...]:
    """The header lines of a submission."""
    named = api.headers(Content_Type="application/json", Host="x", **headers)
    lines = [f"{name}: {value}" for name, value in named.items()]
    size = [] if length is None else [f"Content-Length: {length}"]
    return (f"POST {api.base}/requests HTTP/1.1", *lines, *size, *more)
