"""The loop of one market: own it by lease and fence; imminent requests on every wake, the rest in batches.

Who is left without a vendor by what was last read waits for a reading of all beside those that come: they do
not wait for that.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import partial

import structlog

from dispatcher.domain.refusals import Unavailable
from dispatcher.matching.arrivals import Arrivals
from dispatcher.matching.batch import GAP, INTERVAL, SETTLE
from dispatcher.matching.commits import Done, FenceLost, Ownership
from dispatcher.matching.explanations import explain
from dispatcher.matching.fitting import fitting_batch, give_back, take_over
from dispatcher.matching.imminent import match_imminent
from dispatcher.matching.market import Market
from dispatcher.matching.reading import Reading
from dispatcher.matching.share import Share
from dispatcher.matching.solvers import Solvers
from dispatcher.runtime.cancellation import cancel_requested
from dispatcher.runtime.rounds import in_parts, together, until_one_ends
from dispatcher.service.execute import Executor
from dispatcher.service.loops import Troubles
from dispatcher.service.measures import LEASES
from dispatcher.store.changes import NAMED

LEASE_MS = 6_000  # real time; renewed three times as often
PAUSE_S, LONGEST_PAUSE_S = 0.1, 5.0
AHEAD = 2  # looks at what was hinted: one is planned while the store writes what the other takes
LOOK_S = 1.0  # a hint may be lost: look for new work at least this often, real time
log = structlog.get_logger()


@dataclass(eq=False)
class Matcher:
    """Owns a market as long as it can renew the lease; every commit carries the fence it was given."""

    market: Market
    executor: Executor
    solvers: Solvers
    owner: str
    share: Share | None = None  #: of the markets; without one it takes what it can
    seen: set[str] = field(default_factory=set)  #: open requests that were looked at
    begun: set[str] = field(default_factory=set)  #: of whom it was hinted, until they were looked at
    unmatched: set[str] = field(default_factory=set)  #: imminent ones without a vendor so far
    left: set[str] = field(default_factory=set)  #: of these, what is to be tried once more at once
    some_left: asyncio.Event = field(default_factory=asyncio.Event)
    left_by: Reading | None = None  #: what was known of vendors when the last of them was left
    changed: set[str] = field(default_factory=set)  #: vendors of whom it was hinted that they are others now
    some_changed: asyncio.Event = field(default_factory=asyncio.Event)
    unexplained: asyncio.Queue[Done] = field(default_factory=lambda: asyncio.Queue(2))
    work: asyncio.Event = field(default_factory=asyncio.Event)  #: something for the next batch
    more: asyncio.Event = field(default_factory=asyncio.Event)  #: more has come than hints named
    troubles: Troubles | None = None  #: who hears of a failure
    arrivals: Arrivals = field(default_factory=Arrivals)  #: who hears how fast requests come
    came_s: float = 0.0  #: by the loop's time, when the last did
    turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AHEAD))

    async def run(self) -> None:
        """Until cancelled. An error is logged and followed by a pause, then all starts over."""
        pause_s = PAUSE_S
        while not cancel_requested():
            try:
                pause_s = PAUSE_S if await self._own_for_a_while() else pause_s
            except (FenceLost, Unavailable) as error:
                self.executor.measures.count(self.market.name, LEASES, "lost")
                reason = str(error).partition("\n")[0]
                log.warning("matcher_interrupted", market=self.market.name, reason=reason)
            except (Exception, asyncio.CancelledError) as error:
                if cancel_requested():
                    raise  # else something that it waited for was cancelled: nobody told it to end
                log.exception("matcher_failed", market=self.market.name, restart_in_s=pause_s)
                if isinstance(error, MemoryError):  # of whatever is done beside a batch
                    self.market.requests.take_fewer()
                if self.troubles is not None:
                    await self.troubles.tell(error, pause_s)
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    async def _own_for_a_while(self) -> bool:
        """Acquire the lease and work until it is lost; False when another has it."""
        name = self.market.name
        try:
            fence = await self._acquire()
            if fence is None:
                await asyncio.sleep(LEASE_MS / 3000)
                return False
            log.info("market_owned", market=name, fence=fence)
            self.executor.measures.count(name, LEASES, "taken")
            await take_over(self.market)
            await self._work(Ownership(self.executor, fence))
        finally:  # also if we were told to end before the answer to `acquire` came: it may be ours
            try:
                await give_back(self.market, self.owner)
            finally:
                if self.share is not None:
                    self.share.drop(name)
        return True

    async def _acquire(self) -> str | None:
        """The fence; None if another has the market, or should."""
        lease, share, name = self.market.stored.lease, self.share, self.market.name
        acquire = partial(lease.acquire, self.owner, LEASE_MS)
        return await (acquire() if share is None else share.take(name, acquire, lease.owner))

    async def _work(self, own: Ownership) -> None:
        """All that an owner does, until one part of it fails."""
        for ids in (self.seen, self.begun, self.unmatched, self.left, self.changed):
            ids.clear()
        for event in (self.some_left, self.some_changed, self.more):
            event.clear()
        self.work.set()
        works = [self._keep_lease(), self._watch(own), self._look_around(own), self._batches(own)]
        works += [self._read_changed(), self._try_left(own), self._try_unmatched(own), self._explain(own)]
        works += [self.share.until_let_go(self.market.name)] if self.share is not None else []
        await until_one_ends(*works)

    async def _keep_lease(self) -> None:
        while not cancel_requested():
            await asyncio.sleep(LEASE_MS / 3000)
            if not await self.market.stored.lease.renew(self.owner, LEASE_MS):
                raise FenceLost(f"the lease of market {self.market.name} was lost")

    async def _watch(self, own: Ownership) -> None:
        """On a hint, the requests that it names."""
        async with self.market.stored.wake() as wake, together() as group:
            self.more.set()
            while not cancel_requested():
                hint = await wake.wait(LOOK_S)
                self.arrivals.note(len(hint.ids) + (NAMED if hint.look else 0))
                self.came_s = asyncio.get_running_loop().time() if hint else self.came_s
                self.seen -= set(hint.ids)
                self.market.requests.are_new(hint.ids)
                if hint.vendors:
                    self.changed |= set(hint.vendors)
                    self.some_changed.set()
                if hint.ids:
                    await self._begun(group, own, hint.ids)
                if hint.look:
                    self.more.set()
                if hint.look or (hint and (self.unmatched or self.left)):
                    self.work.set()

    async def _begun(self, group: asyncio.TaskGroup, own: Ownership, due: Sequence[str]) -> None:
        """Match them; back as soon as others may be planned: while the store writes what these take.

        No more than `AHEAD` at once: where the store is slow, those that come meanwhile share one plan.
        """
        under_way = asyncio.Event()

        def over(_: asyncio.Task[None] | None = None) -> None:
            self.turns.release()
            self.begun.difference_update(due)
            under_way.set()

        self.begun |= set(due)
        with self.market.at_hand(), contextlib.ExitStack() as turn:  # from now on, not from its first step on
            await self.turns.acquire()
            turn.callback(over)  # should it not begin: the group ends, or memory is full
            group.create_task(self._match(own, due, under_way.set)).add_done_callback(over)
            turn.pop_all()
            await under_way.wait()

    async def _read_changed(self) -> None:
        """Vendors that are others now are read anew beside what comes, and not only once a batch begins.

        One that posted something by itself, else all: they are read a third of the time at the most.
        """
        while not cancel_requested():
            await self.some_changed.wait()
            await self.market.no_imminent_work.wait()
            self.some_changed.clear()
            changed, began_s = sorted(self.changed), time.monotonic()
            self.changed.clear()
            if not await self.market.renew(changed):
                await self.market.refresh(lightly=True)
                self.work.set()
            elif self.seen:  # somebody waits for a vendor
                self.work.set()
            await asyncio.sleep(2 * (time.monotonic() - began_s))

    async def _look_around(self, own: Ownership) -> None:
        """All that was not looked at yet, beside what hints name: where it is told, and now and then."""
        await self.more.wait()
        looked_s = -LOOK_S
        while not cancel_requested():
            self.more.clear()
            again = time.monotonic() - looked_s >= LOOK_S
            looked_s = time.monotonic() if again else looked_s
            await self._look(own, afresh=again)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.more.wait(), LOOK_S)

    async def _look(self, own: Ownership, *, afresh: bool) -> None:
        """Look at all that is open; `afresh`: also whether the tuning is another.

        Imminent requests are not to wait for a batch to see it, nor a canary's hours to begin.
        """
        if afresh and (reading := self.market.reading) is not None:
            tuning = await self.executor.markets.tuning(self.market.name)
            if tuning.version != reading.tuning.version:
                await self.market.refresh()
        ids = await self.market.requests.open_ids()
        self.seen &= set(ids)
        self.unmatched &= self.seen
        async for some in in_parts(self._new(ids), self.market.let_pass):
            await self._match(own, self._new(some))

    def _new(self, ids: Sequence[str]) -> list[str]:
        """Without those that were looked at, or are: who is being offered is open until that is written."""
        return [each for each in ids if each not in self.seen and each not in self.begun]

    async def _match(
        self, own: Ownership, due: Sequence[str], under_way: Callable[[], None] = lambda: None
    ) -> None:
        """Match the imminent ones of `due`, as far as what was last read has vendors for them.

        `under_way`: see `match_imminent`.
        """
        known, left = self.market.reading, set[str]()
        with self.market.at_hand(), self.arrivals.at_hand():
            done = await match_imminent(own, self.market, due, left=left, under_way=under_way)
        if left:
            self.left |= left
            self.left_by = known
            self.some_left.set()
        if done.tried or left:
            self.market.imminent_s = time.monotonic()
        self._note(due, done)
        self.market.give_turn()

    async def _try_left(self, own: Ownership) -> None:
        """What was left without a vendor, once more at once; vendors are read first unless they just were."""
        while not cancel_requested():
            await self.some_left.wait()
            await self.market.no_imminent_work.wait()
            self.some_left.clear()
            due, afresh = sorted(self.left), self.market.reading is self.left_by
            self.left.clear()
            self._note(due, await match_imminent(own, self.market, due, afresh=afresh))

    async def _try_unmatched(self, own: Ownership) -> None:
        """All that have none so far, now and then."""
        while not cancel_requested():
            await asyncio.sleep(LOOK_S)
            await self.market.no_imminent_work.wait()
            if due := sorted(self.unmatched):
                self._note(due, await match_imminent(own, self.market, due, afresh=True))

    def _note(self, due: Collection[str], done: Done) -> None:
        """What became of them; an offered request that comes back will be looked at again."""
        self.arrivals.offered(len(done.offered))
        self.seen = (self.seen | set(due)) - done.offered
        self.unmatched = (self.unmatched | done.tried) & self.seen
        again = done.outdated & (done.offered | self.left)  # that was planned since, or is at once
        if done.deferred or done.fell_out > len(again):
            self.work.set()
        self._explain_later(done)

    async def _batches(self, own: Ownership) -> None:
        """A batch when there is work for one, and at the interval."""
        while not cancel_requested():
            values, clock = self.market.values, self.market.clock
            interval_s, gap_s = clock.real_s(float(INTERVAL.of(values))), float(GAP.of(values))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.work.wait(), max(interval_s, gap_s))
            await self._settled(float(SETTLE.of(values)), interval_s)
            self.work.clear()
            done = await fitting_batch(own, self.market, self.solvers)
            if self.troubles is not None:
                await self.troubles.end()
            if done.outdated or (done.fell_out and done.offered) or self.market.requests.untried:
                self.work.set()
            self._explain_later(done)
            await asyncio.sleep(gap_s)

    async def _settled(self, calm_s: float, most_s: float) -> None:
        """Until no request came for `calm_s`: what comes together is planned together. `most_s` at most."""
        now_s = asyncio.get_running_loop().time
        end_s = now_s() + most_s
        while (left_s := min(self.came_s + calm_s, end_s) - now_s()) > 0:  # noqa: ASYNC110 - calm is no event
            await asyncio.sleep(left_s)

    def _explain_later(self, done: Done) -> None:
        """Have it explained, unless explaining lags behind: what still lacks a vendor comes again."""
        if len(done.offered) < len(done.tried) and not self.unexplained.full():
            self.unexplained.put_nowait(done)

    async def _explain(self, own: Ownership) -> None:
        while not cancel_requested():
            await explain(own, self.market, self.solvers, await self.unexplained.get())
