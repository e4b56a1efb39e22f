"""The other end of a connection: whether it reads what it is told, and whether it is there.

Who does not read makes room for others, as one that has no call under way: else a long answer to a call that
needs no token keeps its connection for as long as a stranger likes. How long it may at the most, the kernel
sees to: `server.listen`.
"""

from __future__ import annotations

import socket
from typing import Any, Final

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from dispatcher.http.connections import Connections
from dispatcher.http.door import Turn

ESTABLISHED: Final = b"\x01"  # the first byte of TCP_INFO: neither end has closed it


class Reader(RequestHandler):
    """aiohttp's, one of all connections: it gives way while nothing is done for its caller."""

    __slots__ = ("_connections", "turn")

    def __init__(self, manager: web.Server, connections: Connections, **more: Any) -> None:
        super().__init__(manager, **more)
        self._connections = connections
        self.turn: Turn | None = None  # of the call under way

    @property
    def known(self) -> bool:
        """Whether whoever gave the call under way had proved itself before."""
        return self.turn is not None and self.turn.caller.proved

    def pause_writing(self) -> None:
        """It does not keep up: nothing is done for it until it does."""
        super().pause_writing()
        if self.transport is not None:
            self._connections.idle(self, known=self.known)

    def resume_writing(self) -> None:
        """It has caught up."""
        if self._request_in_progress:
            self._connections.busy(self)
        super().resume_writing()

    def hung_up(self) -> bool:
        """Whether its other end has gone, which is not heard of while it is left unread; as far as known."""
        if self.transport is None or not hasattr(socket, "TCP_INFO"):
            return self.transport is None
        found = self.transport.get_extra_info("socket")
        return bool(found.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1) != ESTABLISHED)

    def give_way(self) -> None:
        """End at once, whether or not its other end has read what it was sent."""
        if self.transport is not None:
            self.transport.abort()
        self.force_close()
