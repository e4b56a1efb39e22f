"""Blocking reads. Each has a client of its own, whose timeout is above the time it may block."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import ConnectionError as Disconnected
from redis.exceptions import ResponseError

from dispatcher.store.connection import CONNECTION_ERRORS, REDIRECTED, SOCKET_TIMEOUT_S, SPLIT, refused
from dispatcher.store.events import Entry, entries_read
from dispatcher.store.hints import Hint, heard_as
from dispatcher.store.pipe import Listener, Pipe
from dispatcher.store.servers import Servers

MARGIN_S = 5.0
PAUSE_S = 0.2
SILENT_S = 5.0  # after which a subscription that was told nothing is made once more, as a question

Command = Sequence[Any]  #: its words


class Tail:
    """Waits for entries of several streams at once. A server that is away is waited for, too."""

    def __init__(self, servers: Servers, wait_s: float) -> None:
        self.wait_s = wait_s
        self._line = servers.line(wait_s + MARGIN_S)
        self._client: Redis | None = None
        self._pipe: Pipe | None = None

    async def read(self, after: Mapping[str, str], count: int = 100) -> list[Entry]:
        """Entries after each stream's id; none when `wait_s` went by without."""
        if not after:
            await asyncio.sleep(self.wait_s)
            return []
        words = ("XREAD", "COUNT", count, *self._block(), "STREAMS", *after, *after.values())
        return await self._ask(next(iter(after)), [words]) or []

    async def read_group(
        self,
        streams: Mapping[str, str],
        group: str,
        consumer: str,
        count: int = 100,
        before: Sequence[Command] = (),
    ) -> list[Entry] | None:
        """Entries for this consumer: new ones after ">", its own pending ones after an id.

        `before`: said in the same breath, before it waits. None: it broke, and that may not have been heard.
        """
        words = ("XREADGROUP", "GROUP", group, consumer, "COUNT", count, *self._block())
        return await self._ask(
            next(iter(streams)), [*before, (*words, "STREAMS", *streams, *streams.values())]
        )

    async def aclose(self) -> None:
        """Let the connection go."""
        await self._leave()
        await self._line.aclose()

    def _block(self) -> tuple[str, int]:
        return "BLOCK", max(1, int(self.wait_s * 1000))

    async def _ask(self, stream: str, commands: Sequence[Command]) -> list[Entry] | None:
        """The answer to the last of them; None: it broke. All streams are of one market, as `stream` is."""
        try:
            pipe = await self._pipe_to(await self._line.to(stream))
            found = (await pipe.ask(commands))[-1]
            if isinstance(found, Exception):
                raise found
        except (*CONNECTION_ERRORS, *REDIRECTED, SPLIT):  # what moves will be there in a moment
            await self._leave()
            await self._line.broke()
            await asyncio.sleep(PAUSE_S)
            return None
        except ResponseError as error:
            raise refused(error) from error
        except asyncio.CancelledError:  # its answer is still to come: whoever asks next must not get it
            await self._leave()
            raise
        return entries_read(found)

    async def _pipe_to(self, client: Redis) -> Pipe:
        if self._pipe is None or self._pipe.is_closed or client is not self._client:
            await self._leave()
            self._client, self._pipe = client, await Pipe.to(client)
        return self._pipe

    async def _leave(self) -> None:
        pipe, self._pipe = self._pipe, None
        if pipe is not None:
            await pipe.aclose()


class Wake:
    """A subscription to a market's hints. A hint may be lost; whoever waits looks for itself in time."""

    def __init__(self, servers: Servers, channel: str) -> None:
        self._line, self._channel = servers.line(SOCKET_TIMEOUT_S), channel
        self._listener: Listener | None = None

    async def open(self) -> None:
        """Subscribe; once this returns, hints are heard (if the server is there: else `wait` tries again)."""
        with contextlib.suppress(*CONNECTION_ERRORS):
            await self._leave()
            listener = await Listener.to(await self._line.to(self._channel))
            try:
                await listener.ask_one("SUBSCRIBE", self._channel)
            except BaseException:
                await listener.aclose()
                raise
            self._listener = listener

    async def wait(self, timeout_s: float) -> Hint:
        """What was hinted within `timeout_s`, or nothing; hints that came together are taken as one."""
        try:
            heard = await self._heard(timeout_s)
        except CONNECTION_ERRORS:
            await self._line.broke()
            await asyncio.sleep(min(PAUSE_S, timeout_s))
            await self.open()
            return Hint()
        return heard_as(heard)

    async def _heard(self, timeout_s: float) -> list[bytes]:
        """What was said within `timeout_s`. Raises ConnectionError: not subscribed (any more)."""
        if (listener := self._listener) is None:
            raise Disconnected("not subscribed")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                return await listener.said()
        if (
            listener.silent_s >= SILENT_S
        ):  # a link that died without a word owes no answer: it is asked for one
            await listener.ask_one("SUBSCRIBE", self._channel)
        return []

    async def aclose(self) -> None:
        """Unsubscribe and let the connection go."""
        await self._leave()
        await self._line.aclose()

    async def _leave(self) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            await listener.aclose()
