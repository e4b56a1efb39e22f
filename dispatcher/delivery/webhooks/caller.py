"""Calls one webhook: reads its streams from where it came, sends, tries again, and keeps how far it came.

What a crash loses is only what was done since the last flush: it is sent again, under the same `webhook-id`.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import time
from collections.abc import Coroutine, Mapping
from typing import Any, NamedTuple

import msgspec
import structlog
from msgspec.structs import replace

from contracts.events import CloudEvent, FeedGap
from contracts.instants import HOUR_MS, MINUTE_MS, to_instant
from contracts.webhooks import DeliveryOutcome, WebhookState, as_json
from dispatcher.delivery import position
from dispatcher.delivery.hub import Hub
from dispatcher.delivery.joint import Heard, JointFeed
from dispatcher.delivery.webhooks.lanes import Lanes
from dispatcher.delivery.webhooks.retrying import RETRY, next_ms
from dispatcher.delivery.webhooks.sending import Poster, Undelivered, signed
from dispatcher.domain.commands.webhooks import GONE, NoteWebhook, OnWebhook, SealSecretsAnew, TookAgain
from dispatcher.domain.refusals import Refusal, Unreadable
from dispatcher.domain.webhooks import ALL, WebhookRecord
from dispatcher.runtime.cancellation import cancel_requested
from dispatcher.service.service import Service
from dispatcher.store.events import Entry, place
from dispatcher.store.outcome import Status
from dispatcher.store.webhooks import Buried, Called, Progress, Sent

ATTEMPTS = 5
AT_ONCE = 4  # calls of one webhook
WINDOW, MOST_WAITING = 256, 1_000  # events that are at work or wait: beyond, nothing more is read
FLUSH_EVERY_S, LOOK_EVERY_S = 0.25, 1.0  # real
FAILING = 3  # calls in a row that were not taken
LONGEST_HOLD_MS = 10 * MINUTE_MS  # of all that one webhook is called with, while it takes nothing
MOST_BODY = 65_536  # bytes
GAP, GAP_TYPE = "gap", "dispatch.feed.gap"
LOST, TOO_LATE, UNREADABLE = "lost", "too_late", "unreadable"
BY = "webhooks"
S, D = WebhookState, DeliveryOutcome
log = structlog.get_logger()


class Superseded(Exception):
    """The webhook was changed, or somebody else sends: what is known here counts no more."""


class Trial(NamedTuple):
    """What a call came to. `again`: it is not even tried, for what would be sent is gone."""

    sent: Sent
    code: str
    took_ms: int
    final: bool = False
    asked_ms: int = 0


class Caller:
    """Of one version of one webhook, under one fence; what it changes of itself it goes on with."""

    def __init__(
        self,
        service: Service,
        hub: Hub,
        poster: Poster,
        *,
        market: str,
        hook: WebhookRecord,
        fence: str,
    ) -> None:
        self.service, self.hub, self.poster, self.market = service, hub, poster, market
        self.hook, self.fence = hook, fence
        self.stored = service.store.market(market)
        self.part = self.stored.webhooks
        keys = self.stored.keys
        self.streams = (keys.stream(hook.vendor_id),) if hook.vendor_id else (keys.events, keys.matches)
        self.wake = asyncio.Event()
        self._calls: set[asyncio.Task[Trial]] = set()
        self._called: list[Called] = []
        self._dead: list[Buried] = []
        self._failures, self._hold_ms = FAILING if hook.state is S.FAILING else 0, 0
        self._feed: JointFeed | None = None
        self._flushed_s = 0.0
        self._is_dirty, self._is_changing = False, False
        self._is_seen_to = False
        self._set_anew: WebhookRecord | None = None

    def goes_on_with(self, hook: WebhookRecord) -> bool:
        """Whether it can, now that somebody has set it so: not from another position."""
        if hook.version > self.hook.version and not self._is_changing:
            self._set_anew = hook
        return hook.version <= self.hook.version or hook.replays == self.hook.replays

    async def run(self) -> None:
        """Until cancelled, or Superseded."""
        progress, waiting = await self._begun()
        self.progress = progress
        after = position.parse(progress.position, self.streams)
        self.lanes = Lanes(after, waiting)
        try:
            async with self.hub.follow_all(self.streams, progress.position) as feed:
                self._feed = feed
                self.lanes.after.update(feed.places)
                if feed.gap is not None:
                    self._tell_gap(feed, progress.position)
                await self._take_again()
                await self._flush(always=True)
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
            await self._flush(always=self._is_dirty)

    async def _begun(self) -> tuple[Progress, list[Sent]]:
        """Where it goes on: as it was left, or from where the record says since then."""
        progress, waiting = await self.part.progress(self.hook.id), await self.part.waiting(self.hook.id)
        if progress is not None and progress.replays == self.hook.replays:
            return progress, waiting
        begin = self.hook.begin
        places = position.parse(begin, self.streams)
        kept = [each for each in waiting if each.stream not in places or not _behind(each, places)]
        fresh = progress or Progress(position=begin, replays=0)
        return replace(fresh, position=begin, replays=self.hook.replays), kept

    async def _turn(self, feed: JointFeed) -> None:
        """Read, call, see what became of calls, keep it."""
        now_ms = self.service.clock.now_ms()
        if self._set_anew is not None:
            self._adopt(self._set_anew)
            self._set_anew = None
        if self._is_seen_to:
            self._is_seen_to, self._hold_ms = False, 0
            self.lanes.hurry(now_ms)  # somebody has seen to it: it is tried now
            await self._take_again()
        self._start(now_ms)
        has_room = len(self.lanes) < (WINDOW if not self.lanes.is_waiting else MOST_WAITING)
        if has_room and len(self._calls) < AT_ONCE:
            for heard in await feed.next(self._pause_s(now_ms)):
                self._take(heard)
        else:
            self.wake.clear()
            if not any(each.done() for each in self._calls):
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._pause_s(now_ms)):
                        await self.wake.wait()
        await self._see_to_calls()
        await self._flush()

    def _pause_s(self, now_ms: int) -> float:
        """Real seconds until there may be something to do."""
        if any(each.done() for each in self._calls):
            return 0.0
        due_ms = self.lanes.next_due_ms()
        if due_ms is None or len(self._calls) >= self._at_once:
            return FLUSH_EVERY_S if self._is_dirty else LOOK_EVERY_S
        until_s = self.service.clock.real_s((max(due_ms, self._hold_ms) - now_ms) / 1000)
        return max(0.0, min(until_s, FLUSH_EVERY_S if self._is_dirty else LOOK_EVERY_S))

    @property
    def _at_once(self) -> int:
        """One that takes nothing is asked by one call at a time."""
        return 1 if self._failures >= FAILING else AT_ONCE

    def _take(self, heard: Heard) -> None:
        entry = heard.entry
        try:
            event = msgspec.msgpack.decode(entry.event)
            kind, subject, name = event["type"], event.get("subject", ""), event["id"]
        except (msgspec.MsgspecError, TypeError, LookupError, ValueError):
            log.error("unreadable", kind="event", stream=entry.stream, id=entry.id)
            self.lanes.skip(entry.stream, entry.id)
            self._is_dirty = True
            return
        if self.hook.events and kind not in self.hook.events:
            self.lanes.skip(entry.stream, entry.id)
            self._is_dirty = True
            return
        self.lanes.take(
            Sent(
                stream=entry.stream,
                entry_id=entry.id,
                lane=subject.partition(".")[0],
                type=kind,
                subject=subject,
                event_id=name,
                first_ms=self.service.clock.now_ms(),
            )
        )

    def _tell_gap(self, feed: JointFeed, after: str) -> None:
        """Something may be missing before what follows: it reads anew what it keeps a copy of."""
        self.lanes.wait(
            Sent(
                stream=GAP,
                entry_id=f"{feed.gap}/{after}",
                lane="",
                type=GAP_TYPE,
                subject="",
                event_id=f"gap.{after}",
                first_ms=self.service.clock.now_ms(),
            )
        )

    def _start(self, now_ms: int) -> None:
        if self._hold_ms > now_ms:
            return
        for sent in self.lanes.ready(now_ms, self._at_once - len(self._calls)):
            task = asyncio.create_task(self._call(sent))
            task.add_done_callback(lambda _: self._nudge())
            self._calls.add(task)

    def _nudge(self) -> None:
        """A call is over: it is looked at now."""
        self.wake.set()
        if self._feed is not None:
            self._feed.nudge()

    async def _call(self, sent: Sent) -> Trial:
        began_s = time.monotonic()

        def trial(code: str, **more: Any) -> Trial:
            return Trial(sent, code, round(1_000 * (time.monotonic() - began_s)), **more)

        try:
            body = await self._body(sent)
            if body is None:
                return trial(LOST, final=True)
            now_ms = self.service.clock.now_ms()
            secrets = self.part.secrets(self.hook, now_ms)
            headers = signed(webhook_id(self.market, sent), now_ms // 1000, body, secrets)
            await self.poster.post(self.hook.url, body, headers)
        except Undelivered as error:
            asked_ms = round(1_000 * error.retry_after_s)
            return trial(GONE if error.final else error.code, asked_ms=asked_ms)
        except Unreadable:
            return trial(UNREADABLE)
        return trial("")

    async def _body(self, sent: Sent) -> bytes | None:
        """What is sent; without its data where that would be too much; None: it is kept no more."""
        if sent.stream == GAP:
            return self._gap_body(sent)
        entries = await self.part.streams.entries(sent.stream, [sent.entry_id])
        if not entries:
            return None
        return body_of(entries[0])

    def _gap_body(self, sent: Sent) -> bytes:
        reason, _, after = sent.entry_id.partition("/")
        event = CloudEvent(
            id=sent.event_id,
            source=f"/markets/{self.market}",
            type=GAP_TYPE,
            time=to_instant(sent.first_ms),
            data=msgspec.to_builtins(FeedGap(reason=reason, after=after)),  # type: ignore[arg-type]
        )
        return as_json(msgspec.to_builtins(event))

    async def _see_to_calls(self) -> None:
        over = [each for each in self._calls if each.done()]
        for each in over:
            self._calls.discard(each)
            await self._ended(each.result())

    async def _ended(self, trial: Trial) -> None:
        self._is_dirty = True
        if not trial.code:
            await self._delivered(trial)
        elif trial.final:
            self._bury(trial.sent, trial.code, trial.took_ms)
            self.lanes.done(trial.sent)
            await self._note(S.ACTIVE if self._failures < FAILING else S.FAILING, trial.code, dead=True)
        else:
            await self._not_taken(trial)

    async def _delivered(self, trial: Trial) -> None:
        now_ms = self.service.clock.now_ms()
        was_failing, self._failures, self._hold_ms = self._failures >= FAILING, 0, 0
        self.lanes.done(trial.sent)
        self._log(trial.sent, D.DELIVERED, "", trial.took_ms)
        self.progress = replace(self.progress, delivered=self.progress.delivered + 1, delivered_ms=now_ms)
        if was_failing:
            self.lanes.hurry(now_ms)
        if self.hook.state is S.FAILING or self.hook.code:
            well = await self._is_well()
            await self._note(S.ACTIVE, "" if well else self.hook.code, well=well)

    async def _is_well(self) -> bool:
        return not self._dead and not await self.part.count_dead(self.hook.id)

    async def _not_taken(self, trial: Trial) -> None:
        now_ms, sent = self.service.clock.now_ms(), trial.sent
        self._failures += 1
        tries = sent.attempts + 1
        last_ms, asked_ms = await self._last_ms(), trial.asked_ms
        again_ms = next_ms(now_ms, sent.first_ms, tries, sent.event_id, last_ms=last_ms, asked_ms=asked_ms)
        if trial.code == GONE:  # nothing is lost of what it wants no more: it waits until it is enabled
            self.lanes.put_off(sent, now_ms, trial.code)
            self._log(sent, D.FAILED, trial.code, trial.took_ms)
            await self._note(S.DISABLED, GONE)
            raise Superseded
        if again_ms is None:
            self._bury(sent, trial.code, trial.took_ms)
            self.lanes.done(sent)
        else:
            self._log(replace(sent, next_ms=again_ms), D.FAILED, trial.code, trial.took_ms)
            self.lanes.put_off(sent, again_ms, trial.code)
        if self._failures >= FAILING:
            held_ms = 1_000 * 2 ** min(self._failures - FAILING, 12)
            self._hold_ms = now_ms + max(trial.asked_ms, min(held_ms, LONGEST_HOLD_MS))
            for each in self.lanes.over(now_ms, await self._last_ms()):
                self._bury(each, TOO_LATE, 0)
                again_ms = None
        if again_ms is None or (self._failures >= FAILING and self.hook.state is not S.FAILING):
            state = S.FAILING if self._failures >= FAILING else S.ACTIVE
            await self._note(state, trial.code, dead=again_ms is None)

    async def _last_ms(self) -> int:
        return RETRY.whole((await self.service.markets.tuning(self.market)).values) * HOUR_MS

    def _bury(self, sent: Sent, code: str, took_ms: int) -> None:
        tried = replace(sent, attempts=sent.attempts + (code != TOO_LATE), code=code, next_ms=0)
        self._dead.append(Buried(self.service.clock.now_ms(), tried))
        self._log(sent, D.DEAD, code, took_ms)

    def _log(self, sent: Sent, outcome: DeliveryOutcome, code: str, took_ms: int) -> None:
        tried = replace(sent, attempts=sent.attempts + (code != TOO_LATE), code=code)
        now_ms, name = self.service.clock.now_ms(), webhook_id(self.market, sent)
        self._called.append(Called(now_ms, tried, outcome, name, took_ms))
        self._is_dirty = True

    async def _take_again(self) -> None:
        """Dead letters that somebody wants to be sent once more."""
        if not self.hook.again:
            return
        wanted = None if ALL in self.hook.again else list(self.hook.again)
        letters = await self.part.letters(self.hook.id, wanted)
        now_ms = self.service.clock.now_ms()
        for _, letter in letters[:MOST_WAITING]:
            self.lanes.wait(replace(letter.sent, attempts=0, first_ms=now_ms, next_ms=0, code=""))
        await self._flush(always=True)
        await self.part.forget_letters(self.hook.id, [name for name, _ in letters[:MOST_WAITING]])
        if len(letters) <= MOST_WAITING:
            await self._do(TookAgain(webhook_id=self.hook.id, letters=self.hook.again))

    async def _note(self, state: WebhookState, code: str, *, dead: bool = False, well: bool = False) -> None:
        """How it does. Before what is known of it is kept: who dies in between finds it out again."""
        await self._do(NoteWebhook(webhook_id=self.hook.id, state=state, code=code, dead=dead, well=well))

    async def _do(self, command: OnWebhook) -> None:
        """And go on with what it made of the record. Raises Superseded, once done, if that was changed."""
        self._is_changing = True
        try:
            await _whole(self._change(command))
        finally:
            self._is_changing = False

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
        """Go on with how it is set now. Raises Superseded: it is gone, or is to begin elsewhere."""
        if found is None or found.replays != self.hook.replays:
            raise Superseded
        if found.version > self.hook.version:
            self._is_seen_to |= found.url != self.hook.url or bool(set(found.again) - set(self.hook.again))
            self.hook = found
        return found

    async def _flush(self, *, always: bool = False) -> None:
        """Keep what became of calls. Raises Superseded when that is not ours any more."""
        self.lanes.held()
        now_s, is_due = time.monotonic(), self._is_dirty or self.lanes.changed
        if not always and (not is_due or now_s - self._flushed_s < FLUSH_EVERY_S):
            return
        await _whole(self._write())
        self._flushed_s = now_s

    async def _write(self) -> None:
        told = position.told({each: self.lanes.after[each] for each in self.streams})
        self.progress = replace(self.progress, position=told)
        waiting = self.lanes.waiting if self.lanes.changed else None
        called, dead = self._called, self._dead
        for _ in range(ATTEMPTS):
            outcome = await self.part.flush(
                self.hook, self.fence, self.progress, waiting=waiting, called=called, dead=dead
            )
            if outcome.status is not Status.OUTDATED:
                break
            self._adopt(await self.part.records.get(self.hook.id))
        if outcome.status is not Status.OK:
            raise Superseded
        self._called, self._dead, self._is_dirty, self.lanes.changed = [], [], False, False


async def _whole(work: Coroutine[Any, Any, None]) -> None:
    """To its end, also for who is told to end meanwhile: what became of it must be known."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    finally:
        await asyncio.gather(task, return_exceptions=True)


def webhook_id(market: str, sent: Sent) -> str:
    """What doubles are told by: the same at each attempt, and at a replay."""
    text = f"{market}/{sent.stream}/{sent.event_id}"
    return f"msg_{hashlib.blake2b(text.encode(), digest_size=15).hexdigest()}"


def body_of(entry: Entry) -> bytes:
    """The event as JSON; without its data where that would be too much: then it is read over HTTP."""
    event = msgspec.msgpack.decode(entry.event)
    whole = as_json(event)
    return whole if len(whole) <= MOST_BODY else as_json(event | {"data": {}}, datatoolarge=True)


def sealed_anew(service: Service, market: str, hook: WebhookRecord) -> SealSecretsAnew:
    """The command that moves its secrets to the patient key in use. Raises Unreadable, Unavailable."""
    part = service.store.market(market).webhooks
    plain = part.secrets(hook, 0)
    return SealSecretsAnew(webhook_id=hook.id, sealed=tuple(part.seal(hook.id, each) for each in plain))


def _behind(sent: Sent, places: Mapping[str, str]) -> bool:
    return place(sent.entry_id) > place(places[sent.stream])
