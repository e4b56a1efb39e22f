"""Streams to many listeners: one blocking reader for all that listen to a market in this process."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Mapping, Sequence

import structlog

from contracts.events import GapReason
from dispatcher.delivery import position
from dispatcher.delivery.crowd import Crowd, Followed
from dispatcher.delivery.feed import Feed
from dispatcher.delivery.gaps import Beginning, beginning, fallen_back
from dispatcher.delivery.joint import JointFeed
from dispatcher.delivery.pages import Pages
from dispatcher.delivery.recent import Recent
from dispatcher.domain.refusals import Unavailable
from dispatcher.runtime.cancellation import cancel_requested
from dispatcher.runtime.pace import Rate
from dispatcher.store.events import Entry
from dispatcher.store.store import Store
from dispatcher.store.tail import Tail

WAIT_S = 0.25  # a stream that nobody followed before is heard live after this long at most
PAUSE_S = 0.2
LOOK_EVERY_S = 1.0  # whether streams still go as far as was read of them
QUEUE_LIMIT = 16_384  # entries of a stream that somebody who follows it has not heard; some megabytes
#: Reads of a market's streams: beyond, entries wait for each other two milliseconds and come together. A
#: read for every entry costs a web process that takes in 2,000 requests a second a fifth of its time.
MOST_READS_PER_S, BURST = 500, 25

log = structlog.get_logger()


class Hub:
    """`async with hub.follow(stream, after) as feed: entries = await feed.next(timeout_s)`."""

    def __init__(self, store: Store, *, queue_limit: int = QUEUE_LIMIT) -> None:
        self._store = store
        self._queue_limit = queue_limit
        self._readers: dict[str, _Reader] = {}
        self._closed = False
        self.listeners = 0  # who follows now

    @contextlib.asynccontextmanager
    async def follow(self, stream: str, after: str | None = None) -> AsyncIterator[Feed]:
        """A feed of what follows entry `after`; None: from now on. Raises Invalid, Unavailable.

        `feed.gap` says why something may be missing before what it begins with.
        """
        places = None if after is None else position.parse(after, [stream])
        async with self._following([stream], asyncio.Event(), places) as (feed,):
            yield feed

    @contextlib.asynccontextmanager
    async def follow_all(self, streams: Sequence[str], after: str | None = None) -> AsyncIterator[JointFeed]:
        """As `follow`, several streams of one market: what follows position `after` in each of them."""
        places, news = None if after is None else position.parse(after, streams), asyncio.Event()
        shared = len(streams) > 1 and after is not None and position.is_shared(after)
        async with self._following(streams, news, places, shared=shared) as feeds:
            yield JointFeed(feeds, news)

    @contextlib.asynccontextmanager
    async def _following(
        self,
        streams: Sequence[str],
        news: asyncio.Event,
        places: Mapping[str, str] | None,
        *,
        shared: bool = False,
    ) -> AsyncIterator[list[Feed]]:
        """`shared`: the first stream's id stands for the others, too; that it is ahead of them is no gap."""
        starts = dict[str, Beginning]()
        for number, stream in enumerate(streams):
            start = await beginning(self._store.streams, stream, places[stream] if places else None)
            if shared and number and start.gap is GapReason.AHEAD:
                start = Beginning(start.after)
            starts[stream] = start
        feeds = list[Feed]()
        self.listeners += 1
        try:
            for stream, start in starts.items():
                reader = self._reader(stream)
                feeds.append(Feed(reader.pages, stream, start, reader.recent(stream), news))
                if self._closed:
                    feeds[-1].close()
                await reader.join(feeds[-1])
            yield feeds
        finally:
            self.listeners -= 1
            for feed in feeds:
                self._reader(feed.stream).leave(feed)

    async def aclose(self) -> None:
        """Wake every listener, end the readers."""
        self._closed = True
        await asyncio.gather(*(reader.aclose() for reader in self._readers.values()))

    def _reader(self, stream: str) -> _Reader:
        """One a hash tag: a cluster keeps a market in one slot, and a read must not cross slots."""
        tag = stream.partition("{")[2].partition("}")[0]
        return self._readers.setdefault(tag, _Reader(self._store, self._queue_limit))


