"""One listener on one stream: what follows an entry id, in order, none twice, none left out."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Sequence

from dispatcher.delivery.gaps import Beginning
from dispatcher.runtime.cancellation import cancel_requested
from dispatcher.store.events import Entry, place
from dispatcher.store.store import Store

QUEUE_LIMIT = 512
PAGE = 256


class Feed:
    """What was missed is read from the stream; what is new is heard, into a bounded queue.

    A listener that is too slow for its queue loses the queue, not the entries: it reads them from the stream.
    `news`: set when there may be something to take; feeds that are followed together share one.
    """

    def __init__(
        self,
        store: Store,
        stream: str,
        start: Beginning,
        queue_limit: int = QUEUE_LIMIT,
        news: asyncio.Event | None = None,
    ) -> None:
        self.stream = stream
        self.last_id = start.after
        self.gap = start.gap
        self.closed = False
        self.news = news or asyncio.Event()
        self._store = store
        self._limit = queue_limit
        self._queue: deque[Entry] = deque()
        self._behind = True  # the stream holds entries that the queue does not
        self._page: list[Entry] = []  # read from the stream, and not taken yet

    @property
    def is_behind(self) -> bool:
        """Whether the stream may hold more than was taken."""
        return self._behind

    async def next(self, timeout_s: float) -> list[Entry]:
        """At least one entry; none when `timeout_s` (real) went by without, or the hub was closed.

        May be cancelled without loss. Raises Unavailable.
        """
        return await next_of([self], self.news, timeout_s)

    async def fill(self) -> None:
        """While behind, read a page of the stream. What is heard from now on goes to the queue."""
        if self._page or not self._behind:
            return
        self._behind = False
        try:
            self._page = await self._store.streams.read(self.stream, self.last_id, PAGE)
        except BaseException:
            self._behind = True
            raise
        self._behind |= len(self._page) == PAGE

    def take(self) -> list[Entry]:
        """What was read, else what was heard: from now on the listener has it."""
        found = self._page
        if not found:
            found = [entry for entry in self._queue if place(entry.id) > place(self.last_id)]
            self._queue.clear()
        self._page = []
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
        self.news.set()

    def close(self) -> None:
        """Nothing more will be heard; whoever waits is woken."""
        self.closed = True
        self.news.set()


async def next_of(feeds: Sequence[Feed], news: asyncio.Event, timeout_s: float) -> list[Entry]:
    """At least one entry of some of the feeds, each one's in order; none when the time went by without."""
    news.clear()  # first: what is heard while we read wakes us
    found = await _taken(feeds)
    if not found and not any(each.closed for each in feeds):
        if cancel_requested():  # the Redis client may lose a cancellation: nobody waits for what comes
            raise asyncio.CancelledError
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await news.wait()
        found = await _taken(feeds)
    return found


async def _taken(feeds: Sequence[Feed]) -> list[Entry]:
    """Nothing is taken before all is read: whoever is cancelled meanwhile finds it again."""
    for each in feeds:
        await each.fill()
    return [entry for each in feeds for entry in each.take()]
