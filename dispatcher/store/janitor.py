"""Keeps streams and old days from growing for ever, without taking anything that somebody still needs.

A stream is trimmed below the first entry that a consumer group has not acknowledged *and* below the retention
age; never by length, which would throw away what is still pending.
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
STREAM_RETENTION_MS = 7 * DAY_MS


class Janitor(Capacities):
    """The part of the store that cleans up. All of it may be done twice, and by several at once."""

    async def trim_streams(self, market: str, retention_ms: int = STREAM_RETENTION_MS) -> int:
        """Remove what is older than `retention_ms` (server's clock) and no group needs; how many entries."""
        keys = Keys(market)
        vendors = [each.decode() for each in await self.reader.ask("SMEMBERS", keys.vendors)]
        streams = [keys.events, keys.matches, keys.replies, keys.dead, *map(keys.stream, vendors)]
        seconds, micros = await self.reader.ask("TIME")
        oldest = f"{max(0, seconds * 1000 + micros // 1000 - retention_ms)}-0"
        return sum([await self._trim(stream, oldest) for stream in streams])

    async def forget_days(self, market: str, before: date) -> int:
        """Remove postings and ledgers of days before this one on which nothing is held; how many postings."""
        keys = Keys(market)
        ended = ("ZRANGE", keys.capacities, "-inf", f"({before.toordinal()}", "BYSCORE")
        members = [each.decode() for each in await self.reader.ask(*ended)]
        return sum([await self._forget_day(keys, *member.rpartition(":")[::2]) for member in members])

    async def _trim(self, stream: str, oldest: str) -> int:
        needed = await self._first_needed(stream)
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
        delivered = _text(group["last-delivered-id"])
        if not group["pending"]:
            return delivered
        pending = await self.reader.ask("XPENDING", stream, _text(group["name"]))
        return _text(pending["min"] or delivered)

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


def _place(entry_id: str) -> tuple[int, int]:
    milliseconds, _, number = entry_id.partition("-")
    return int(milliseconds), int(number or 0)


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
