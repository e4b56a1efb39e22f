"""Server-sent events that survive a broken connection: resumed after the last one seen."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import NamedTuple

import aiohttp
import msgspec

from client.answers import UNREADABLE
from client.answers import Received as Answer
from client.event_stream import blocks
from client.http import TRY_AGAIN, Connection, received_of
from client.pauses import pauses, retry_after_s
from contracts.events import CloudEvent

SSE = "text/event-stream"
CALL = "GET /events"
SILENCE_S = 60.0  # the service sends a comment more often than this
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 5.0
LONGEST_RETRY_AFTER_S = 300.0  # a feed has no end of patience, so nobody may put it to sleep for good


class Received(NamedTuple):
    """An event and its place in the stream: give it as `after` to go on from there."""

    position: str
    event: CloudEvent


class Step(NamedTuple):
    """One block of a feed: the place after it, and its event; None if it has none, or none to be read."""

    position: str
    event: CloudEvent | None


class Busy(Exception):
    """The service takes no feed now."""

    def __init__(self, retry_after_s: float) -> None:
        super().__init__(retry_after_s)
        self.retry_after_s = retry_after_s


async def follow(connection: Connection, after: str = "") -> AsyncIterator[Received]:
    """Events as they come, without end and without gap, after ever longer pauses where it breaks.

    One that cannot be read is counted in `connection.unreadable` and passed over. Raises Problem if the
    service refuses the feed, UnexpectedAnswer if what answers is no feed.
    """
    position, waits = after, pauses(FIRST_PAUSE_S, LONGEST_PAUSE_S)
    while True:
        asked_for_s, began_s, news = 0.0, time.monotonic(), False
        try:
            async for step in _listen(connection, position):
                position, news = step.position, news or step.event is not None
                if step.event is not None:
                    yield Received(position, step.event)
        except Busy as busy:
            asked_for_s = min(busy.retry_after_s, LONGEST_RETRY_AFTER_S)
        except (aiohttp.ClientError, TimeoutError, OSError):
            connection.interruptions += 1
        if news or time.monotonic() - began_s > LONGEST_PAUSE_S:  # it worked: this is a new interruption
            waits = pauses(FIRST_PAUSE_S, LONGEST_PAUSE_S)
        await asyncio.sleep(max(next(waits), asked_for_s))


async def _listen(connection: Connection, after: str) -> AsyncIterator[Step]:
    headers = {"Accept": SSE} | ({"Last-Event-ID": after} if after else {})
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=connection.timeout_s, sock_read=SILENCE_S)
    async with connection.feeds.get(
        connection.url("/events"), headers=headers, timeout=timeout, allow_redirects=False
    ) as response:
        await _refuse_other(response, connection.timeout_s)
        position = after
        async for block in blocks(response.content, CALL):
            position = block.position or position
            yield Step(position, _event(connection, block.data))


async def _refuse_other(response: aiohttp.ClientResponse, timeout_s: float) -> None:
    """Raises Busy, Problem or UnexpectedAnswer for what is no feed."""
    answer = Answer(CALL, response.status, response.headers, b"")
    if response.status in TRY_AGAIN:
        raise Busy(retry_after_s(response.headers))
    if response.status >= 400:
        async with asyncio.timeout(timeout_s):
            raise (await received_of(CALL, response)).refusal()
    if response.status != 200 or answer.media != SSE:
        raise answer.unexpected(f"200 and {SSE} are promised; {answer.kind} came")


def _event(connection: Connection, data: bytes | None) -> CloudEvent | None:
    if data is None:
        return None
    try:
        return msgspec.json.decode(data, type=CloudEvent)
    except UNREADABLE:
        connection.unreadable += 1
        return None
