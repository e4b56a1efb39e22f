"""One connection: how long it may be silent, how many there are, and what is said to bytes that are no call.

aiohttp waits for header lines, and for the first byte, as long as for the next call of an idle connection.
"""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web
from aiohttp.web_protocol import RequestHandler, RequestPayloadError, _ErrInfo
from aiohttp.web_request import BaseRequest

from contracts.problems import Overloaded, Problem, TooSlow
from dispatcher.http import answers, problem_responses
from dispatcher.http.concurrency import Limits
from dispatcher.http.entry import new_id


class Connections:
    """How many there are; those without a call under way make room for new ones, the longest idle first."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._idle: dict[Connection, None] = {}  # in the order in which they became so
        self._count = 0

    def opened(self, connection: Connection) -> bool:
        """Whether it may stay: there is room, or room could be made."""
        self._count += 1
        if self._count > self._limits.connections:
            longest = next(iter(self._idle), None)
            if longest is None:
                return False
            self._idle.pop(longest, None)
            longest.give_way()
        self._idle[connection] = None
        return True

    def closed(self, connection: Connection) -> None:
        """It is gone."""
        self._count -= 1
        self._idle.pop(connection, None)

    def busy(self, connection: Connection) -> None:
        """It has a call under way."""
        self._idle.pop(connection, None)

    def idle(self, connection: Connection) -> None:
        """Its call is answered."""
        self._idle[connection] = None

    def overloaded(self) -> Exception:
        """What the one too many is told."""
        return Overloaded(
            f"{self._limits.connections} connections are open, each with a call under way\n"
            "Maybe use fewer connections, and each for many calls.",
            retry_after_s=self._limits.retry_after_s,
        )


class Connection(RequestHandler):
    """aiohttp's, with a time for header lines; refusals are problems that repeat nothing of what was sent."""

    __slots__ = ("_connections", "_header_s", "_header_timer", "_partial")

    def __init__(self, manager: web.Server, connections: Connections, header_s: float, **more: Any) -> None:
        super().__init__(manager, **more)
        self._connections, self._header_s = connections, header_s
        self._header_timer: asyncio.TimerHandle | None = None
        self._partial = False  # some of a call is here, and not its last header line

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Refuse it if there are too many; else wait for its first call, for a while."""
        super().connection_made(transport)
        if self._connections.opened(self):
            self._wait_for_headers()
        else:
            self._refuse(self._connections.overloaded())

    def connection_lost(self, exc: BaseException | None) -> None:
        """Forget it."""
        self._connections.closed(self)
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """As aiohttp has it; the header lines of a call have from their first byte on the same time."""
        super().data_received(data)
        if not self._messages:
            if data and self._waiter is not None:  # else it belongs to the call under way
                self._partial = True
                self._wait_for_headers()
            return
        self._stop_waiting()
        if isinstance(self._messages[-1][0], _ErrInfo):
            self._spoil()

    def give_way(self) -> None:
        """End at once, whether or not its other end has read what it was sent."""
        if self.transport is not None:
            self.transport.abort()
        self.force_close()

    def _wait_for_headers(self) -> None:
        if self._header_timer is None:
            self._header_timer = self._loop.call_later(self._header_s, self._headers_overdue)

    def _stop_waiting(self) -> None:
        self._partial = False
        if self._header_timer is not None:
            self._header_timer.cancel()
            self._header_timer = None

    def _headers_overdue(self) -> None:
        self._header_timer = None
        if self._waiter is None or self._waiter.done():
            return  # it is busy with a call
        if self._partial:
            self._refuse(
                TooSlow(f"the header lines did not arrive within {self._header_s:g} s\nMaybe again.")
            )
        self.force_close()

    def _refuse(self, error: Exception) -> None:
        """Say why, outside of any call, and hang up."""
        if self.transport is not None:
            self.transport.write(answers.plain(problem_responses.answer(error, new_id())))
        self.force_close()

    def _spoil(self) -> None:
        """The call under way gets no more of its body, and nothing behind it can be read."""
        call = self._current_request
        if call is not None and not call.content.is_eof():
            self._messages.pop()
            call._cancel(RequestPayloadError())
            self.close()

    async def _handle_request(self, *call: Any) -> Any:
        self._stop_waiting()
        self._connections.busy(self)
        try:
            return await super()._handle_request(*call)
        finally:
            if self.transport is not None:
                self._connections.idle(self)

    def handle_error(
        self,
        request: BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what could not be read (400), or a failure outside of our handlers (500), and hang up."""
        if request.writer.output_size > 0:
            raise ConnectionError("the answer had begun: it is cut off")
        answer = answers.marked(problem_responses.answer(_problem(status, exc), new_id()))
        answer.force_close()
        return answer

    def log_exception(self, *args: Any, **more: Any) -> None:
        """Nothing: `problem_responses` has logged what is a defect of ours."""


def _problem(status: int, error: BaseException | None) -> Exception:
    if status < 500:
        return Problem("the bytes are no HTTP call\nMaybe Content-Length is wrong.", type="malformed-call")
    return error if isinstance(error, Exception) else RuntimeError()
