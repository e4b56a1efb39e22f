"""Streams: what crosses from the store to vendors and the platform, and what they send back.

Entries are appended by commit.lua with the state they tell of. Consumers acknowledge after effect. What
cannot be used goes to the dead-letter stream by name and reason, never by content.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from redis.exceptions import ResponseError

from dispatcher.store import events, script
from dispatcher.store.connection import NoGroup, Reader, refused
from dispatcher.store.events import Entry
from dispatcher.store.resp import text_of

START = "0"
LAST = 2**64 - 1, 2**64 - 1  # the last place there is
GROUP = "service"  # the consumer group in which the service itself reads


class Span(NamedTuple):
    """What a stream holds: ids of its first entry (START: it is empty) and of the last that it ever had.

    `removed`: entries that it had are gone.
    """

    first: str = START
    last: str = START
    removed: bool = False

    @property
    def last_full(self) -> str:
        """The last id, with both of its numbers."""
        return "-".join(map(str, events.place(self.last)))


class Streams:
    """Reads streams of any market; `stream` is a key of `Keys`."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader

    async def read(self, stream: str, after: str = START, count: int = 100) -> list[Entry]:
        """Up to `count` entries after an entry id."""
        if events.place(after) == LAST:  # the server calls that no interval
            return []
        found = await self.reader.ask("XRANGE", stream, f"({after}", "+", "COUNT", count)
        return entries_of(stream, found)

    async def read_all(self, after: Mapping[str, str], count: int = 100) -> list[Entry]:
        """As `read`, of several streams of one market: up to `count` of each, by stream."""
        # a question each: while a slot moves key by key nobody answers one about two; as bytes: as they come
        asked = [(b"XREAD", "COUNT", count, "STREAMS", *each) for each in after.items()]
        return [entry for found in await self.reader.ask_all(asked) for entry in events.entries_read(found)]

    async def last_id(self, stream: str) -> str:
        """The id of the newest entry; START if there is none."""
        found = await self.reader.ask("XREVRANGE", stream, "+", "-", "COUNT", 1)
        return entries_of(stream, found)[0].id if found else START

    async def span(self, stream: str) -> Span:
        """From where to where it goes; the empty span if it is not there."""
        (found,) = await self.spans([stream])
        return found

    async def spans(self, streams: Sequence[str]) -> list[Span]:
        """The same of several streams of one market, in one trip."""
        found = await self.reader.ask_each([("XINFO", "STREAM", each) for each in streams])
        return [_span(each) for each in found]

    async def ensure_group(self, stream: str, group: str, start: str = START) -> None:
        """Make the consumer group, and the stream, unless they exist."""
        try:
            await self.reader.ask("XGROUP", "CREATE", stream, group, start, "MKSTREAM")
        except ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise

    async def forget_consumers(self, stream: str, group: str, idle_ms: int) -> int:
        """Remove consumers that asked for nothing for `idle_ms` and have nothing pending; how many.

        One that comes after all is made again by its next read.
        """
        try:
            return int(await script.run(self.reader, "consumers", [stream], group, idle_ms))
        except NoGroup:
            return 0
        except ResponseError as error:
            if "no such key" not in str(error):
                raise
            return 0

    async def read_group(self, stream: str, group: str, consumer: str, count: int = 100) -> list[Entry]:
        """New entries for this consumer, pending until acknowledged. Does not wait: see `Tail`."""
        return await self.read_groups([stream], group, consumer, count)

    async def read_groups(
        self, streams: Sequence[str], group: str, consumer: str, count: int = 100
    ) -> list[Entry]:
        """As `read_group`, of several streams: up to `count` entries of each."""
        words = ("GROUP", group, consumer, "COUNT", count, "STREAMS", *streams, *(">" for _ in streams))
        found = await self.reader.ask("XREADGROUP", *words)
        return [entry for name, entries in found or () for entry in entries_of(text_of(name), entries)]

    async def unfinished(self, stream: str, group: str, until: str, count: int = 1_000) -> list[str]:
        """Ids up to `until` that were given to some consumer of the group and not acknowledged, in order."""
        ids, start = list[str](), "-"
        while True:
            # as bytes: redis-py would read the answer as that of the short form
            found = await self.reader.ask(b"XPENDING", stream, group, start, until, count)
            ids += [text_of(name) for name, *_ in found]
            if len(found) < count or ids[-1] == until:  # nothing follows the last id there is
                return ids
            start = f"({ids[-1]}"

    async def entries(self, stream: str, ids: Sequence[str]) -> list[Entry]:
        """These entries, as far as they exist."""
        found = await self.reader.ask_all([("XRANGE", stream, each, each) for each in ids])
        return [entry for entries in found for entry in entries_of(stream, entries)]

    async def acknowledge(self, stream: str, group: str, *ids: str) -> None:
        """Done with these entries, their effect is stored."""
        if ids:
            await self.reader.ask("XACK", stream, group, *ids)

    async def claim(
        self, stream: str, group: str, consumer: str, *, idle_ms: int, after: str = "0-0", count: int = 100
    ) -> tuple[list[Entry], str]:
        """Entries that another consumer left lying for `idle_ms`, and where to go on ("0-0": the end)."""
        words = (stream, group, consumer, idle_ms, after, "COUNT", count)
        following, found, *_ = await self.reader.ask("XAUTOCLAIM", *words)
        return entries_of(stream, found), text_of(following)


def _span(found: Any) -> Span:
    """Of what the server says of a stream, an error included."""
    if isinstance(found, ResponseError):
        if "no such key" in str(found):
            return Span()
        raise refused(found)
    told = found if isinstance(found, dict) else dict(zip(found[::2], found[1::2], strict=True))
    first = told[b"first-entry"]
    return Span(
        text_of(first[0]) if first else START,
        text_of(told[b"last-generated-id"]),
        told[b"entries-added"] > told[b"length"],
    )


def entries_of(stream: str, found: Any) -> list[Entry]:
    """A server's answer as entries."""
    return [Entry(stream, text_of(name), _event(fields)) for name, fields in found or ()]


def _event(fields: Mapping[bytes, bytes] | None) -> bytes:
    return (fields or {}).get(events.FIELD.encode(), b"")
