"""Events as they happen: server-sent events, resumed by Last-Event-ID, ended when the service stops."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Protocol, TypeVar

import msgspec
from aiohttp import ClientConnectionResetError, web

from contracts.codes import Role
from dispatcher.http.call import Call
from dispatcher.http.observe import Figures
from dispatcher.store.events import Entry
from dispatcher.store.keys import Keys

KEEP_ALIVE_S = 15.0
HEADERS = {"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
Item = TypeVar("Item")


class Feed(Protocol):
    """Where the entries of a stream come from: `dispatcher.delivery.hub.Hub`."""

    def follow(self, stream: str, after: str) -> AsyncIterator[Entry]:
        """Entries after an id, without end; "$" is the stream's present end."""


class Events:
    """The handler, and the end of all its streams at shutdown."""

    def __init__(self, hub: Feed, figures: Figures, keep_alive_s: float = KEEP_ALIVE_S) -> None:
        self.hub, self.figures, self.keep_alive_s = hub, figures, keep_alive_s
        self._open: set[asyncio.Task[None]] = set()
        self._closing = False

    async def follow(self, call: Call) -> web.StreamResponse:
        """The market's events; for a vendor, its own stream. It ends when the caller or the service goes."""
        keys, who = Keys(call.market), call.principal
        stream = keys.stream(who.vendor_id) if who.role is Role.VENDOR else keys.events
        response = web.StreamResponse(headers={**HEADERS, "X-Request-Id": call.request_id})
        await response.prepare(call.raw)
        if self._closing:
            return response
        task = asyncio.ensure_future(self._pump(response, self.hub.follow(stream, call.after or "$")))
        self._open.add(task)
        task.add_done_callback(self._open.discard)
        with self.figures.streams.track_inprogress():
            try:
                await asyncio.shield(task)
            except asyncio.CancelledError:
                task.cancel()
                if not self._closing:
                    raise
        return response

    async def close(self) -> None:
        """End every stream now; a client resumes where it was."""
        self._closing = True
        for task in list(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _pump(self, response: web.StreamResponse, entries: AsyncIterator[Entry]) -> None:
        with contextlib.suppress(ClientConnectionResetError, ConnectionResetError):
            await response.write(b": open\n\n")
            async for entry in _or_silence(entries, self.keep_alive_s):
                await response.write(b": still here\n\n" if entry is None else sse(entry))


def sse(entry: Entry) -> bytes:
    """One event: its place in the stream as id, the CloudEvent as JSON."""
    data = msgspec.json.encode(msgspec.msgpack.decode(entry.event))
    return b"id: %b\ndata: %b\n\n" % (entry.id.encode(), data)


async def _or_silence(items: AsyncIterator[Item], silence_s: float) -> AsyncIterator[Item | None]:
    """The items, and None whenever none came for `silence_s` real seconds."""
    coming: asyncio.Future[Item] | None = None
    try:
        while True:
            coming = coming or asyncio.ensure_future(anext(items))
            done, _ = await asyncio.wait({coming}, timeout=silence_s)
            if not done:
                yield None
                continue
            try:
                item = coming.result()
            except StopAsyncIteration:
                return
            coming = None
            yield item
    finally:
        if coming is not None:
            coming.cancel()
            with contextlib.suppress(asyncio.CancelledError, StopAsyncIteration):
                await coming
