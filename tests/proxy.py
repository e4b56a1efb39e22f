"""A real TCP proxy before a Redis server that loses, cuts and repeats on demand: what networks do."""

import asyncio
import contextlib
import ssl
from pathlib import Path
from types import TracebackType
from typing import Self


class Proxy:
    """Listens on a free port and passes bytes to the server's Unix socket and back."""

    def __init__(self, upstream: Path, tls: ssl.SSLContext | None = None) -> None:
        self.upstream, self._tls = upstream, tls
        self.losing = 0  # so many answers are swallowed; their connections are cut after
        self.repeating = 0  # so many answers are sent twice
        self.cutting_after: int | None = None  # bytes of a question that still reach the server
        self.refusing = False  # new connections are cut at once
        self.faults = 0  # how many faults were played
        self._forgotten: set[asyncio.StreamWriter] = set()  # whose bytes reach nobody, and who are not told
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """What a Redis client connects to."""
        assert self._server is not None
        scheme, host = ("rediss", "localhost") if self._tls else ("redis", "127.0.0.1")
        return f"{scheme}://{host}:{self._server.sockets[0].getsockname()[1]}"

    def cut(self) -> None:
        """Break every connection now."""
        for writer in self._writers:
            writer.transport.abort()

    def forget(self) -> None:
        """Swallow all on the connections that there are, and leave them open: a firewall that forgot them."""
        self._forgotten |= self._writers
        self.faults += 1

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.add(writer)
        try:
            if not self.refusing:
                with contextlib.suppress(OSError):
                    await self._join(reader, writer)
        finally:
            writer.transport.abort()
            self._writers.discard(writer)
            self._tasks.discard(task)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Until either side ends, or a fault ends both."""
        answers, questions = await asyncio.open_unix_connection(str(self.upstream))
        ways = [
            asyncio.create_task(self._ask(reader, questions, writer)),
            asyncio.create_task(self._answer(answers, writer)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            questions.close()

    async def _ask(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, asker: asyncio.StreamWriter
    ) -> None:
        while data := await reader.read(65_536):
            if asker in self._forgotten:
                continue
            if self.cutting_after is not None:
                data, self.cutting_after = data[: self.cutting_after], None
                self.faults += 1
                writer.write(data)
                await writer.drain()
                return
            writer.write(data)
            await writer.drain()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            if writer in self._forgotten:
                continue
            if self.losing:
                self.losing -= 1
                self.faults += 1
                return
            writer.write(data)
            if self.repeating:
                self.repeating -= 1
                self.faults += 1
                writer.write(data)
            await writer.drain()
