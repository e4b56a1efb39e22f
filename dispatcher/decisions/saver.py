"""Writes decisions beside the work: nobody waits for it, and what cannot be saved is lost, counted and told.

One for each market that a matcher has. What waits is bounded by number and by the memory that it holds.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final
from zoneinfo import ZoneInfo

import structlog

from dispatcher.decisions.decided import Decided, Looked
from dispatcher.decisions.parameters import DAYS, LOOKS, MB, MEGABYTES, are_saved
from dispatcher.decisions.record import GIVES_WAY
from dispatcher.decisions.sealing import seal
from dispatcher.decisions.store import DecisionStore
from dispatcher.decisions.writer import FAULTS, Writer, beside
from dispatcher.domain.refusals import Unavailable
from dispatcher.runtime.cancellation import cancel_requested, end_all
from dispatcher.runtime.clock import Clock
from dispatcher.store.connection import StoreError
from dispatcher.store.market import MarketStore
from solvers.horizon import local_day

MOST_WAITING: Final = 64
MOST_HELD_BYTES: Final = 64 * MB  #: of arrays that wait; one alone may be more
MUCH_BYTES: Final = MOST_HELD_BYTES // 4  #: is not waited with for more
AFTER_S: Final = 0.1
LONGEST_S: Final = 1.0  #: that one waits while more pressing work is at hand
STOP_S: Final = 1.0  #: that writing what waits may take when all ends
TOGETHER: Final = 16  #: decisions, in one write
TIDY_S: Final = 3_600.0  #: clock time
COUNT_EVERY_S: Final = 5.0
TELL_EVERY_S: Final = 30.0
SEAL_EVERY_S: Final = 15.0
SAVED, LOST, PASSED = "saved", "lost", "passed"
log = structlog.get_logger()

Tell = Callable[[BaseException, float], Awaitable[None]]
Told = Callable[[], Awaitable[None]]


@dataclass(eq=False)
class Saver:
    """Of one market. `keep` is for the matcher's loop, `run` for a task beside it."""

    stored: MarketStore
    decisions: DecisionStore
    tz: ZoneInfo
    clock: Clock
    tell: Tell
    works: Told
    after_s: float = AFTER_S  #: real; that one waits for others
    pressing: Callable[[], bool] = lambda: False  #: whether more pressing work is at hand
    has_wrong_clock: Callable[[], bool] = lambda: False  #: then nothing goes for being old
    waiting: deque[Decided | Looked] = field(default_factory=deque)
    held_bytes: int = 0
    _work: asyncio.Event = field(default_factory=asyncio.Event)
    _enough: asyncio.Event = field(default_factory=asyncio.Event)  #: waits to be written at once
    _counts: dict[str, int] = field(default_factory=dict)
    _writing: asyncio.Task[None] | None = None
    _looks: tuple[int, int] = (0, 0)  # of which minute, and how many
    _told_s: float = -TELL_EVERY_S

    def __post_init__(self) -> None:
        """It writes at the end of the chain, wherever that is then."""
        self._writer = Writer(self.stored, self.decisions, self.tz)

    def keep(self, decided: Decided | Looked) -> None:
        """Have it written some time. It is lost where too much waits already."""
        if not are_saved(decided.values):
            return
        if decided.kind in GIVES_WAY and not self._has_time_for(decided):
            self._count(PASSED)
            return
        full = len(self.waiting) >= MOST_WAITING or self.held_bytes + decided.held_bytes > MOST_HELD_BYTES
        if full and self.waiting:
            self._count(LOST)
            return
        self.waiting.append(decided)
        self.held_bytes += decided.held_bytes
        self._work.set()
        if self._is_much():
            self._enough.set()

    def _has_time_for(self, looked: Decided | Looked) -> bool:
        """What is only looked at is saved while nothing waits, and no more of it than tuning has a minute."""
        minute = int(time.monotonic() // 60)
        already = self._looks[1] if self._looks[0] == minute else 0
        if self.waiting or self._writing is not None or already >= LOOKS.whole(looked.values):
            return False
        self._looks = minute, already + 1
        return True

    async def run(self) -> None:
        """Write until cancelled. What waits then is still written, if that takes no longer than a moment."""
        try:
            async with asyncio.TaskGroup() as group:
                for each in (self._write_all(), self._tell_counts()):
                    group.create_task(each)
        finally:
            ending = asyncio.create_task(self._write_rest())
            while not ending.done():  # who ends all insists: it is over soon by itself
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.wait({ending})
            ending.result()
            with contextlib.suppress(Unavailable, StoreError):
                await self.tell_counts()

    async def written(self) -> None:
        """Until nothing waits."""
        while self.waiting or self._writing is not None:  # noqa: ASYNC110 - for tests and a demo's end
            await asyncio.sleep(0.005)

    async def _write_all(self) -> None:
        while not cancel_requested():
            await self._work.wait()
            self._work.clear()
            while self.waiting and not cancel_requested():
                await self._gathered()
                await self._write_some()

    async def _write_some(self) -> None:
        """The first that wait; to its end, though whoever waits for it is cancelled."""
        self._writing = asyncio.create_task(self._written_some())
        await asyncio.shield(self._writing)

    async def _written_some(self) -> None:
        some = [self.waiting.popleft() for _ in range(min(TOGETHER, len(self.waiting)))]
        try:
            await self._write(some)
        finally:
            self.held_bytes -= sum(each.held_bytes for each in some)
            self._writing = None

    async def _write_rest(self) -> None:
        """What is being written, and what waits; what is not written within a moment is lost, and counted."""
        writing = asyncio.create_task(self._write_until_none_waits())
        await asyncio.wait({writing}, timeout=STOP_S)
        await end_all(each for each in (writing, self._writing) if each is not None)
        if self.waiting:
            self._count(LOST, len(self.waiting))
        if not writing.cancelled():
            writing.result()

    async def _write_until_none_waits(self) -> None:
        while self._writing is not None or self.waiting:
            await (self._writing or self._write_some())

    async def _gathered(self) -> None:
        """What comes within a moment is written together; and whoever only asked has the answer before.

        While more pressing work is at hand that waits on: the thread that packs and the write to the store
        would take their time from it, and of what comes meanwhile one write is made.
        """
        self._enough.clear()
        began_s = time.monotonic()
        while not self._is_much():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.after_s):
                    await self._enough.wait()
            if time.monotonic() - began_s >= LONGEST_S or not self.pressing():
                return

    def _is_much(self) -> bool:
        return len(self.waiting) >= TOGETHER or self.held_bytes >= MUCH_BYTES

    async def _write(self, some: Sequence[Decided | Looked]) -> None:
        try:
            lost = await self._writer.write(some)
        except FAULTS as error:
            lost = [error] * len(some)
        except BaseException:  # cancelled, or a fault of ours
            self._count(LOST, len(some))
            raise
        if saved := len(some) - len(lost):
            self._count(SAVED, saved)
            await self.works()
            self._told_s = -TELL_EVERY_S  # the next that is lost is told at once
        if lost:
            self._count(LOST, len(lost))
            await self._tell(lost[-1])

    async def _tell(self, error: BaseException) -> None:
        """A trouble of the market's; not for each decision that a full disk loses."""
        now_s = asyncio.get_running_loop().time()
        if now_s - self._told_s >= TELL_EVERY_S:
            self._told_s = now_s
            await self.tell(error, 0.0)

    def _count(self, what: str, number: int = 1) -> None:
        self._counts[what] = self._counts.get(what, 0) + number

    async def keep_sealing(self) -> None:
        """What nobody may change is sealed some seconds after it was written; until cancelled."""
        while not cancel_requested():
            await asyncio.sleep(SEAL_EVERY_S)
            await seal(self.stored, self.clock.now_ms())

    async def _tell_counts(self) -> None:
        while not cancel_requested():
            await asyncio.sleep(COUNT_EVERY_S)
            with contextlib.suppress(Unavailable, StoreError):
                await self.tell_counts()

    async def tell_counts(self) -> None:
        """Add what was counted to the store's; what could not be added waits. Raises Unavailable, StoreError.

        An answer that was lost may count something twice: they serve who watches.
        """
        for what in list(self._counts):
            number = self._counts.pop(what)
            try:
                await self.stored.troubles.count(f"decision:{what}", number)
            except BaseException:
                self._count(what, number)
                raise

    async def keep_tidy(self) -> None:
        """What is too old, or too much, goes once an hour, until cancelled."""
        while not cancel_requested():
            try:
                if not self.has_wrong_clock():
                    await self.tidy()
            except FAULTS as error:
                log.warning("decisions_not_tidied", market=self.stored.name, reason=type(error).__name__)
                await self.tell(error, TIDY_S)
            await self.clock.sleep(TIDY_S)

    async def tidy(self) -> int:
        """Forget what tuning does not want kept any more; how many records and parts."""
        now_ms = self.clock.now_ms()
        values = (await self.stored.tuning.in_force(now_ms)).values
        today = local_day(now_ms, self.tz)
        before = (today - dt.timedelta(days=DAYS.whole(values))).isoformat()
        if not are_saved(values):
            before = dt.date.max.isoformat()
        most = MEGABYTES.whole(values) * MB
        gone = await beside(self.decisions.forget, self.stored.name, before, most)
        if gone:
            kept = await beside(self.decisions.days, self.stored.name)
            await trim_ledger(self.stored, kept[0] if kept else None)
        return gone


async def trim_ledger(stored: MarketStore, first_day: str | None) -> None:
    """Entries of days before this one go; None: all."""
    at = 0
    while entries := await stored.decisions.page(at, None, 500, newest=False):
        for each in entries:
            if first_day is not None and each.day >= first_day:  # one that is unreadable has no day
                await stored.decisions.trim(each.seq)
                return
        at = entries[-1].seq + 1
    await stored.decisions.trim(at)