class _Reader:
    """Reads every stream that somebody follows, and tells all who follow it."""

    def __init__(self, store: Store, queue_limit: int) -> None:
        self._store, self._queue_limit = store, queue_limit
        self.pages = Pages(store.streams)
        self._followed: dict[str, Followed] = {}
        self._after: dict[str, str] = {}
        self._crowd = Crowd()
        self._look_s = 0.0
        self._tasks: list[asyncio.Task[None]] = []

    def recent(self, stream: str) -> Recent:
        """What is recent of a stream, for a feed that joins now."""
        return self._followed.setdefault(stream, Followed(self._queue_limit)).recent

    async def join(self, feed: Feed) -> None:
        """From its return on, what the feed does not find in the stream it hears."""
        stream = feed.stream
        self._followed[stream].feeds.add(feed)
        if stream not in self._after:
            newest = await self._store.streams.last_id(stream)
            if not feed.closed:  # meanwhile
                self._after.setdefault(stream, newest)
        if not self._tasks:
            self._tasks = [asyncio.create_task(self._run()), asyncio.create_task(self._crowd.run())]

    def leave(self, feed: Feed) -> None:
        """The last one to leave a stream ends its reading."""
        followed = self._followed.get(feed.stream)
        if followed is None:
            return
        followed.feeds.discard(feed)
        if not followed.feeds:
            self._forget(feed.stream)

    def _forget(self, stream: str) -> set[Feed]:
        """Read it no more; who followed it, if anybody still does."""
        self.pages.forget(stream)
        self._after.pop(stream, None)
        followed = self._followed.pop(stream, None)
        return followed.feeds if followed is not None else set()

    async def aclose(self) -> None:
        """Wake whoever listens, and stop."""
        for feed in [each for followed in self._followed.values() for each in followed.feeds]:
            feed.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _run(self) -> None:
        rate = Rate(MOST_READS_PER_S, BURST)
        async with self._store.tail(wait_s=WAIT_S) as tail:
            while not cancel_requested():
                if wait_s := rate.wait_s():
                    await asyncio.sleep(wait_s)
                try:
                    self._tell(await self._read(tail))
                except Exception:  # listeners must not hang on a reader that has died
                    log.exception("the reader of streams failed")
                    await asyncio.sleep(PAUSE_S)

    async def _read(self, tail: Tail) -> list[Entry]:
        try:
            await self._look()
            return await tail.read(dict(self._after))
        except Unavailable:
            await asyncio.sleep(PAUSE_S)
            return []

    async def _look(self) -> None:
        """Now and then: end who follows a stream that does not go as far as was read of it any more.

        So it is after a fail-over to a server that lacks the latest, where its clock is behind: until the ids
        catch up nothing would be heard. Who comes back is told of the gap.
        """
        if not self._after or time.monotonic() < self._look_s:
            return
        self._look_s = time.monotonic() + LOOK_EVERY_S
        had = {each: self._followed[each].furthest(after) for each, after in self._after.items()}
        for stream in await fallen_back(self._store.streams, had):
            log.warning("stream_fell_back", stream=stream)
            for feed in self._forget(stream):
                feed.close()

    def _tell(self, entries: list[Entry]) -> None:
        told = dict[str, Followed]()
        for entry in entries:
            followed = self._followed.get(entry.stream)
            if followed is not None and entry.stream in self._after:
                self._after[entry.stream] = entry.id
                followed.recent.add(entry)
                told[entry.stream] = followed
        for followed in told.values():
            if followed.is_crowded:
                self._crowd.tell(followed)
            else:
                followed.tell()
