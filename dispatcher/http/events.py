"""Events as they happen: server-sent events, resumed by Last-Event-ID, ended when the service stops.

Closing the hub ends them all; their clients resume where they were.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from functools import lru_cache

import msgspec
import structlog
from aiohttp import ClientConnectionResetError, web

from contracts.codes import Role
from contracts.events import CloudEvent, FeedGap
from contracts.instants import to_instant
from contracts.operations import Answer
from contracts.problems import Unauthenticated
from dispatcher.delivery.joint import Heard, JointFeed
from dispatcher.domain.refusals import Unavailable
from dispatcher.domain.rights import READERS
from dispatcher.http.call import Call
from dispatcher.http.entry import GATE
from dispatcher.http.parts import Parts
from dispatcher.http.routing import MARKET, Routes
from dispatcher.runtime.lately import Lately
from dispatcher.security.principal import Principal
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
    stream=True,
    resumable=True,
    answers={200: Answer("one CloudEvent in JSON an event; its id resumes", None, media=SSE)},
)
async def follow(call: Call, parts: Parts) -> web.StreamResponse:
    """Follow events as they happen (server-sent events), matches among them; a vendor its own."""
    gate, streams = call.raw.app[GATE], streams_of(call.principal, Keys(call.market))
    response = web.StreamResponse(headers={**HEADERS, "X-Request-Id": call.call_id})
    async with parts.hub.follow_all(streams, call.after or None) as feed:
        with parts.metrics.streams.track_inprogress(), contextlib.suppress(*ENDS):
            await response.prepare(call.raw)
            await response.write(opening(call, feed, parts.clock.now_ms()))
            quiet = Quiet(gate.waits_s(call.raw, parts.limits.keep_alive_s), parts.limits.keep_alive_s)
            while not feed.closed:
                heard = await feed.next(quiet.waits_s)
                await gate.still(call.raw, news=bool(heard))  # it ends with the caller's token
                if said := quiet.says(frames(heard)):
                    await response.write(said)
    return response


class Quiet:
    """What a stream says that looks for its caller's session oftener than it has to say that it is there."""

    def __init__(self, waits_s: float, keep_alive_s: float) -> None:
        self.waits_s, self._most = waits_s, max(1, round(keep_alive_s / waits_s))
        self._looks = 0

    def says(self, news: bytes) -> bytes:
        """The news; where there are none: now and then that it is there, else nothing."""
        self._looks = 0 if news else self._looks + 1
        if news or self._looks < self._most:
            return news
        self._looks = 0
        return STILL_HERE


def streams_of(who: Principal, keys: Keys) -> tuple[str, ...]:
    """What the caller may hear: a vendor its own stream; who sees requests their events and matches."""
    if who.vendor_id:
        return (keys.stream(who.vendor_id),)
    return keys.events, keys.matches


def opening(call: Call, feed: JointFeed, now_ms: int) -> bytes:
    """The first frame: where the feed begins, so that a cut before the first event loses none; a gap."""
    place = b": open\nid: %b\n" % feed.position.encode()
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


def sse(heard: Heard) -> bytes:
    """One event: the position behind it as id, the CloudEvent as JSON; b"" for one that cannot be read."""
    data = encoded(heard.entry)
    return b"id: %b\ndata: %b\n\n" % (heard.position.encode(), data) if data else b""


@lru_cache(ENCODED)
def encoded(entry: Entry) -> bytes:
    """The CloudEvent as JSON, encoded once for all who listen; b"" for one that cannot be read."""
    try:
        return msgspec.json.encode(msgspec.msgpack.decode(entry.event))
    except (msgspec.MsgspecError, TypeError, ValueError):
        log.error("unreadable", kind="event", stream=entry.stream, id=entry.id)
        return b""


def _frames(heard: Iterable[Heard]) -> bytes:
    """What was heard together, as it is sent."""
    return b"".join(map(sse, heard))


frames = Lately(_frames)
