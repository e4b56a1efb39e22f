"""One listener on one stream: what follows an entry id, in order, none twice, none left out."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

from dispatcher.delivery.gaps import Beginning
from dispatcher.delivery.pages import Pages
from dispatcher.delivery.recent import Recent
from dispatcher.runtime.cancellation import cancel_requested
from dispatcher.store.events import Entry, place


class Feed:
    """What was missed is read from the stream; what is new is heard, out of what all who listen share.

    A listener that is too slow for that loses its place there, not the entries: it reads them from the
    stream. `news`: set when there may be something to take; feeds that are followed together share one.
    """

    def __init__(
        self,
        pages: Pages,
        stream: str,
        start: Beginning,
        recent: Recent,
        news: asyncio.Event | None = None,
    ) -> None:
        self.stream = stream
        self.last_id = start.after
        self.gap = start.gap
        self.closed = False
        self.news = news or asyncio.Event()
        self._pages = pages
        self._recent = recent
        self.heard = recent.end  # the number up to which it has what is recent
        self._behind = True  # the stream holds entries that are not to be heard any more
        self._page: Sequence[Entry] = ()  # read from the stream, and not taken yet

    @property
    def is_behind(self) -> bool:
        """Whether there may be more than was taken."""
        return self._behind or self.heard < self._recent.end

    async def next(self, timeout_s: float) -> list[Entry]:
        """At least one entry; none when `timeout_s` (real) went by without, or the hub was closed.

        May be cancelled without loss. Raises Unavailable.
        """
        (found,) = await next_of([self], self.news, timeout_s)
        return list(found)

    async def fill(self) -> None:
        """While behind, read a page of the stream. What comes from now on is heard."""
        self._behind |= self._is_too_slow
        if self._page or not self._behind:
            return
        self._behind, self.heard = False, self._recent.end
        try:
            self._page = await self._pages.after(self.stream, self.last_id)
        except BaseException:
            self._behind = True
            raise
        self._behind |= len(self._page) == self._pages.size

    def take(self) -> Sequence[Entry]:
        """What was read, else what was heard: from now on the listener has it."""
        found, self._page = self._page, ()
        if not found and self._is_too_slow:
            self.news.set()  # since it was filled: it has to be filled anew
        elif not found:
            heard = self._recent.since(self.heard)
            found, self.heard = self._unread(heard), self.heard + len(heard)
        if found:
            self.last_id = found[-1].id
        return found

    def close(self) -> None:
        """Nothing more will be heard; whoever waits is woken."""
        self.closed = True
        self.news.set()

    @property
    def _is_too_slow(self) -> bool:
        return self.heard < self._recent.begin

    def _unread(self, heard: Sequence[Entry]) -> Sequence[Entry]:
        """Without what was read from the stream before it was heard."""
        last = place(self.last_id)
        known = next((at for at, each in enumerate(heard) if place(each.id) > last), len(heard))
        return heard[known:] if known else heard


async def next_of(feeds: Sequence[Feed], news: asyncio.Event, timeout_s: float) -> list[Sequence[Entry]]:
    """At least one entry of some of the feeds, each one's in order; none when the time went by without."""
    news.clear()  # first: what is heard while we read wakes us
    found = await _taken(feeds)
    if not any(found) and not any(each.closed for each in feeds):
        if cancel_requested():  # the Redis client may lose a cancellation: nobody waits for what comes
            raise asyncio.CancelledError
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await news.wait()
        found = await _taken(feeds)
    return found


async def _taken(feeds: Sequence[Feed]) -> list[Sequence[Entry]]:
    """Nothing is taken before all is read: whoever is cancelled meanwhile finds it again."""
    for each in feeds:
        await each.fill()
    return [each.take() for each in feeds]
