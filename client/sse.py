"""Server-sent events that survive a broken connection: resumed after the last one seen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import NamedTuple

import aiohttp
import msgspec

from client.errors import Problem
from client.http import TRY_AGAIN, Connection
from contracts.events import CloudEvent

SILENCE_S = 60.0  # the service sends a comment more often than this
PAUSE_S = 0.2


class Received(NamedTuple):
    """An event and its place in the stream: give it as `after` to go on from there."""

    position: str
    event: CloudEvent


async def follow(connection: Connection, after: str = "") -> AsyncIterator[Received]:
    """Events as they come, without end; raises Problem if the service refuses the feed.

    None is left out, or an event `dispatch.feed.gap` says where: read anew what you keep a copy of.
    """
    position = after
    while True:
        try:
            async for place, event in _listen(connection, position):
                position = place
                if event is not None:
                    yield Received(place, event)
        except Problem as problem:
            if problem.status not in TRY_AGAIN:
                raise
        except (aiohttp.ClientError, TimeoutError, OSError):
            connection.interruptions += 1
        await asyncio.sleep(PAUSE_S)


async def _listen(connection: Connection, after: str) -> AsyncIterator[tuple[str, CloudEvent | None]]:
    """Positions, with the event that stands there; the feed begins with the position that it begins at."""
    headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": after} if after else {})
    timeout = aiohttp.ClientTimeout(total=None, sock_read=SILENCE_S)
    async with connection.session.get(
        f"{connection.base}/events", headers=headers, timeout=timeout
    ) as response:
        if response.status != 200:
            body = await response.read()
            raise Problem(response.status, msgspec.json.decode(body) if body.startswith(b"{") else {})
        async for fields in _blocks(response.content):
            data = fields.get("data")
            if data is not None or "id" in fields:
                event = None if data is None else msgspec.json.decode(data, type=CloudEvent)
                yield fields.get("id", after), event


async def _blocks(content: aiohttp.StreamReader) -> AsyncIterator[dict[str, str]]:
    """The fields of one event at a time (HTML standard, 9.2.6); comments only keep the line open."""
    fields: dict[str, str] = {}
    async for raw in content:
        line = raw.decode().rstrip("\r\n")
        if not line:
            if fields:
                yield fields
            fields = {}
            continue
        name, _, value = line.partition(":")
        if name:
            fields[name] = f"{fields[name]}\n{value.lstrip()}" if name in fields else value.removeprefix(" ")
