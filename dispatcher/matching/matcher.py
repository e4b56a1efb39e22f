"""The loop of one market: own it by lease and fence, and do an owner's work until the lease is lost."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from functools import partial

import structlog

from dispatcher.domain.refusals import Unavailable
from dispatcher.matching.arrivals import Arrivals
from dispatcher.matching.batches import run_batches
from dispatcher.matching.commits import Ownership
from dispatcher.matching.explanations import explain
from dispatcher.matching.faults import FenceLost
from dispatcher.matching.fitting import give_back, take_over
from dispatcher.matching.looking import Looking
from dispatcher.matching.market import Market
from dispatcher.matching.progress import Progress
from dispatcher.matching.share import Share
from dispatcher.matching.solvers import Solvers
from dispatcher.matching.trying_again import read_changed, try_left, try_unmatched
from dispatcher.runtime.cancellation import cancel_requested
from dispatcher.runtime.rounds import until_one_ends
from dispatcher.service.execute import Executor
from dispatcher.service.loops import Troubles
from dispatcher.service.measures import LEASES

LEASE_MS = 6_000  # real time; renewed three times as often
PAUSE_S, LONGEST_PAUSE_S = 0.1, 5.0
log = structlog.get_logger()


@dataclass(eq=False)
class Matcher:
    """Owns a market as long as it can renew the lease; every commit carries the fence it was given."""

    market: Market
    executor: Executor
    solvers: Solvers
    owner: str
    share: Share | None = None  #: of the markets; without one it takes what it can
    troubles: Troubles | None = None  #: who hears of a failure
    arrivals: Arrivals = field(default_factory=Arrivals)  #: who hears how fast requests come

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
        progress = Progress(own, self.market, self.arrivals)
        progress.work.set()
        looking = Looking(progress)
        works = [self._keep_lease(), looking.watch(), looking.look_around(), read_changed(progress)]
        works += [run_batches(progress, self.solvers, self.troubles), self._explain(progress)]
        works += [try_left(progress), try_unmatched(progress)]
        works += [self.share.until_let_go(self.market.name)] if self.share is not None else []
        await until_one_ends(*works)

    async def _keep_lease(self) -> None:
        while not cancel_requested():
            await asyncio.sleep(LEASE_MS / 3000)
            if not await self.market.stored.lease.renew(self.owner, LEASE_MS):
                raise FenceLost(f"the lease of market {self.market.name} was lost")

    async def _explain(self, progress: Progress) -> None:
        while not cancel_requested():
            await explain(progress.own, self.market, self.solvers, await progress.unexplained.get())
