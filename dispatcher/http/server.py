"""aiohttp's server, with what it leaves out: limits of time and number, and every refusal a problem.

Its own answers and log lines quote the bytes that are no call, which may be a patient; and it inflates
bodies before it is known who sends them (see `bodies`).
"""

from __future__ import annotations

from typing import Any

from aiohttp import web
from aiohttp.web_request import BaseRequest

from dispatcher.http import answers, oddities, problem_responses
from dispatcher.http.concurrency import Limits
from dispatcher.http.connection import Connection, Connections
from dispatcher.http.entry import new_id

LIMITS = web.AppKey("limits", Limits)


class Runner(web.AppRunner):
    """Runs an application, as `web.AppRunner` does, within the application's LIMITS."""

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        return _Server(
            made.request_handler,
            limits=self._app.get(LIMITS, Limits()),
            request_factory=made.request_factory,
            handler_cancellation=made.handler_cancellation,
            **made._kwargs,
        )


class _Server(web.Server):
    def __init__(self, handler: Any, *, limits: Limits, **settings: Any) -> None:
        settings |= {"auto_decompress": False, "keepalive_timeout": limits.idle_s}
        super().__init__(_within_http(handler), **settings)
        self.limits, self.open = limits, Connections(limits)

    def __call__(self) -> Connection:
        return Connection(self, self.open, self.limits.header_s, loop=self._loop, **self._kwargs)


def _within_http(handler: Any) -> Any:
    """The application's handler, behind what is refused whatever the path."""

    async def handle(request: BaseRequest) -> web.StreamResponse:
        try:
            oddities.refuse(request)
        except Exception as error:
            answer = answers.marked(problem_responses.answer(error, new_id()))
            answer.force_close()
            return answer
        answered: web.StreamResponse = await handler(request)
        return answered

    return handle
