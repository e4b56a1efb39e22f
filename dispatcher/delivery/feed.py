"""One listener on one stream: what follows an entry id, in order, none twice, none left out."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque

from dispatcher.delivery.gaps import Beginning
from dispatcher.store.events import Entry, place
from dispatcher.store.store import Store

QUEUE_LIMIT = 512
PAGE = 256


class Feed:
    """What was missed is read from the stream; what is new is heard, into a bounded queue.

    A listener that is too slow for its queue loses the queue, not the entries: it reads them from the stream.
    """

    def __init__(self, store: Store, stream: str, start: Beginning, queue_limit: int = QUEUE_LIMIT) -> None:
        self.stream = stream
        self.last_id = start.after
        self.gap = start.gap
        self.closed = False
        self._store = store
        self._limit = queue_limit
        self._queue: deque[Entry] = deque()
        self._behind = True  # the stream holds entries that the queue does not
        self._news = asyncio.Event()

    async def next(self, timeout_s: float) -> list[Entry]:
        """At least one entry; none when `timeout_s` (real) went by without, or the hub was closed.

        May be cancelled without loss. Raises Unavailable.
        """
        found = await self._unheard()
        if not found and not self.closed:
            self._news.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(timeout_s):
                    await self._news.wait()
            found = await self._unheard()
        if found:
            self.last_id = found[-1].id
        return found

    def hear(self, entry: Entry) -> None:
        """A new entry, from the hub's reader."""
        if len(self._queue) >= self._limit:
            self._queue.clear()
            self._behind = True
        if not self._behind:
            self._queue.append(entry)
        self._news.set()

    def close(self) -> None:
        """Nothing more will be heard; whoever waits is woken."""
        self.closed = True
        self._news.set()

    async def _unheard(self) -> list[Entry]:
        """A page of the stream while behind, else what the queue holds."""
        if self._behind and (page := await self._page()):
            return page
        heard = [entry for entry in self._queue if place(entry.id) > place(self.last_id)]
        self._queue.clear()
        return heard

    async def _page(self) -> list[Entry]:
        """What is heard from now on goes to the queue; what was before is in the stream."""
        self._behind = False
        try:
            page = await self._store.streams.read(self.stream, self.last_id, PAGE)
        except BaseException:
            self._behind = True
            raise
        self._behind |= len(page) == PAGE
        return page
