"""Who lost a race for a record goes one by one with the others of this process that did.

Many vendors answer one broadcast at once: each commit changes its record, so each round of a race has one
winner, and who is asked eight times may lose eight times.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator

LONGEST_S = 2.0  # the store may be away: then each is told so by itself, and not one after the other
Subject = tuple[str, str]  #: a market, and the id of a record


class Contention:
    """A queue for each record that is raced for; nothing is kept of one that nobody waits for."""

    def __init__(self) -> None:
        self._locks: dict[Subject, asyncio.Lock] = {}
        self._waiting: Counter[Subject] = Counter()

    @contextlib.asynccontextmanager
    async def of(self, market: str, subject: str) -> AsyncIterator[None]:
        """Until it is over, nobody else of them goes on; but nobody waits for that beyond `LONGEST_S`."""
        key, mine = (market, subject), False
        lock = self._locks.setdefault(key, asyncio.Lock())
        self._waiting[key] += 1
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LONGEST_S):
                    mine = await lock.acquire()
            yield
        finally:
            if mine:
                lock.release()
            self._waiting[key] -= 1
            if not self._waiting[key]:
                del self._waiting[key], self._locks[key]
