"""Many who follow the same stream are told some at a time: whoever asks meanwhile does not wait for all.

To write to a listener takes some tens of microseconds, so to tell a thousand at once would keep every call
waiting for as long as it takes to answer a hundred of them. All of a round are told the same, which is made
once; what comes meanwhile is told in the next.
"""

from __future__ import annotations

import asyncio

import structlog

from dispatcher.delivery.feed import Feed
from dispatcher.delivery.recent import AT_ONCE, Recent
from dispatcher.runtime.cancellation import cancel_requested
from dispatcher.runtime.pace import Pace
from dispatcher.store.events import place

FEW = 16  # so many are told at once
TOGETHER = 8  # of more, so many before somebody else has the thread
LEAST_SHARE = 0.25  # of the thread's time, however much is asked: none of them waits for ever
PAUSE_S = 0.2  # after a failure
log = structlog.get_logger()


class Followed:
    """A stream, what is recent of it, and who follows it."""

    def __init__(self, limit: int) -> None:
        self.recent = Recent(limit)
        self.feeds: set[Feed] = set()

    def furthest(self, after: str) -> str:
        """The last entry that some of them have, or `after` if that comes later."""
        return max([after, *(each.last_id for each in self.feeds)], key=place)

    @property
    def is_crowded(self) -> bool:
        """Whether those who follow it are told some at a time."""
        return len(self.feeds) > FEW

    def tell(self) -> None:
        """All that there is, to all, at once."""
        self.recent.tell(self.recent.end)
        for feed in self.feeds:
            feed.news.set()
        self.forget()

    def forget(self) -> None:
        """What everybody has."""
        self.recent.forget(min((each.heard for each in self.feeds), default=self.recent.end))


class Crowd:
    """Tells the listeners of crowded streams, in rounds."""

    def __init__(self) -> None:
        self._due: dict[Followed, None] = {}
        self._work = asyncio.Event()

    def tell(self, followed: Followed) -> None:
        """There is something new."""
        self._due[followed] = None
        self._work.set()

    async def run(self) -> None:
        """Until it is cancelled. A fault of ours must not leave them deaf: they are told again."""
        pace = Pace(least=LEAST_SHARE)
        while not cancel_requested():
            await self._work.wait()
            self._work.clear()
            due, self._due = list(self._due), {}
            try:
                await self._told(due, pace)
            except Exception:
                log.exception("a crowd was not told")
                for followed in due:
                    self.tell(followed)
                await asyncio.sleep(PAUSE_S)

    async def _told(self, due: list[Followed], pace: Pace) -> None:
        for followed in due:
            followed.recent.tell(AT_ONCE)
        await self._round([feed for followed in due for feed in followed.feeds], pace)
        for followed in due:
            followed.forget()
            if followed.recent.told < followed.recent.end:
                self.tell(followed)

    async def _round(self, feeds: list[Feed], pace: Pace) -> None:
        """Each listener once, though it may follow several of the streams."""
        news = list(dict.fromkeys(each.news for each in feeds))
        for at in range(0, len(news), TOGETHER):
            pace.begin()
            for each in news[at : at + TOGETHER]:
                each.set()
            await asyncio.sleep(0)  # they wake,
            await asyncio.sleep(0)  # and write
            await asyncio.sleep(pace.rest_s())
