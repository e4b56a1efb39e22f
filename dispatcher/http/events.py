"""Events as they happen: server-sent events, resumed by Last-Event-ID, ended when the service stops.

Closing the hub ends them all; their clients resume where they were.
"""

from __future__ import annotations

import contextlib
from functools import lru_cache

import msgspec
import structlog
from aiohttp import ClientConnectionResetError, web

from contracts.codes import Role
from contracts.events import CloudEvent, FeedGap
from contracts.instants import to_instant
from contracts.operations import Answer
from contracts.problems import Unauthenticated
from dispatcher.delivery.feed import Feed
from dispatcher.domain.refusals import Unavailable
from dispatcher.domain.rights import READERS
from dispatcher.http.call import Call
from dispatcher.http.entry import GATE
from dispatcher.http.parts import Parts
from dispatcher.http.routing import MARKET, Routes
from dispatcher.store.events import Entry
from dispatcher.store.keys import Keys

SSE = "text/event-stream"
GAP = "dispatch.feed.gap"
STILL_HERE = b": still here\n\n"
ENCODED = 1_024  # the latest events are kept as they are sent: each goes to many
# A closed tab, a token that expired, a Redis that is away: the stream ends; who may comes back and resumes.
ENDS = (ClientConnectionResetError, ConnectionResetError, Unauthenticated, Unavailable)
HEADERS = {"Content-Type": SSE, "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
ROUTES = Routes("events", 70)
log = structlog.get_logger()


@ROUTES.get(
    f"{MARKET}/events",
    id="followEvents",
    roles=READERS | {Role.VENDOR},
    resumable=True,
    answers={200: Answer("one CloudEvent in JSON an event; its id resumes", None, media=SSE)},
)
async def follow(call: Call, parts: Parts) -> web.StreamResponse:
    """Follow events as they happen (server-sent events); a vendor its own."""
    keys, who, gate = Keys(call.market), call.principal, call.raw.app[GATE]
    stream = keys.stream(who.vendor_id) if who.is_vendor else keys.events
    response = web.StreamResponse(headers={**HEADERS, "X-Request-Id": call.call_id})
    async with parts.hub.follow(stream, call.after or None) as feed:
        with parts.metrics.streams.track_inprogress(), contextlib.suppress(*ENDS):
            await response.prepare(call.raw)
            await response.write(opening(call, feed, parts.clock.now_ms()))
            while not feed.closed:
                entries = await feed.next(parts.limits.keep_alive_s)
                gate.identify(call.raw)  # it ends with the caller's token
                await response.write(b"".join(map(sse, entries)) or STILL_HERE)
    return response


def opening(call: Call, feed: Feed, now_ms: int) -> bytes:
    """The first frame: where the feed begins, so that a cut before the first event loses none; a gap."""
    place = b": open\nid: %b\n" % feed.last_id.encode()
    if feed.gap is None:
        return place + b"\n"
    gap = CloudEvent(
        id=f"gap.{call.call_id}",
        source=f"/markets/{call.market}",
        type=GAP,
        time=to_instant(now_ms),
        data=msgspec.to_builtins(FeedGap(reason=feed.gap, after=call.after)),
    )
    return place + b"data: %b\n\n" % msgspec.json.encode(gap)


@lru_cache(ENCODED)
def sse(entry: Entry) -> bytes:
    """One event: its place in the stream as id, the CloudEvent as JSON; b"" for one that cannot be read.

    Encoded once for all who listen.
    """
    try:
        data = msgspec.json.encode(msgspec.msgpack.decode(entry.event))
    except (msgspec.MsgspecError, TypeError, ValueError):
        log.error("unreadable", kind="event", stream=entry.stream, id=entry.id)
        return b""
    return b"id: %b\ndata: %b\n\n" % (entry.id.encode(), data)
