"""The streams that vendors reply on: which of a market there are, and that each takes replies.

A vendor may write on its own stream what it likes: `MAXLEN 0`, or the last entry id there is, after which
Redis takes no more entries there. Such a stream is set aside under another name and made anew. What still
stands in it is read to its end before anything that its vendor wrote later; nobody else notices.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

import structlog
from redis.exceptions import ResponseError

from contracts.instants import HOUR_MS
from dispatcher.store.connection import NoGroup, is_retryable, refused, server_words, unavailable
from dispatcher.store.events import Entry, place
from dispatcher.store.keys import Keys
from dispatcher.store.node import Node
from dispatcher.store.resp import text_of
from dispatcher.store.streams import Streams, entries_of
from dispatcher.store.tail import Command, Tail
from dispatcher.store.troubles import TroublePart

LOOK_EVERY_S = 1.0  # real: by then the replies of a vendor that is new are read
CHECK_EVERY_S = 2.0  # real: by then a stream that takes no more entries is noticed
AHEAD_MS = HOUR_MS  # no clock is so wrong: ids that lie further ahead were chosen by their writer
CHANGED = ("WRONGTYPE", "no such key")  # of a stream that is no longer what it was
TROUBLE = "reply_streams"  # what is told where a key is no stream; the loop `replies` works on beside it
LET_GO = "return redis.call('XLEN', KEYS[1]) == 0 and redis.call('UNLINK', KEYS[1]) or 0"

MadeAnew = Callable[[str], None]
log = structlog.get_logger()


class ReplyStreams:
    """One consumer group's view of them. `made_anew(market)` hears of each stream that is set aside."""

    def __init__(self, node: Node, keys: Keys, group: str, made_anew: MadeAnew) -> None:
        self.reader, self.keys, self.group, self.made_anew = node.reader, keys, group, made_anew
        self.streams, self.troubles = Streams(node.reader), TroublePart(node, keys)
        self.names: tuple[str, ...] = ()  #: what is to be read now
        self._finished: dict[str, list[str]] = {}  # by stream, entries that had their effect
        self._wrong = set[str]()  # keys that are no streams
        self.forget()

    def forget(self) -> None:
        """Something may not be as it was: look at everything again."""
        self._ready = set[str]()  # streams that have the group
        self._seen: tuple[tuple[str, ...], int] | None = (
            None  # which names there may be, and how many there are
        )
        self._look_s = self._check_s = 0.0

    async def look(self) -> tuple[str, ...]:
        """The streams to read now. Asks every second how many there are; which, only if that changed.

        Raises Unavailable.
        """
        now_s = time.monotonic()
        if now_s < self._look_s:
            return self.names
        possible = await self._possible()
        seen = possible, int(await self.reader.ask("EXISTS", *possible))
        if seen != self._seen or now_s >= self._check_s:
            self._check_s = now_s + CHECK_EVERY_S
            self._seen = seen
            await self._check(possible)
        self._look_s = now_s + LOOK_EVERY_S
        return self.names

    async def read(
        self, tail: Tail, after: Mapping[str, str], consumer: str, count: int
    ) -> list[Entry] | None:
        """Entries of these streams for the consumer, up to `count` of each; waits as `tail` does.

        What is finished is told with it, as it is with each question below. None: it broke, and nobody knows.
        """
        try:
            found = await tail.read_group(after, self.group, consumer, count, self._words(self._finished))
        except (ResponseError, NoGroup) as error:
            raise self._changed(error) from error
        if found is not None:  # else they are told again
            self._finished.clear()
        return found

    def finish(self, stream: str, ids: Sequence[str]) -> None:
        """They had their effect: nobody else needs them, and they held tokens. See `tell`."""
        if ids:
            self._finished.setdefault(stream, []).extend(ids)

    async def tell(self) -> None:
        """Tell the server now what is finished. Raises Unavailable: then it is told later.

        An entry that a crash keeps from being told is taken over, and has its effect once all the same.
        """
        told, self._finished = self._finished, {}  # more may be finished meanwhile
        try:
            answers = await self.reader.ask_each(self._words(told))
            for error in (each for each in answers if isinstance(each, ResponseError) and is_retryable(each)):
                raise refused(error)  # of a stream that is none any more there is nothing to tell
        except BaseException:
            for name, ids in told.items():
                self.finish(name, ids)
            raise

    def _words(self, told: Mapping[str, Sequence[str]]) -> list[Command]:
        each = told.items()
        return [
            words for name, ids in each for words in (("XACK", name, self.group, *ids), ("XDEL", name, *ids))
        ]

    async def read_now(self, consumer: str, count: int) -> list[Entry]:
        """What is new on all of them, without a wait."""
        await self.tell()
        try:
            return await self.streams.read_groups(self.names, self.group, consumer, count)
        except (ResponseError, NoGroup) as error:
            raise self._changed(error) from error

    async def claim(
        self, after: Mapping[str, str], consumer: str, *, idle_ms: int, count: int
    ) -> tuple[list[Entry], dict[str, str]]:
        """What some consumer left lying for `idle_ms`, and after which ids of which streams to go on."""
        await self.tell()
        claims = [
            ("XAUTOCLAIM", name, self.group, consumer, idle_ms, start, "COUNT", count)
            for name, start in after.items()
        ]
        try:
            answers = await self.reader.ask_all(claims)
        except (ResponseError, NoGroup) as error:
            raise self._changed(error) from error
        told = dict(zip(after, answers, strict=True))
        entries = [entry for name, (_, found, *_) in told.items() for entry in entries_of(name, found)]
        following = {name: text_of(start) for name, (start, *_) in told.items()}
        return entries, {name: start for name, start in following.items() if start != "0-0"}

    def _changed(self, error: ResponseError | NoGroup) -> Exception:
        """A stream that another process set aside, or a group that somebody destroyed: it is made again."""
        self.forget()
        changed = isinstance(error, NoGroup) or server_words(error).startswith(CHANGED)
        return unavailable("a reply stream has changed.") if changed else error

    async def _possible(self) -> tuple[str, ...]:
        """Names that there may be; of one vendor, what was set aside comes first."""
        vendors = map(text_of, await self.reader.ask("SMEMBERS", self.keys.vendors))
        return self.keys.reply_streams(sorted(vendors))

    async def _check(self, possible: Sequence[str]) -> None:
        """Each is there with its group, takes entries, and is read unless an earlier one comes first."""
        try:
            there = await self._streams(possible)
            for each in there:
                if each not in self._ready:
                    await self.streams.ensure_group(each, self.group)
            self._ready = set(there)
            first: dict[str, str] = {}
            for each in there:
                first.setdefault(self.keys.writer_of(each), each)
            self.names = tuple(first.values())
            aside = {self.keys.aside(each) for each in first}
            for each in await self._worn_out([each for each in there if each not in aside]):
                await self._set_aside(self.keys.writer_of(each))
            for each in aside.intersection(there):
                await self._let_go(each)
        except (ResponseError, NoGroup) as error:
            raise self._changed(error) from error

    async def _streams(self, possible: Sequence[str]) -> list[str]:
        kinds = map(text_of, await self.reader.ask_all([("TYPE", each) for each in possible]))
        found = dict(zip(possible, kinds, strict=True))
        await self._tell({name for name, kind in found.items() if kind not in ("none", "stream")})
        return [name for name, kind in found.items() if kind == "stream"]

    async def _tell(self, wrong: set[str]) -> None:
        """What is no stream is told for as long as it lasts; the other vendors' replies are taken."""
        for name in sorted(wrong - self._wrong):
            log.error("a key that vendors reply on is no stream", key=name)
            await self.troubles.count("unreadable:reply stream")
        if wrong:
            await self.troubles.tell(TROUBLE, f"{min(wrong)} is no stream")
        elif self._wrong:
            await self.troubles.over(TROUBLE)
        self._wrong = wrong

    def _own(self, vendor_id: str) -> str:
        """Where the vendor writes; "": where all vendors did."""
        return self.keys.replies(vendor_id) if vendor_id else self.keys.shared_replies

    async def _worn_out(self, names: Sequence[str]) -> list[str]:
        """Those whose last id lies so far ahead that its writer chose it: few or no entries can follow."""
        seconds, _ = await self.reader.ask_at(self.keys.events, "TIME")
        told = await self.reader.ask_all([("XINFO STREAM", each) for each in names])
        last = [place(text_of(each["last-generated-id"]))[0] for each in told]
        return [name for name, ms in zip(names, last, strict=True) if ms > seconds * 1000 + AHEAD_MS]

    async def _set_aside(self, vendor_id: str) -> None:
        """Unless what was set aside before is still being read."""
        own, aside = self._own(vendor_id), self.keys.aside(vendor_id)
        await self.tell()  # under the other name it would not be found
        if await self.reader.ask("RENAMENX", own, aside):
            await self.streams.ensure_group(own, self.group)
            log.warning("a reply stream was made anew", market=self.keys.market, vendor=vendor_id)
            self.made_anew(self.keys.market)
        self._check_s = 0.0

    async def _let_go(self, aside: str) -> None:
        """What had its effect was deleted: once nothing is left, the vendor's own stream is read again."""
        await self.reader.ask("EVAL", LET_GO, 1, aside)
        self._check_s = 0.0
