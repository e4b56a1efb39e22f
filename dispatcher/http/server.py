"""aiohttp's server, with what it leaves out: limits of time and number, and every refusal a problem.

Its own answers and log lines quote the bytes that are no call, which may be a patient; and it inflates
bodies before it is known who sends them (see `bodies`).
"""

from __future__ import annotations

import socket
from typing import Any

from aiohttp import HttpVersion11, web

from dispatcher.http import answers, oddities, problem_responses, turns
from dispatcher.http.concurrency import Limits
from dispatcher.http.connection import Connection
from dispatcher.http.connections import Connections
from dispatcher.http.entry import new_id
from dispatcher.http.lanes import Lanes
from dispatcher.http.switch import Switch

LIMITS = web.AppKey("limits", Limits)
LANES = web.AppKey("lanes", Lanes)
SWITCH = web.AppKey("switch", Switch)


BACKLOG = 4_096  # connections that wait to be taken; Linux takes no more than net.core.somaxconn
UNREAD_S = 60  # who takes nothing of what it was sent for so long is hung up on
TAKEN_AT_ONCE = 8  # more would cost more than it brings: each of them looks at every new connection


async def listen(runner: web.BaseRunner, bound: socket.socket) -> None:
    """Take connections from a socket, which stays its owner's.

    uvloop takes one of each socket each time that it looks, and while there is much to do it seldom looks:
    the same socket many times over is what keeps new connections from waiting.
    """
    if hasattr(socket, "TCP_USER_TIMEOUT") and bound.family != socket.AF_UNIX:  # each connection has it, too
        bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD_S * 1000)
    for _ in range(TAKEN_AT_ONCE):
        await web.SockSite(runner, bound.dup(), backlog=BACKLOG).start()


class Runner(web.AppRunner):
    """Runs an application, as `web.AppRunner` does, within the application's LIMITS."""

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        return _Server(
            made.request_handler,
            switch=self._app[SWITCH],
            limits=self._app.get(LIMITS, Limits()),
            lanes=self._app[LANES],
            request_factory=made.request_factory,
            handler_cancellation=made.handler_cancellation,
            **made._kwargs,
        )


class _Server(web.Server):
    def __init__(
        self, handler: Any, *, switch: Switch, limits: Limits, lanes: Lanes, **settings: Any
    ) -> None:
        settings |= {"auto_decompress": False, "keepalive_timeout": limits.idle_s}
        super().__init__(_within_http(handler, switch), **settings)
        self.limits, self.lanes, self.open = limits, lanes, Connections(limits)

    def __call__(self) -> Connection:
        return Connection(self, self.open, self.lanes, self.limits.header_s, loop=self._loop, **self._kwargs)


def _within_http(resolve: Any, switch: Switch) -> Any:
    """The application's handler, behind what is refused whatever the path."""

    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            oddities.refuse(request)
        except Exception as error:
            request._version = HttpVersion11  # else aiohttp answers in the version that it was asked in
            answer = answers.marked(problem_responses.answer(error, new_id()))
            answer.force_close()
            return answer
        try:
            found = switch.find(request.method, request.raw_path) or switch.look(request)
            if found is None:
                answered: web.StreamResponse = await resolve(request)
            else:
                handler, request._match_info = found
                answered = await handler(request)
        finally:
            turns.over(request)  # to send the answer takes as long as its caller takes to read it
        return answers.in_parts(answered)

    return handle
