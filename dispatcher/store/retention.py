"""Keeps streams and old days from growing for ever, without taking anything that somebody still needs.

A stream is trimmed below the first entry that a consumer group has not acknowledged *and* below the age at
which nobody can still come for it; never by length, which would throw away what is still pending. Who reads
by position (server-sent events) may come back for days; where all groups have said that they are done, an
hour is left for a second look, unless a webhook is called with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from contracts.instants import DAY_MS, HOUR_MS
from dispatcher.domain.refusals import Unreadable
from dispatcher.domain.webhooks import list_of
from dispatcher.store import pools
from dispatcher.store.capacity import CapacityPart
from dispatcher.store.events import place
from dispatcher.store.exhausted import Replaced, replace_stream
from dispatcher.store.keys import Keys
from dispatcher.store.node import Node
from dispatcher.store.program import Program
from dispatcher.store.resp import text_of
from dispatcher.store.streams import GROUP, Streams

LAST_NUMBER = 2**64 - 1  # of an entry id
STREAM_RETENTION_MS = 7 * DAY_MS  # what is read by position
DONE_RETENTION_MS = HOUR_MS  # what every consumer group of its stream has acknowledged

ENDED_MS = 600_000  # real time


class RetentionPart:
    """What tidies up one market. All of it may be done twice, and by several at once."""

    def __init__(self, node: Node, keys: Keys, capacity: CapacityPart) -> None:
        self.reader, self.committer, self.keys, self.capacity = node.reader, node.committer, keys, capacity

    async def trim_streams(
        self, retention_ms: int = STREAM_RETENTION_MS, done_ms: int = DONE_RETENTION_MS
    ) -> int:
        """Remove what no group needs and is older than `retention_ms`; than `done_ms` where groups read.

        `events` is read by position, whatever groups it has beside. Ages by the server's clock; gives the
        number of entries.
        """
        keys = self.keys  # a key of another type is passed over: it stops no stream beside it
        vendors = await self._vendors()
        delivered = {keys.matches, *map(keys.stream, vendors)}
        named = [keys.events, keys.dead, *sorted(delivered), *keys.reply_streams(vendors)]
        streams = await self._streams(named)
        called = await self._called(vendors)
        seconds, micros = await self.reader.ask_at(self.keys.events, "TIME")
        now_ms = seconds * 1000 + micros // 1000
        needed = await self._first_needed(streams)
        trims = []
        for each in streams:
            is_done_with = each in delivered - called and each in needed
            age_ms = done_ms if is_done_with else retention_ms
            oldest = f"{max(0, now_ms - age_ms)}-0"
            trims.append(("XTRIM", each, "MINID", min(oldest, needed.get(each, oldest), key=place)))
        return sum(await self.reader.ask_all(trims))

    async def _called(self, vendors: Sequence[str]) -> set[str]:
        """Streams that webhooks are called with: what was not taken is read from there again."""
        owners = {"": self.keys.matches} | {each: self.keys.stream(each) for each in vendors}
        asked = [("EXISTS", self.keys.list(list_of(each))) for each in owners]
        found = await self.reader.ask_all(asked)
        return {stream for stream, there in zip(owners.values(), found, strict=True) if there}

    async def replace_exhausted(self) -> list[Replaced]:
        """Give every stream of ours whose ids are used up a successor (vendors have `ReplyStreams`).

        Raises Unavailable, Unwritable.
        """
        keys = self.keys
        streams = [keys.events, keys.matches, keys.dead, *map(keys.stream, await self._vendors())]
        found = [await replace_stream(await self.reader.client_of(each), each) for each in streams]
        return [each for each in found if each is not None]

    async def set_aside(self) -> int:
        """How many streams lie aside because their ids were used up."""
        return int(await self.reader.ask("SCARD", self.keys.exhausted))

    async def forget_consumers(self, idle_ms: int = ENDED_MS) -> int:
        """Remove the service's own consumers whose process has ended; how many.

        A living one asks every few seconds; what an ended one left pending was taken over long before.
        """
        streams = Streams(self.reader)
        read = await self._streams(self.keys.reply_streams(await self._vendors()))
        return sum([await streams.forget_consumers(each, GROUP, idle_ms) for each in read])

    async def _vendors(self) -> list[str]:
        return [text_of(each) for each in await self.reader.ask("SMEMBERS", self.keys.vendors)]

    async def _streams(self, names: Sequence[str]) -> list[str]:
        """Those of these keys that are streams."""
        kinds = await self.reader.ask_all([("TYPE", each) for each in names])
        return [each for each, kind in zip(names, kinds, strict=True) if text_of(kind) == "stream"]

    async def forget_days(self, before: date) -> int:
        """Remove postings and ledgers of days before this one on which nothing is booked; how many."""
        keys = self.keys
        ended = ("ZRANGE", keys.capacities, "-inf", f"({before.toordinal()}", "BYSCORE")
        members = [text_of(each) for each in await self.reader.ask(*ended)]
        return sum([await self._forget_day(keys, *member.rpartition(":")[::2]) for member in members])

    async def _first_needed(self, streams: Sequence[str]) -> dict[str, str]:
        """Of each stream that has groups, the first entry that some group has not acknowledged."""
        answers = await self.reader.ask_all([("XINFO GROUPS", each) for each in streams])
        groups = [(stream, group) for stream, found in zip(streams, answers, strict=True) for group in found]
        behind = [(stream, group) for stream, group in groups if group["pending"]]
        summaries = await self.reader.ask_all([("XPENDING", each, group["name"]) for each, group in behind])
        firsts = [(stream, _after(text_of(group["last-delivered-id"]))) for stream, group in groups]
        pending = zip(behind, summaries, strict=True)
        firsts += [(stream, text_of(each["min"])) for (stream, _), each in pending if each["min"]]
        needed: dict[str, str] = {}
        for stream, first in firsts:
            needed[stream] = min(first, needed.get(stream, first), key=place)
        return needed

    async def _forget_day(self, keys: Keys, vendor_id: str, day: str) -> bool:
        try:
            posting = await self.capacity.get(vendor_id, date.fromisoformat(day))
        except (Unreadable, ValueError):  # it is named already; who mends it decides what becomes of it
            return False
        if posting is None:
            return False
        program = Program()
        program.remove(vendor_id, keys.capacity(vendor_id, day), posting.version)
        for resource in pools.resources(posting.value):
            used, limit = keys.used(vendor_id, resource, day), keys.limit(vendor_id, resource, day)
            program.ceiling(resource, used, limit, b"")  # refuses while anything is booked
        program.write(keys.capacities, "ZREM", f"{vendor_id}:{day}")
        return (await self.committer.commit(program)).ok


def _after(entry_id: str) -> str:
    """The next id; of the last one there is, itself: a vendor may set its group there."""
    milliseconds, number = place(entry_id)
    return f"{milliseconds}-{min(number + 1, LAST_NUMBER)}"
