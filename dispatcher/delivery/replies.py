"""Vendors who answer over Redis: a consumer group on the reply stream of each, acknowledged after effect.

An entry that its consumer did not finish is claimed by another one; source and id of the event are the
command's id, so that it has its effect once however often it is read.

Replies on one offer keep their order, however many consumers there are: one that follows another which is not
finished yet, with whomever, is put off until it is. A vendor may accept and report in one breath.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import defaultdict
from collections.abc import Coroutine, Iterable, Sequence
from typing import Any

import structlog

from contracts.events import CloudEvent
from contracts.problems import Problem
from dispatcher.delivery.reply import offer_of, open_envelope
from dispatcher.delivery.reply_effects import Countered, ReplyEffects, Verify
from dispatcher.domain.refusals import Unavailable, Unwritable
from dispatcher.runtime.cancellation import cancel_requested
from dispatcher.service.loops import REPLIES
from dispatcher.service.measures import REPLY_AGE
from dispatcher.service.service import Service
from dispatcher.store.events import Entry, place
from dispatcher.store.reply_streams import MadeAnew, ReplyStreams
from dispatcher.store.streams import GROUP
from dispatcher.store.tail import Tail

BATCH = 256  # entries of all streams together, and at least
FEWEST = 16  # of each, so that a vendor that writes without end does not hold up the others
IDLE_MS = 15_000  # real ms: an entry left for so long is taken over
WAIT_S = 1.0
PAUSE_S = 0.2

AGAIN_S = 0.02  # what was put off is looked at again

Opened = tuple[Entry, CloudEvent]
log = structlog.get_logger()


class Replies:
    """One consumer. `verify(token, now_ms)` gives the principal or raises Problem; `consumer` names us."""

    def __init__(
        self,
        service: Service,
        verify: Verify,
        consumer: str,
        *,
        idle_ms: int = IDLE_MS,
        wait_s: float = WAIT_S,
        countered: Countered,
        made_anew: MadeAnew = lambda market: None,
    ) -> None:
        """`countered`: see `ReplyEffects`; `made_anew(market)` hears of each reply stream that took no more
        entries.
        """
        self.store, self.measures = service.store, service.measures
        self.effects = ReplyEffects(service, verify, countered)
        self.consumer = consumer
        self.idle_ms = idle_ms
        self.wait_s = wait_s
        self._made_anew = made_anew
        self._streams: dict[str, ReplyStreams] = {}
        self._put_off: dict[str, dict[str, Entry]] = defaultdict(dict)  # by stream, by entry id

    async def run(self, market: str) -> None:
        """For ever, until cancelled. A store that is away is waited for."""
        streams, resumed, claim_s = self.streams(market), set[str](), 0.0
        async with self.store.tail(wait_s=self.wait_s) as tail:
            while not cancel_requested():
                try:
                    await streams.look()
                    await self._resume(market, tail, resumed)
                    if (now_s := time.monotonic()) >= claim_s:
                        await self.take_over(market)
                        claim_s = now_s + self.idle_ms / 3000
                    await self._effects(market, await self._new(market, tail))
                    self.store.waits.end(market, REPLIES)
                except (Unavailable, Unwritable) as refusal:
                    streams.forget()
                    self.store.waits.begin(market, REPLIES, refusal)
                    await asyncio.sleep(PAUSE_S)

    def streams(self, market: str) -> ReplyStreams:
        """What the market's vendors reply on."""
        found = self._streams.get(market)
        if found is None:
            found = self.store.market(market).reply_streams(GROUP, self._made_anew)
            self._streams[market] = found
        return found

    async def _resume(self, market: str, tail: Tail, resumed: set[str]) -> None:
        """What was given to us before a crash comes before what is new."""
        streams = self.streams(market)
        after = {each: "0" for each in streams.names if each not in resumed}
        while after and not cancel_requested():
            left = await streams.read(tail, after, self.consumer, BATCH)
            if left is None:  # it broke
                continue
            await self._effects(market, left)
            last = {entry.stream: entry.id for entry in left}
            # after the last id there is, Redis begins again at the first
            further = {each: name for each, name in last.items() if place(name) > place(after[each])}
            resumed |= after.keys() - further.keys()
            after = further

    async def _new(self, market: str, tail: Tail) -> list[Entry]:
        """What was put off, and what is new; waits for the latter only if there is nothing else to do."""
        streams = self.streams(market)
        if not streams.names:
            await asyncio.sleep(self.wait_s)
            return []
        count = max(FEWEST, BATCH // len(streams.names))
        put_off = [entry for each in streams.names for entry in self._put_off.get(each, {}).values()]
        if not put_off:
            return await streams.read(tail, dict.fromkeys(streams.names, ">"), self.consumer, count) or []
        await asyncio.sleep(AGAIN_S)
        return put_off + await streams.read_now(self.consumer, count)

    async def take_over(self, market: str) -> None:
        """Entries that a consumer began and did not finish for `idle_ms`, ours included."""
        streams = self.streams(market)
        after = dict.fromkeys(await streams.look(), "0-0")
        while after:
            entries, after = await streams.claim(after, self.consumer, idle_ms=self.idle_ms, count=BATCH)
            await self.take(market, entries)

    async def take(self, market: str, entries: Iterable[Entry]) -> None:
        """Each entry's effect, then its acknowledgement; what Unavailable interrupts stays pending.

        So does what is put off: `run` takes it up again.
        """
        await self._told(market, self._effects(market, entries))

    async def _told(self, market: str, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        finally:
            await self.streams(market).tell()

    async def _effects(self, market: str, entries: Iterable[Entry]) -> None:
        """As `take`; those of one stream are acknowledged with the next question to it.

        Those of several each when they have ended: nobody's wait for who takes longest.
        """
        by_stream: dict[str, list[Entry]] = defaultdict(list)
        for entry in entries:
            by_stream[entry.stream].append(entry)
        works = [self._effects_of(market, name, each) for name, each in by_stream.items()]
        await _side_by_side(works if len(works) == 1 else [self._told(market, each) for each in works])

    async def _effects_of(self, market: str, stream: str, entries: Sequence[Entry]) -> None:
        """The entries of one stream: each offer's one after another, the offers side by side."""
        by_offer: dict[str, list[Opened]] = defaultdict(list)
        done: list[str] = []
        unreadable: list[tuple[Entry, Problem]] = []
        for entry in entries:
            try:
                event = open_envelope(entry.event)
            except Problem as problem:
                unreadable.append((entry, problem))
            else:
                by_offer[offer_of(event)].append((entry, event))
        ripe = await self._ripe(stream, list(by_offer.values()))
        works = [self._in_order(market, group, done) for group in ripe]
        works += [self._unreadable(market, *each, done) for each in unreadable]
        try:
            await _side_by_side(works)
        finally:
            self.streams(market).finish(stream, done)

    async def _ripe(self, stream: str, groups: Sequence[list[Opened]]) -> list[list[Opened]]:
        """Of each group what follows no unfinished reply on the same offer; the rest is put off."""
        self._put_off.pop(stream, None)
        if not groups:
            return []
        mine = {entry.id for group in groups for entry, _ in group}
        first = await self._first_of_others(stream, mine)
        ripe = []
        for group in groups:
            limit = first.get(offer_of(group[0][1]))
            kept = [each for each in group if limit is None or place(each[0].id) < place(limit)]
            if later := group[len(kept) :]:
                self._put_off[stream] |= {entry.id: entry for entry, _ in later}
            ripe.append(kept)
        return ripe

    async def _first_of_others(self, stream: str, mine: set[str]) -> dict[str, str]:
        """By offer the earliest entry that is not finished and somebody else's, or left over."""
        ids = await self.store.streams.unfinished(stream, GROUP, max(mine, key=place))
        others = [each for each in ids if each not in mine]
        first: dict[str, str] = {}
        for entry in await self.store.streams.entries(stream, others) if others else ():
            with contextlib.suppress(Problem):
                first.setdefault(offer_of(open_envelope(entry.event)), entry.id)
        return first

    async def _unreadable(self, market: str, entry: Entry, problem: Problem, done: list[str]) -> None:
        if await self.effects.is_unreadable(market, entry, problem):
            done.append(entry.id)

    async def _in_order(self, market: str, group: Iterable[Opened], done: list[str]) -> None:
        """Until one waits for a key to be mended: it is taken up again, and then what follows it."""
        for entry, event in group:
            try:
                has_ended = await self.effects.has_ended(market, entry, event)
            except Unwritable as refusal:  # the other offers go on
                log.error("a reply waits for a key to be mended", market=market, reason=refusal.reason)
                return
            if has_ended:
                done.append(entry.id)
                age_s = time.time() - place(entry.id)[0] / 1000
                self.measures.observe(market, REPLY_AGE, "done", age_s)


async def _side_by_side(works: Sequence[Coroutine[Any, Any, None]]) -> None:
    """All to their ends, then the first failure. One by itself, as mostly, needs no task of its own."""
    if len(works) == 1:
        await works[0]
        return
    for failure in filter(None, await asyncio.gather(*works, return_exceptions=True)):
        raise failure
