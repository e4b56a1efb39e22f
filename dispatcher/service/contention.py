"""Who lost a race for a record goes one by one with the others of this process that did.

Many vendors answer one broadcast at once: each commit changes its record, so each round of a race has one
winner, and who is asked eight times may lose eight times.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

Subject = tuple[str, str]  #: a market, and the id of a record


class Contention:
    """A queue for each record that is raced for; nothing is kept of one that nobody waits for."""

    def __init__(self) -> None:
        self._locks: dict[Subject, asyncio.Lock] = {}
        self._waiting: Counter[Subject] = Counter()

    @asynccontextmanager
    async def of(self, market: str, subject: str) -> AsyncIterator[None]:
        """Until it is over, nobody else of them goes on."""
        key = market, subject
        lock = self._locks.setdefault(key, asyncio.Lock())
        self._waiting[key] += 1
        try:
            async with lock:
                yield
        finally:
            self._waiting[key] -= 1
            if not self._waiting[key]:
                del self._waiting[key], self._locks[key]
