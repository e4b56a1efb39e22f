"""Events as they happen: server-sent events, resumed by Last-Event-ID, ended when the service stops."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import msgspec
from aiohttp import ClientConnectionResetError, web

from contracts.codes import Role
from contracts.problems import Unauthenticated
from dispatcher.delivery.hub import Hub
from dispatcher.domain.refusals import Unavailable
from dispatcher.http.call import Call
from dispatcher.http.metrics import Metrics
from dispatcher.store.events import Entry
from dispatcher.store.keys import Keys

OPEN, STILL_HERE = b": open\n\n", b": still here\n\n"
# A closed tab, a token that expired, a Redis that is away: the stream ends; who may comes back and resumes.
ENDS = (ClientConnectionResetError, ConnectionResetError, Unauthenticated, Unavailable)
HEADERS = {"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class Events:
    """The handler of event streams. Closing the hub ends them all; their clients resume where they were."""

    def __init__(
        self, hub: Hub, metrics: Metrics, keep_alive_s: float, identify: Callable[[web.Request], object]
    ) -> None:
        """`identify` raises Unauthenticated once the caller's token holds no more."""
        self.hub, self.metrics, self.keep_alive_s, self.identify = hub, metrics, keep_alive_s, identify

    async def follow(self, call: Call) -> web.StreamResponse:
        """The market's events; for a vendor, its own stream."""
        keys, who = Keys(call.market), call.principal
        stream = keys.stream(who.vendor_id) if who.role is Role.VENDOR else keys.events
        response = web.StreamResponse(headers={**HEADERS, "X-Request-Id": call.request_id})
        async with self.hub.follow(stream, call.after or None) as feed:
            with self.metrics.streams.track_inprogress(), contextlib.suppress(*ENDS):
                await response.prepare(call.raw)
                await response.write(OPEN)
                while not feed.closed:
                    entries = await feed.next(self.keep_alive_s)
                    self.identify(call.raw)
                    await response.write(b"".join(map(sse, entries)) or STILL_HERE)
        return response


def sse(entry: Entry) -> bytes:
    """One event: its place in the stream as id, the CloudEvent as JSON."""
    data = msgspec.json.encode(msgspec.msgpack.decode(entry.event))
    return b"id: %b\ndata: %b\n\n" % (entry.id.encode(), data)
