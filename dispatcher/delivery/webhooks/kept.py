"""What is kept of one webhook while it is called: its record, how far it came, what became of calls.

It is kept in one commit, a few times a second. What a crash loses is done again, under the same ids.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from msgspec.structs import replace

from contracts.webhooks import DeliveryOutcome, WebhookState
from dispatcher.delivery import position
from dispatcher.delivery.webhooks.content import webhook_id
from dispatcher.delivery.webhooks.queues import Queues
from dispatcher.domain.commands.webhooks import NoteWebhook, OnWebhook, SealSecretsAnew
from dispatcher.domain.webhooks import WebhookRecord
from dispatcher.service.service import Service
from dispatcher.store.events import place
from dispatcher.store.outcome import Status
from dispatcher.store.program import once_name
from dispatcher.store.webhooks import Buried, Called, Progress, Sent

ATTEMPTS = 5
TOO_LATE = "too_late"  # its time was over before it was tried once more
BY = "webhooks"


class Superseded(Exception):
    """The webhook is gone or is to begin elsewhere, or somebody else calls it: what is known here is over."""


class Kept:
    """Under one fence. What it changes of the record itself, and what others do, it goes on with."""

    def __init__(self, service: Service, market: str, hook: WebhookRecord, fence: str) -> None:
        self.service, self.market, self.hook, self.fence = service, market, hook, fence
        stored = service.store.market(market)
        self.part, keys = stored.webhooks, stored.keys
        self.streams = (keys.stream(hook.vendor_id),) if hook.vendor_id else (keys.events, keys.matches)
        self.progress = Progress(position=hook.begin, replays=0)
        self.is_dirty = False  # calls are over that are not kept yet
        self.is_seen_to = False  # somebody wants it to be called now
        self._is_changing = False
        self._set_anew: WebhookRecord | None = None
        self._called: list[Called] = []
        self._dead: list[Buried] = []
        self._once = once_name()  # of what is to be kept: whether it was is not always known

    @property
    def now_ms(self) -> int:
        """The clock's."""
        return self.service.clock.now_ms()

    async def begin(self) -> Queues:
        """Where it goes on: as it was left, or from where the record says since then."""
        found, waiting = await self.part.progress(self.hook.id), await self.part.waiting(self.hook.id)
        if found is None or found.replays != self.hook.replays:
            places = position.parse(self.hook.begin, self.streams)
            waiting = [each for each in waiting if not _is_behind(each, places)]
            found = replace(found or self.progress, position=self.hook.begin, replays=self.hook.replays)
        self.progress = found
        return Queues(position.parse(found.position, self.streams), waiting)

    def goes_on_with(self, hook: WebhookRecord) -> bool:
        """Whether it can, now that somebody has set it so: not from another position."""
        if hook.version > self.hook.version and not self._is_changing:
            self._set_anew = hook
        return hook.version <= self.hook.version or hook.replays == self.hook.replays

    def catch_up(self) -> bool:
        """Go on with how it was set meanwhile; whether somebody wants it to be called now."""
        hook, self._set_anew = self._set_anew, None
        if hook is not None:
            self._adopt(hook)
        wanted, self.is_seen_to = self.is_seen_to, False
        return wanted

    def delivered(self, sent: Sent, took_ms: int) -> None:
        """It was taken."""
        number = self.progress.delivered + 1
        self.progress = replace(self.progress, delivered=number, delivered_ms=self.now_ms)
        self.called(sent, DeliveryOutcome.DELIVERED, "", took_ms)

    def bury(self, sent: Sent, code: str, took_ms: int) -> None:
        """It is tried no more."""
        tried = replace(sent, attempts=sent.attempts + (code != TOO_LATE), code=code, next_ms=0)
        self._dead.append(Buried(self.now_ms, tried))
        self.called(replace(sent, next_ms=0), DeliveryOutcome.DEAD, code, took_ms)

    def called(self, sent: Sent, outcome: DeliveryOutcome, code: str, took_ms: int) -> None:
        """What became of a call, for the log."""
        tried = replace(sent, attempts=sent.attempts + (code != TOO_LATE), code=code)
        self._called.append(Called(self.now_ms, tried, outcome, webhook_id(self.market, sent), took_ms))
        self.is_dirty = True

    async def is_well(self) -> bool:
        """Whether nothing is a dead letter."""
        return not self._dead and not await self.part.count_dead(self.hook.id)

    async def note(self, state: WebhookState, code: str, *, dead: bool = False, well: bool = False) -> None:
        """How it does. Before calls are kept: who dies in between finds it out again. Raises Superseded."""
        await self.do(NoteWebhook(webhook_id=self.hook.id, state=state, code=code, dead=dead, well=well))

    async def do(self, command: OnWebhook) -> None:
        """And go on with what it made of the record. Raises Superseded."""
        self._is_changing = True
        try:
            await _whole(self._change(command))
        finally:
            self._is_changing = False

    async def keep(self, queues: Queues) -> None:
        """Write what became of calls. Raises Superseded when that is not ours any more."""
        await _whole(self._keep(queues))

    async def _keep(self, queues: Queues) -> None:
        told = position.told({each: queues.after[each] for each in self.streams})
        self.progress = replace(self.progress, position=told)
        waiting = queues.waiting if queues.changed else None
        for _ in range(ATTEMPTS):
            outcome = await self.part.flush(
                self.hook,
                self.fence,
                self.progress,
                waiting=waiting,
                called=self._called,
                dead=self._dead,
                once=self._once,
            )
            if outcome.status is not Status.OUTDATED:
                break
            self._adopt(await self.part.records.get(self.hook.id))
        if not outcome.ok:
            raise Superseded
        self._called, self._dead, self.is_dirty, queues.changed = [], [], False, False
        self._once = once_name()

    async def _change(self, command: OnWebhook) -> None:
        tried = self.hook
        for _ in range(ATTEMPTS):
            outcome = await self.service.executor.attempt(BY, self.market, command, tried)
            if outcome is None and tried is self.hook:
                return
            tried = self._adopt(await self.part.records.get(tried.id))
            if outcome is None or outcome.ok:
                return
        raise Superseded

    def _adopt(self, found: WebhookRecord | None) -> WebhookRecord:
        if found is None or found.replays != self.hook.replays:
            raise Superseded
        if found.version > self.hook.version:
            self.is_seen_to |= found.url != self.hook.url or bool(set(found.again) - set(self.hook.again))
            self.hook = found
        return found


def sealed_anew(service: Service, market: str, hook: WebhookRecord) -> SealSecretsAnew:
    """The command that moves its secrets to the patient key in use. Raises Unreadable, Unavailable."""
    part = service.store.market(market).webhooks
    plain = part.secrets(hook, 0)
    return SealSecretsAnew(webhook_id=hook.id, sealed=tuple(part.seal(hook.id, each) for each in plain))


def _is_behind(sent: Sent, places: dict[str, str]) -> bool:
    """Whether it will be read again."""
    return sent.stream in places and place(sent.entry_id) > place(places[sent.stream])


async def _whole(work: Coroutine[Any, Any, None]) -> None:
    """To its end, also for who is told to end meanwhile: what became of it must be known."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    finally:
        await asyncio.gather(task, return_exceptions=True)
