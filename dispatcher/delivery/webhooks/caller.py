"""Calls one webhook: reads its streams from where it came, sends, and tries again what was not taken."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping

from msgspec.structs import replace

from contracts.instants import HOUR_MS, MINUTE_MS
from contracts.webhooks import DeliveryOutcome, WebhookForm, WebhookState, is_said
from dispatcher.delivery.hub import Hub
from dispatcher.delivery.joint import JointFeed
from dispatcher.delivery.webhooks.content import gap_before, sent_of
from dispatcher.delivery.webhooks.forms import Form
from dispatcher.delivery.webhooks.kept import TOO_LATE, Kept, Superseded
from dispatcher.delivery.webhooks.making import NO_WORDS, Making
from dispatcher.delivery.webhooks.queues import Queues
from dispatcher.delivery.webhooks.retrying import RETRY, next_ms
from dispatcher.delivery.webhooks.sending import Poster
from dispatcher.delivery.webhooks.test_calls import TestCalls
from dispatcher.delivery.webhooks.trial import Trial
from dispatcher.domain.commands.webhooks import GONE, TookAgain
from dispatcher.domain.refusals import Refusal
from dispatcher.domain.webhooks import ALL, TEST
from dispatcher.runtime.cancellation import cancel_requested
from dispatcher.store.events import Entry, place
from dispatcher.store.webhooks import Sent

AT_ONCE = 4  # calls of one webhook
WINDOW, MOST_WAITING = 256, 1_000  # events that are at work, or wait, too: beyond, nothing more is read
FLUSH_EVERY_S, LOOK_EVERY_S = 0.25, 1.0  # real
MOVED_EVERY_S = 5.0  # real: it only passed over what is not wanted
FAILING = 3  # calls in a row that were not taken
FIRST_HOLD_MS, LONGEST_HOLD_MS = 1_000, 10 * MINUTE_MS  # of all its calls, while it takes nothing
S, D = WebhookState, DeliveryOutcome


class Caller:
    """Of one webhook. Raises Superseded from `run` when it is to be begun anew."""

    def __init__(self, hub: Hub, poster: Poster, kept: Kept, forms: Mapping[WebhookForm, Form]) -> None:
        self.hub, self.kept, self._making = hub, kept, Making(poster, kept, forms)
        self.queues, self.tests = Queues({}), TestCalls(kept)
        self._wake = asyncio.Event()
        self._feed: JointFeed | None = None
        self._calls: set[asyncio.Task[Trial]] = set()
        self._ahead: list[Entry] = []
        self._events: dict[tuple[str, str], bytes] = {}  # of what was read and not tried yet
        self._failures, self._hold_ms = FAILING if kept.hook.state is S.FAILING else 0, 0
        self._kept_s, self._has_moved = 0.0, False

    async def run(self) -> None:
        """Until cancelled, or Superseded."""
        self.queues = await self.kept.begin()
        after = self.kept.progress.position
        try:
            async with self.hub.follow_all(self.kept.streams, after) as feed:
                self._feed = feed
                self.queues.after.update(feed.places)
                if feed.gap is not None:
                    self.queues.wait(gap_before(feed.gap, after, self.kept.now_ms))
                await self._take_again()
                await self.kept.keep(self.queues)
                while not feed.closed and not cancel_requested():
                    await self._turn(feed)
        finally:
            await self._end()

    async def _end(self) -> None:
        """What is at work is sent again by whoever comes next; what is over is kept, if it still may be."""
        for each in self._calls:
            each.cancel()
        await asyncio.gather(*self._calls, return_exceptions=True)
        with contextlib.suppress(Superseded, Refusal):
            if self.kept.is_dirty or self.queues.changed:
                await self.kept.keep(self.queues)

    async def _turn(self, feed: JointFeed) -> None:
        """Read, call, see what became of calls, keep it."""
        now_ms = self.kept.now_ms
        if self.kept.hook.state is S.DISABLED:
            raise Superseded
        if self.kept.catch_up():  # somebody has seen to it
            self._try_now()
            await self._take_again()
        self._start(now_ms)
        if len(self._calls) < AT_ONCE and len(self.queues) < self._most:
            self._sort_in(feed, [each.entry for each in await feed.next(self._pause_s(now_ms))])
        else:
            await self._wait(self._pause_s(now_ms))
        await self._see_to_calls()
        await self._keep()

    def _try_now(self) -> None:
        """It may take what waits by now."""
        self._hold_ms = 0
        self.queues.hurry(self.kept.now_ms)

    async def _wait(self, timeout_s: float) -> None:
        """Until a call is over."""
        self._wake.clear()
        if not any(each.done() for each in self._calls):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(timeout_s):
                    await self._wake.wait()

    def _pause_s(self, now_ms: int) -> float:
        """Real seconds until there may be something to do."""
        if any(each.done() for each in self._calls):
            return 0.0
        most_s = FLUSH_EVERY_S if self.kept.is_dirty else LOOK_EVERY_S
        due_ms = self.queues.next_due_ms()
        if due_ms is None or len(self._calls) >= self._at_once:
            return most_s
        until_s = self.kept.service.clock.real_s((max(due_ms, self._hold_ms) - now_ms) / 1000)
        return max(0.0, min(until_s, most_s))

    @property
    def _most(self) -> int:
        """Events that may be known at once: more where some wait, so that others go on."""
        return MOST_WAITING if self.queues.is_waiting else WINDOW

    @property
    def _is_failing(self) -> bool:
        return self._failures >= FAILING

    @property
    def _at_once(self) -> int:
        """One that takes nothing is asked by one call at a time."""
        return 1 if self._is_failing else AT_ONCE

    def _sort_in(self, feed: JointFeed, heard: list[Entry]) -> None:
        """What one stream told of a request later than another has been read so far waits for that."""
        found = sorted([*self._ahead, *heard], key=lambda each: place(each.id))
        horizon = feed.horizon
        ready = [each for each in found if horizon is None or place(each.id) <= place(horizon)]
        self._ahead = found[len(ready) :]
        for each in ready:
            self._take(each)

    def _take(self, entry: Entry) -> None:
        sent, hook = sent_of(entry, self.kept.now_ms), self.kept.hook
        if (
            sent is None
            or (hook.events and sent.type not in hook.events)
            or not is_said(hook.form, sent.type)
        ):
            self.queues.skip(entry.stream, entry.id)
            self._has_moved = True
            return
        self.queues.take(sent)
        self._events[sent.key] = entry.event

    def _start(self, now_ms: int) -> None:
        for sent in self.tests.due(AT_ONCE - len(self._calls)):
            self._start_one(sent)
        if self._hold_ms > now_ms:
            return
        for sent in self.queues.ready(now_ms, max(0, self._at_once - len(self._calls))):
            self._start_one(sent)

    def _start_one(self, sent: Sent) -> None:
        task = asyncio.create_task(self._making.call(sent, self._events.pop(sent.key, b"")))
        task.add_done_callback(lambda _: self._nudge())
        self._calls.add(task)

    def _nudge(self) -> None:
        """A call is over: it is looked at now."""
        self._wake.set()
        if self._feed is not None:
            self._feed.nudge()

    async def _see_to_calls(self) -> None:
        for each in [each for each in self._calls if each.done()]:
            self._calls.discard(each)
            trial = each.result()
            if trial.sent.stream == TEST:
                await self.tests.made(trial.sent, trial.code, trial.took_ms, self.queues)
                if not trial.code:
                    self._try_now()
            elif not trial.code:
                await self._delivered(trial)
            elif trial.code == NO_WORDS:
                self.kept.called(trial.sent, D.SKIPPED, NO_WORDS, trial.took_ms)
                self.queues.done(trial.sent)
            elif trial.final:
                self.kept.bury(trial.sent, trial.code, trial.took_ms)
                self.queues.done(trial.sent)
                await self._note(trial.code, dead=True)
            elif trial.code == GONE:
                await self._gone(trial)
            else:
                await self._not_taken(trial)

    async def _delivered(self, trial: Trial) -> None:
        was_failing, self._failures = self._is_failing, 0
        self.queues.done(trial.sent)
        self.kept.delivered(trial.sent, trial.took_ms)
        if was_failing:
            self._try_now()
        hook = self.kept.hook
        if hook.state is S.FAILING or hook.code:
            well = await self.kept.is_well()
            await self.kept.note(S.ACTIVE, "" if well else hook.code, well=well)

    async def _gone(self, trial: Trial) -> None:
        """It wants nothing any more. Nothing is lost of it: it waits until somebody enables it."""
        self.queues.put_off(trial.sent, self.kept.now_ms, trial.code)
        self.kept.called(trial.sent, D.FAILED, trial.code, trial.took_ms)
        await self.kept.note(S.DISABLED, GONE)
        raise Superseded

    async def _not_taken(self, trial: Trial) -> None:
        """It waits, or is a dead letter; and so is what was to be sent by now, where nothing is taken."""
        sent, now_ms = trial.sent, self.kept.now_ms
        self._failures += 1
        values = (await self.kept.service.markets.tuning(self.kept.market)).values
        last_ms, tries = RETRY.whole(values) * HOUR_MS, sent.attempts + 1
        again_ms = next_ms(
            now_ms, sent.first_ms, tries, sent.event_id, last_ms=last_ms, asked_ms=trial.asked_ms
        )
        if again_ms is None:
            self.kept.bury(sent, trial.code, trial.took_ms)
            self.queues.done(sent)
        else:
            self.kept.called(replace(sent, next_ms=again_ms), D.FAILED, trial.code, trial.took_ms)
            self.queues.put_off(sent, again_ms, trial.code)
        over = self.queues.over(now_ms, last_ms) if self._is_failing else []
        for each in over:
            self.kept.bury(each, TOO_LATE, 0)
        if self._is_failing:
            held_ms = FIRST_HOLD_MS * 2 ** min(self._failures - FAILING, 12)
            self._hold_ms = now_ms + max(trial.asked_ms, min(held_ms, LONGEST_HOLD_MS))
        is_dead = again_ms is None or bool(over)
        if is_dead or (self._is_failing and self.kept.hook.state is not S.FAILING):
            await self._note(trial.code, dead=is_dead)

    async def _note(self, code: str, *, dead: bool) -> None:
        await self.kept.note(S.FAILING if self._is_failing else S.ACTIVE, code, dead=dead)

    async def _take_again(self) -> None:
        """Dead letters that somebody wants to be sent once more."""
        kept, again = self.kept, self.kept.hook.again
        if not again:
            return
        letters = await kept.part.letters(kept.hook.id, None if ALL in again else list(again))
        taken = letters[:MOST_WAITING]
        for _, letter in taken:
            self.queues.wait(replace(letter.sent, attempts=0, first_ms=kept.now_ms, next_ms=0, code=""))
        await kept.keep(self.queues)
        await kept.part.forget_letters(kept.hook.id, [name for name, _ in taken])
        await kept.do(TookAgain(webhook_id=kept.hook.id, letters=again))

    async def _keep(self) -> None:
        """A few times a second, if there is anything to keep."""
        self.queues.held()
        is_news = self.kept.is_dirty or self.queues.changed
        pause_s = FLUSH_EVERY_S if is_news else MOVED_EVERY_S
        now_s = time.monotonic()
        if not (is_news or self._has_moved) or now_s - self._kept_s < pause_s:
            return
        await self.kept.keep(self.queues)
        self._kept_s, self._has_moved = now_s, False
