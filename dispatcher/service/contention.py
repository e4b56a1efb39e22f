"""Who lost a race for a record goes one by one with the others of this process that did; who comes then, too.

Many vendors answer one broadcast at once: each commit changes its record, so each round of a race has one
winner, and who is asked eight times may lose eight times; also to those who have only come.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any, Self

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

    def turn(self, market: str, subject: str) -> Turn:
        """One who may have to wait, and goes once this is over."""
        return Turn(self, (market, subject))

    def is_raced_for(self, key: Subject) -> bool:
        """Whether somebody has lost, and is at it or waits."""
        return key in self._locks


class Turn:
    """Of one who changes a record, while it does. Nearly all come alone: then it costs next to nothing."""

    __slots__ = ("_contention", "_key", "_queue")

    def __init__(self, contention: Contention, key: Subject) -> None:
        self._contention, self._key = contention, key
        self._queue: contextlib.AbstractAsyncContextManager[None] | None = None

    async def come(self, lost: int) -> None:
        """At once, unless it has `lost` or somebody else has: then one after the other."""
        if self._queue is None and (lost or self._contention.is_raced_for(self._key)):
            queue = self._contention.of(*self._key)
            await queue.__aenter__()
            self._queue = queue

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: Any) -> None:
        if self._queue is not None:
            await self._queue.__aexit__(*error)
