"""Keeps streams and old days from growing for ever, without taking anything that somebody still needs.

A stream is trimmed below the first entry that a consumer group has not acknowledged *and* below the age at
which nobody can still come for it; never by length, which would throw away what is still pending. Who reads
by position (server-sent events) may come back for days; where all groups have said that they are done, an
hour is left for a second look.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from redis.exceptions import ResponseError

from dispatcher.store.capacities import Capacities
from dispatcher.store.keys import Keys
from dispatcher.store.program import Program

DAY_MS = 86_400_000
STREAM_RETENTION_MS = 7 * DAY_MS  # what is read by position
DONE_RETENTION_MS = DAY_MS // 24  # what every consumer group of its stream has acknowledged


class Janitor(Capacities):
    """The part of the store that cleans up. All of it may be done twice, and by several at once."""

    async def trim_streams(
        self, market: str, retention_ms: int = STREAM_RETENTION_MS, done_ms: int = DONE_RETENTION_MS
    ) -> int:
        """Remove what no group needs and is older than `retention_ms`; than `done_ms` where groups read.

        `events` is read by position, whatever groups it has beside. Ages by the server's clock; gives the
        number of entries.
        """
        keys = Keys(market)
        vendors = [each.decode() for each in await self.reader.ask("SMEMBERS", keys.vendors)]
        seconds, micros = await self.reader.ask("TIME")
        now_ms = seconds * 1000 + micros // 1000
        removed = 0
        for stream in (keys.matches, *map(keys.stream, vendors)):
            removed += await self._trim(stream, now_ms - retention_ms, now_ms - done_ms)
        for stream in (keys.events, keys.replies, keys.dead):
            removed += await self._trim(stream, now_ms - retention_ms, now_ms - retention_ms)
        return removed

    async def forget_days(self, market: str, before: date) -> int:
        """Remove postings and ledgers of days before this one on which nothing is held; how many postings."""
        keys = Keys(market)
        ended = ("ZRANGE", keys.capacities, "-inf", f"({before.toordinal()}", "BYSCORE")
        members = [each.decode() for each in await self.reader.ask(*ended)]
        return sum([await self._forget_day(keys, *member.rpartition(":")[::2]) for member in members])

    async def _trim(self, stream: str, oldest_ms: int, oldest_done_ms: int) -> int:
        needed = await self._first_needed(stream)
        oldest = f"{max(0, oldest_done_ms if needed else oldest_ms)}-0"
        least = min(oldest, needed, key=_place) if needed else oldest
        return int(await self.reader.ask("XTRIM", stream, "MINID", least))

    async def _first_needed(self, stream: str) -> str | None:
        """The first entry that some group has not acknowledged; None without groups or without a stream."""
        try:
            groups = await self.reader.ask("XINFO GROUPS", stream)
        except ResponseError as error:
            if "no such key" in str(error):
                return None
            raise
        needed = [await self._first_of(stream, group) for group in groups]
        return min(needed, key=_place, default=None)

    async def _first_of(self, stream: str, group: Mapping[str, Any]) -> str:
        following = _after(_text(group["last-delivered-id"]))
        if not group["pending"]:
            return following
        pending = await self.reader.ask("XPENDING", stream, _text(group["name"]))
        return _text(pending["min"] or following)

    async def _forget_day(self, keys: Keys, vendor_id: str, day: str) -> bool:
        posting = await self.capacity(keys.market, vendor_id, date.fromisoformat(day))
        if posting is None:
            return False
        program = Program()
        program.remove(vendor_id, keys.capacity(vendor_id, day), posting.version)
        for pool in posting.value.pools:
            used, limit = keys.used(vendor_id, pool.id, day), keys.limit(vendor_id, pool.id, day)
            program.ceiling(pool.id, used, limit, b"")  # refuses while anything is held
        program.write(keys.capacities, "ZREM", f"{vendor_id}:{day}")
        return (await self.committer.commit(program)).ok


def _after(entry_id: str) -> str:
    milliseconds, number = _place(entry_id)
    return f"{milliseconds}-{number + 1}"


def _place(entry_id: str) -> tuple[int, int]:
    milliseconds, _, number = entry_id.partition("-")
    return int(milliseconds), int(number or 0)


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
