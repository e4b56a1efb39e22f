"""aiohttp's server, but what is no HTTP at all is answered as a problem too, and never repeated.

A body that is longer than its Content-Length says is read as the next call. aiohttp's own answer and log line
quote the bytes that are no call, which may be a patient.
"""

from __future__ import annotations

from typing import Any

from aiohttp import web
from aiohttp.web_protocol import RequestHandler, RequestPayloadError, _ErrInfo
from aiohttp.web_request import BaseRequest

from contracts.problems import Problem
from dispatcher.http import problem_responses
from dispatcher.http.entry import new_id


class Runner(web.AppRunner):
    """Runs an application, as `web.AppRunner` does."""

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        return _Server(
            made.request_handler,
            request_factory=made.request_factory,
            handler_cancellation=made.handler_cancellation,
            **made._kwargs | {"auto_decompress": False},  # see `bodies`
        )


class _Server(web.Server):
    def __call__(self) -> RequestHandler:
        return _Connection(self, loop=self._loop, **self._kwargs)


class _Connection(RequestHandler):
    def data_received(self, data: bytes) -> None:
        """As aiohttp has it, but whoever waits for a body hears at once that its rest is none."""
        super().data_received(data)
        if self._messages and isinstance(self._messages[-1][0], _ErrInfo):
            self._spoil()

    def _spoil(self) -> None:
        """The call under way gets no more of its body, and nothing behind it can be read."""
        call = self._current_request
        if call is not None and not call.content.is_eof():
            self._messages.pop()
            call._cancel(RequestPayloadError())
            self.close()

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
        answer = problem_responses.answer(_problem(status, exc), new_id())
        answer.force_close()
        return answer

    def log_exception(self, *args: Any, **more: Any) -> None:
        """Nothing: `problem_responses` has logged what is a defect of ours."""


def _problem(status: int, error: BaseException | None) -> Exception:
    if status < 500:
        return Problem("the bytes are no HTTP call\nMaybe Content-Length is wrong.", type="malformed-call")
    return error if isinstance(error, Exception) else RuntimeError()
