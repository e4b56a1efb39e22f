"""Vendors who answer over Redis: a consumer group on `replies`, acknowledged after effect.

An entry that its consumer did not finish is claimed by another one; the event's id is the command's id, so
that it has its effect once however often it is read. A well-authenticated reply that is refused is answered
on its vendor's own stream; what cannot be read or trusted goes to the dead letters, by name and reason.

Replies on one offer keep their order, however many consumers there are: one that follows another which is not
finished yet, with whomever, is put off until it is. A vendor may accept and report in one breath.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

import structlog

from contracts.codes import Role
from contracts.events import CloudEvent, ReplyRefused
from contracts.problems import PREFIX, Problem
from dispatcher.delivery.feed import place
from dispatcher.delivery.reply import Poison, command_of, idempotency_of, open_envelope
from dispatcher.domain.decision import Message, To
from dispatcher.domain.refusals import NotFound, Refusal, Unavailable, Unwritable
from dispatcher.runtime.cancellation import cancel_requested
from dispatcher.security.principal import Principal
from dispatcher.service.service import Service
from dispatcher.store.events import Entry
from dispatcher.store.keys import Keys
from dispatcher.store.tail import Tail

GROUP = "service"
BATCH = 256
IDLE_MS = 15_000  # real ms: an entry left for so long is taken over
WAIT_S = 2.0
PAUSE_S = 0.2

AGAIN_S = 0.02  # what was put off is looked at again

Opened = tuple[Entry, CloudEvent]
Verify = Callable[[str, int], Principal]
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
    ) -> None:
        self.service = service
        self.store = service.store
        self.verify = verify
        self.consumer = consumer
        self.idle_ms = idle_ms
        self.wait_s = wait_s
        self._put_off: dict[str, dict[str, Entry]] = defaultdict(dict)  # by market, by entry id

    async def run(self, market: str) -> None:
        """For ever, until cancelled. A store that is away is waited for."""
        stream = Keys(market).replies
        async with self.store.tail(wait_s=self.wait_s) as tail:
            own = "0"  # first what was given to us before a crash, then what is new
            while not cancel_requested():
                try:
                    await self.store.streams.ensure_group(stream, GROUP)
                    while own != ">":
                        left = await tail.read_group({stream: own}, GROUP, self.consumer, BATCH)
                        await self.take(market, left)
                        own = left[-1].id if left else ">"
                    await self.take_over(market)
                    await self.take(market, await self._new(market, tail))
                except (Unavailable, Unwritable) as refusal:
                    log.warning("replies wait for the store", market=market, reason=refusal.detail)
                    await asyncio.sleep(PAUSE_S)

    async def _new(self, market: str, tail: Tail) -> list[Entry]:
        """What was put off, and what is new; waits for the latter only if there is nothing else to do."""
        stream, put_off = Keys(market).replies, list(self._put_off[market].values())
        if not put_off:
            return await tail.read_group({stream: ">"}, GROUP, self.consumer, BATCH)
        await asyncio.sleep(AGAIN_S)
        return put_off + await self.store.streams.read_group(stream, GROUP, self.consumer, BATCH)

    async def take_over(self, market: str) -> None:
        """Entries that a consumer began and did not finish for `idle_ms`, ours included."""
        stream, after = Keys(market).replies, "0-0"
        while True:
            entries, after = await self.store.streams.claim(
                stream, GROUP, self.consumer, idle_ms=self.idle_ms, after=after, count=BATCH
            )
            await self.take(market, entries)
            if after == "0-0":
                return

    async def take(self, market: str, entries: Iterable[Entry]) -> None:
        """Each entry's effect, then its acknowledgement; what Unavailable interrupts stays pending.

        So does what is put off: `run` takes it up again.
        """
        by_subject: dict[str, list[Opened]] = defaultdict(list)
        for entry in entries:
            try:
                event = open_envelope(entry.event)
            except Poison as poison:
                await self._bury(market, entry, str(poison))
            else:
                by_subject[event.subject].append((entry, event))
        done: list[str] = []
        works = [
            self._in_order(market, group, done)
            for group in await self._ripe(market, list(by_subject.values()))
        ]
        ended = await asyncio.gather(*works, return_exceptions=True)
        await self.store.streams.finish(Keys(market).replies, GROUP, *done)
        for failure in filter(None, ended):
            raise failure

    async def _ripe(self, market: str, groups: Sequence[list[Opened]]) -> list[list[Opened]]:
        """Of each group what follows no unfinished reply on the same offer; the rest is put off."""
        self._put_off[market].clear()
        if not groups:
            return []
        stream, mine = Keys(market).replies, {entry.id for group in groups for entry, _ in group}
        ids = await self.store.streams.unfinished(stream, GROUP, max(mine, key=place))
        others = await self.store.streams.entries(stream, [each for each in ids if each not in mine])
        first: dict[str, str] = {}  # the earliest entry on each offer that is somebody else's, or left over
        for entry in others:
            with contextlib.suppress(Poison):
                first.setdefault(open_envelope(entry.event).subject, entry.id)
        ripe = []
        for group in groups:
            limit = first.get(group[0][1].subject)
            kept = [each for each in group if limit is None or place(each[0].id) < place(limit)]
            self._put_off[market] |= {entry.id: entry for entry, _ in group[len(kept) :]}
            ripe.append(kept)
        return ripe

    async def _in_order(self, market: str, group: Iterable[Opened], done: list[str]) -> None:
        for entry, event in group:
            if await self._has_ended(market, entry, event):
                done.append(entry.id)

    async def _has_ended(self, market: str, entry: Entry, event: CloudEvent) -> bool:
        """Whether the entry had its effect or its refusal; False if it was put aside."""
        try:
            who = self.verify(event.dispatchtoken, self.service.clock.now_ms())
            if who.role is not Role.VENDOR:
                raise NotFound("only vendors reply")
            self.service.markets.authorize(who, market)
        except (Problem, Refusal) as refusal:
            await self._bury(market, entry, _kind(refusal))
            return False
        try:
            await self._effect(market, who, event)
        except Unavailable:
            raise
        except Unwritable as refusal:  # it stays pending, and is taken up again; the others go on
            log.error("a reply waits for a key to be mended", market=market, reason=refusal.facts["reason"])
            return False
        except (Problem, Refusal) as refusal:
            await self._refuse(market, who, entry, event, refusal)
        except Exception:
            log.exception("a reply failed", market=market, entry=entry.id)
            await self._bury(market, entry, "internal")
            return False
        return True

    async def _effect(self, market: str, who: Principal, event: CloudEvent) -> None:
        command = command_of(event)
        await self.service.execute(who, market, command, idempotency_of(event, who.vendor_id))

    async def _refuse(
        self, market: str, who: Principal, entry: Entry, event: CloudEvent, refusal: Problem | Refusal
    ) -> None:
        """Tell the vendor, on its own stream."""
        news = ReplyRefused(reply_id=event.id, type=PREFIX + _kind(refusal), detail=refusal.detail)
        message = Message(
            to=To.VENDOR,
            type="dispatch.reply.refused",
            subject=event.subject,
            data=news,
            vendor_id=who.vendor_id,
        )
        now_ms = self.service.clock.now_ms()
        await self.store.market(market).announce(message, event_id=f"refused.{entry.id}", at_ms=now_ms)

    async def _bury(self, market: str, entry: Entry, reason: str) -> None:
        log.warning("a reply cannot be used", market=market, entry=entry.id, reason=reason)
        await self.store.market(market).dead_letters.bury(entry, GROUP, reason)


def _kind(refusal: Problem | Refusal) -> str:
    return refusal.type
