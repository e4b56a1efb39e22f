"""Redis streams as an outsider uses them: a consumer group of one's own, acknowledged after effect.

The only file of the client that imports redis: it is used where there is no service, so it shares nothing
with `dispatcher.store` but the names of the streams (`contracts.streams`).
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from datetime import datetime
from types import TracebackType
from typing import Any, NamedTuple, Self

import msgspec
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import (
    AskError,
    AuthenticationError,
    ClusterDownError,
    ConnectionError,
    MasterDownError,
    MovedError,
    OutOfMemoryError,
    ReadOnlyError,
    ResponseError,
    TimeoutError,
    TryAgainError,
)

from client.cancellation import refuse_cancelled
from client.errors import Unreachable
from client.servers import PORT, Place, servers_of
from client.signature import sign
from contracts import streams
from contracts.codes import DeclineCode, ReportCode
from contracts.counters import Counter
from contracts.dispatches import StatusUpdate
from contracts.events import CloudEvent, OfferReply
from contracts.proofs import ProofReport
from contracts.reply_claims import claims_of

FIELD = streams.FIELD.encode()
BLOCK_MS = 5_000
AGAIN_S, TIMEOUT_S = 0.2, 30.0
EXHAUSTED = "exhausted the last possible ID"  # the service makes such a stream anew within seconds
# What a server says in the middle of a fail-over, or while it is full: later it, or another, does it.
# UNBLOCKED: it became a replica while we waited. NOGROUP: the group was lost; it is made again.
# ASK: the stream's slot moves key by key, and is whole in a moment.
LATER = (
    AskError,
    ClusterDownError,
    MasterDownError,
    MovedError,
    OutOfMemoryError,
    ReadOnlyError,
    TryAgainError,
)
LATER_CODES = ("UNBLOCKED", "NOGROUP", "MISCONF", "NOREPLICAS")


FAILURES = (ConnectionError, TimeoutError, OSError, ResponseError)


class Entry(NamedTuple):
    """One entry of a stream and what it says; `event` is None if it cannot be read."""

    id: str
    event: CloudEvent | None


class StreamReader:
    """Reads one stream with a consumer group: first what was left unacknowledged, then what is new.

    `url`: one server, or several of a cluster (`redis+cluster://host:port,host:port`); whichever has the
    stream is found, also after a fail-over.
    """

    def __init__(self, url: str, stream: str, *, group: str, consumer: str = "1", start: str = "0") -> None:
        self.stream, self.group, self.consumer, self.start = stream, group, consumer, start
        self._url, self._homes = servers_of(url)
        self.redis = self._client()
        self._home = 0  # which of them was asked last

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self.redis.aclose()

    async def entries(self, count: int = 100) -> AsyncIterator[Entry]:
        """Entries without end, across downtime of the server; acknowledge each after its effect.

        Raises redis' AuthenticationError and NoPermissionError: user or password hold no more, or never did.
        """
        async for batch in self.batches(count):
            for entry in batch:
                yield entry

    async def batches(self, count: int = 100) -> AsyncIterator[list[Entry]]:
        """As `entries`, as many at a time as there are, `count` at the most: one acknowledgement for all."""
        after, ready = "0", False  # "0": what this consumer was given before and did not acknowledge
        while True:
            refuse_cancelled()
            try:
                if not ready:
                    await self._make_group()
                    ready = True
                given = await self._read(after, count)
                refuse_cancelled()  # what was given is given again to who comes next
            except FAILURES as error:
                await self._wait_out(error)
                after, ready = "0", False
                continue
            if given:
                yield given
            if after != ">":
                after = given[-1].id if given else ">"

    async def acknowledge(self, *entries: Entry) -> None:
        """The entries had their effect: they are not given again. Waits for a server that is away."""
        while entries:
            refuse_cancelled()
            try:
                await self.redis.xack(self.stream, self.group, *(each.id for each in entries))
                refuse_cancelled()
                return
            except FAILURES as error:
                await self._wait_out(error)

    async def _wait_out(self, error: Exception) -> None:
        """A moment, if the same may go well later; else it is raised. The next attempt connects anew."""
        if isinstance(cause := error.__cause__ or error, AuthenticationError):  # redis-py tells it either way
            raise cause
        if isinstance(error, ResponseError) and not _passes(error):
            raise error
        await self.redis.connection_pool.disconnect(inuse_connections=False)
        if isinstance(error, MovedError):
            await self._go_to((error.host, error.port))
        elif not isinstance(error, ResponseError) and self._homes:
            self._home = (self._home + 1) % len(self._homes)
            await self._go_to(self._homes[self._home])
        await asyncio.sleep(AGAIN_S)

    async def _go_to(self, place: Place) -> None:
        """To the server that has the stream now, or one that we were told at first."""
        known = self.redis.connection_pool.connection_kwargs
        if place[0] and self._homes and place != (known["host"], known.get("port", PORT)):
            before, self.redis = self.redis, self._client()  # a connection keeps its address
            self.redis.connection_pool.connection_kwargs.update(host=place[0], port=place[1])
            await before.aclose()

    def _client(self) -> Redis:
        """Without retries below us: a repeated read would count entries as delivered that we never saw."""
        return Redis.from_url(self._url, retry=Retry(NoBackoff(), 0), socket_timeout=BLOCK_MS / 1000 + 5)

    async def _make_group(self) -> None:
        try:
            await self.redis.xgroup_create(self.stream, self.group, id=self.start, mkstream=True)
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise

    async def _read(self, after: str, count: int) -> list[Entry]:
        block = BLOCK_MS if after == ">" else None
        answer: Any = await self.redis.xreadgroup(
            self.group, self.consumer, {self.stream: after}, count=count, block=block
        )
        return [_entry(entry_id, fields) for _, entries in _pairs(answer) for entry_id, fields in entries]


class MatchStream(StreamReader):
    """What a platform reads: `matches`."""

    def __init__(self, url: str, market: str, *, group: str = "platform", consumer: str = "1") -> None:
        super().__init__(url, streams.matches(market), group=group, consumer=consumer)


class VendorStream(StreamReader):
    """What a vendor reads, and what it answers: two streams of its own.

    `reply_key`: what the vendor was given to sign its replies with. Without one they carry its bearer
    `token`, the old way, which leaves the whole token in the store's files.
    """

    def __init__(
        self,
        url: str,
        market: str,
        vendor_id: str,
        token: str = "",
        *,
        reply_key: str = "",
        group: str = "vendor",
        consumer: str = "1",
    ) -> None:
        super().__init__(url, streams.vendor(market, vendor_id), group=group, consumer=consumer)
        self.replies = streams.replies(market, vendor_id)
        self.vendor_id, self.token, self.reply_key = vendor_id, token, reply_key

    async def accept(self, offer_id: str, now: datetime, *, reference: str = "") -> str:
        """Take the work; returns the id of the reply. A refusal comes on the vendor's stream."""
        return await self._reply("accept", OfferReply(offer_id=offer_id, reference=reference), now)

    async def decline(self, offer_id: str, code: DeclineCode, now: datetime) -> str:
        """Leave the work; this vendor is not asked for it again."""
        return await self._reply("decline", OfferReply(offer_id=offer_id, code=ReportCode(code)), now)

    async def counter(self, offer_id: str, counter: Counter, now: datetime) -> str:
        """Offer to do it otherwise; the offer stays good meanwhile. What becomes of that is on the stream."""
        return await self._reply("counter", OfferReply(offer_id=offer_id, counter=counter), now)

    async def agree(self, offer_id: str, number: int, now: datetime) -> str:
        """Keep the work as it is wanted now: the amendment of that number, and no later one."""
        return await self._reply("agree", OfferReply(offer_id=offer_id, amendment=number), now)

    async def refuse(self, offer_id: str, number: int, now: datetime) -> str:
        """Do not do the work as it is wanted now: another vendor is sought."""
        return await self._reply("refuse", OfferReply(offer_id=offer_id, amendment=number), now)

    async def report(self, offer_id: str, update: StatusUpdate, now: datetime) -> str:
        """Say where the work stands."""
        reply = OfferReply(offer_id=offer_id, status=update.status, at=update.at, code=update.code)
        return await self._reply("status", reply, now)

    async def waiting(self, offer_id: str, now: datetime, *, since: datetime | None = None) -> str:
        """Wait at the door, since now or since when."""
        return await self._reply("waiting", OfferReply(offer_id=offer_id, at=since), now)

    async def ready(self, offer_id: str, now: datetime, *, at: datetime | None = None) -> str:
        """The passenger has come: wait no more."""
        return await self._reply("ready", OfferReply(offer_id=offer_id, at=at), now)

    async def prove(self, offer_id: str, report: ProofReport, now: datetime) -> str:
        """Say that a part was done; who signed, a position and pictures go over HTTP alone."""
        return await self._reply("proof", OfferReply(offer_id=offer_id, proof=report), now)

    async def _reply(self, kind: str, reply: OfferReply, now: datetime) -> str:
        event = CloudEvent(
            id=uuid.uuid4().hex,
            source=f"vendor/{self.vendor_id}",
            type=f"dispatch.reply.{kind}",
            subject=reply.offer_id,
            time=now,
            data=msgspec.to_builtins(reply),
        )
        await self._append(msgspec.msgpack.encode(msgspec.to_builtins(self._signed(event))))
        return event.id

    def _signed(self, event: CloudEvent) -> CloudEvent:
        if not self.reply_key:
            return msgspec.structs.replace(event, dispatchtoken=self.token)
        return msgspec.structs.replace(event, dispatchsignature=sign(self.reply_key, claims_of(event)))

    async def _append(self, content: bytes) -> None:
        """Append, again if no answer came: the service takes each reply id once.

        A stream whose entry ids are used up is made anew by the service within seconds.
        """
        for _ in range(int(TIMEOUT_S / AGAIN_S)):
            try:
                await self.redis.xadd(self.replies, {FIELD: content})
                refuse_cancelled()
                return
            except FAILURES as error:
                await self._wait_out(error)
        raise Unreachable(f"{self.replies}: no answer within {TIMEOUT_S:g} s")


def _passes(error: ResponseError) -> bool:
    return isinstance(error, LATER) or str(error).startswith(LATER_CODES) or EXHAUSTED in str(error)


def _pairs(answer: Any) -> list[tuple[bytes, Any]]:
    """RESP2 gives a list of pairs, RESP3 a map whose entries lie one level deeper."""
    if isinstance(answer, dict):
        return [(stream, entries[0]) for stream, entries in answer.items() if entries]
    return answer or []


def _entry(entry_id: bytes, fields: dict[bytes, bytes]) -> Entry:
    try:
        return Entry(entry_id.decode(), msgspec.msgpack.decode(fields[FIELD], type=CloudEvent))
    except (KeyError, msgspec.MsgspecError):
        return Entry(entry_id.decode(), None)
