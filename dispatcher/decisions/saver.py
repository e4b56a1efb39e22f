"""Writes decisions beside the work: nobody waits for it, and what cannot be saved is lost, counted and told.

One for each market that a matcher has. What waits is bounded by number and by the memory that it holds.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import time
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final, TypeVar
from zoneinfo import ZoneInfo

import msgspec
import structlog

from dispatcher.decisions.decided import Decided, Looked, header_of, linked
from dispatcher.decisions.packer import Packer
from dispatcher.decisions.parameters import DAYS, LOOKS, MB, MEGABYTES, are_saved
from dispatcher.decisions.record import BOOKS_NOTHING, BY_HAND, GIVES_WAY, Raw, hash_of
from dispatcher.decisions.sealing import seal
from dispatcher.decisions.store import DecisionStore
from dispatcher.domain.refusals import Unavailable, Unwritable
from dispatcher.runtime.cancellation import cancel_requested
from dispatcher.runtime.clock import Clock
from dispatcher.store.connection import StoreError
from dispatcher.store.decisions import Entry, Taken
from dispatcher.store.market import MarketStore
from solvers.horizon import local_day
from solvers.saved import NotSaved

MOST_WAITING: Final = 64
MOST_HELD_BYTES: Final = 64 * MB  #: of arrays that wait; one alone may be more
AFTER_S: Final = 0.1
TRIES: Final = 5  #: for a place in the chain
TIDY_S: Final = 3_600.0  #: clock time
COUNT_EVERY_S: Final = 5.0
TELL_EVERY_S: Final = 30.0
SEAL_EVERY_S: Final = 15.0
_SEEN: Final = 4_096
SAVED, LOST, PASSED = "saved", "lost", "passed"
UNNOTED: Final = BOOKS_NOTHING | {BY_HAND}
log = structlog.get_logger()
_THREAD = ThreadPoolExecutor(1, "decisions")

Result = TypeVar("Result")
Packed = tuple[Raw, list[bytes]]  # a record's parts, and what it shares with others
Tell = Callable[[BaseException, float], Awaitable[None]]
Told = Callable[[], Awaitable[None]]
#: what a full disk, a store that is away, a damaged ledger or a plug-in's own travel times raise
FAULTS: Final = (
    OSError,
    Unavailable,
    Unwritable,
    StoreError,
    NotSaved,
    msgspec.DecodeError,
    ValueError,
    Taken,
)


@dataclass(eq=False)
class Saver:
    """Of one market. `keep` is for the matcher's loop, `run` for a task beside it."""

    stored: MarketStore
    decisions: DecisionStore
    tz: ZoneInfo
    clock: Clock
    tell: Tell
    works: Told
    waiting: deque[Decided | Looked] = field(default_factory=deque)
    held_bytes: int = 0
    _work: asyncio.Event = field(default_factory=asyncio.Event)
    _last: Entry | None = None
    _counts: dict[str, int] = field(default_factory=dict)
    _seen: OrderedDict[str, int] = field(default_factory=OrderedDict)
    _packer: Packer = field(default_factory=Packer)
    _writing: bool = False
    _looks: tuple[int, int] = (0, 0)  # of which minute, and how many
    _told_s: float = -TELL_EVERY_S

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

    def _has_time_for(self, looked: Decided | Looked) -> bool:
        """What is only looked at is saved while nothing waits, and no more of it than tuning has a minute."""
        minute = int(time.monotonic() // 60)
        already = self._looks[1] if self._looks[0] == minute else 0
        if self.waiting or self._writing or already >= LOOKS.whole(looked.values):
            return False
        self._looks = minute, already + 1
        return True

    async def run(self) -> None:
        """Write until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                for each in (self._write_all(), self._tell_counts()):
                    group.create_task(each)
        finally:
            with contextlib.suppress(Unavailable, StoreError):
                await self.tell_counts()

    async def written(self) -> None:
        """Until nothing waits."""
        while self.waiting or self._writing:  # noqa: ASYNC110 - for tests and a demo's end
            await asyncio.sleep(0.005)

    async def _write_all(self) -> None:
        while not cancel_requested():
            await self._work.wait()
            self._work.clear()
            while self.waiting and not cancel_requested():
                self._writing = True
                decided = self.waiting.popleft()
                try:
                    await self._write(decided)
                    self._count(SAVED)
                    await self.works()
                    self._told_s = -TELL_EVERY_S  # the next that is lost is told at once
                except FAULTS as error:
                    self._last = None
                    self._count(LOST)
                    await self._tell(error)
                finally:
                    self.held_bytes -= decided.held_bytes
                    self._writing = False

    async def _write(self, given: Decided | Looked) -> None:
        if isinstance(given, Looked):
            await asyncio.sleep(AFTER_S)  # whoever asked has the answer before
        decided = given if isinstance(given, Decided) else await _beside(given.make)
        packed: Packed | None = None
        for _ in range(TRIES):
            known = self._last  # read in this order: who writes between has the place, and we try again
            place = known.seq if known else await self.stored.decisions.issued()
            before = known or await self.stored.decisions.last()
            packed, entry = await _beside(self._kept, decided, packed, before, place + 1)
            try:
                kept_days = DAYS.whole(decided.values)
                # an offer names its decision: that of the matcher before it stays the one that is noted
                noted = () if decided.kind in UNNOTED else decided.requests[: decided.waiting]
                await self.stored.decisions.add(entry, noted, kept_days)
                self._last = entry
                return
            except Taken:  # who had the market before us still writes
                self._last = None
        raise Taken(f"{TRIES} times")

    def _kept(
        self, decided: Decided, packed: Packed | None, before: Entry | None, place: int
    ) -> tuple[Packed, Entry]:
        """In the thread: nothing here is of the event loop's. What is packed already stays so."""
        raw, shared = packed or self._packed(decided)
        return (raw, shared), self._put(linked(raw, before, place), shared)

    def _packed(self, decided: Decided) -> Packed:
        digest = decided.plan.digest
        nth = self._seen[digest] = self._seen.pop(digest, -1) + 1
        while len(self._seen) > _SEEN:
            self._seen.popitem(last=False)
        header = header_of(self.stored.name, self.tz, decided, nth)
        market = self.stored.name
        return self._packer.pack(
            header,
            decided.screening(),
            decided.plan,
            lambda subject, plain: self.decisions.vault.seal(market, subject, plain),
        )

    def _put(self, raw: Raw, shared: list[bytes]) -> Entry:
        record, header = self.decisions.put(raw, shared), raw.header
        return Entry(
            seq=header.seq,
            digest=header.digest,
            nth=header.nth,
            day=header.day,
            at_ms=header.at_ms,
            kind=header.kind,
            solver=header.solver,
            requests=len(header.requests),
            matched=header.matched,
            cost=header.cost,
            bound=header.bound,
            hash=hash_of(record),
            previous=header.previous,
        )

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
        gone = await _beside(self.decisions.forget, self.stored.name, before, most)
        if gone:
            kept = await _beside(self.decisions.days, self.stored.name)
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


async def _beside(work: Callable[..., Result], *words: object) -> Result:
    """In the one thread that writes decisions: never two at once in a process."""
    return await asyncio.get_running_loop().run_in_executor(_THREAD, work, *words)
