"""The matcher's solvers where there are workers: they first, else the local pool, and every plan is checked.

A plan that comes back is places alone; the whole of it is made, and checked, by a local process. A batch that
is solved in parts stays here: its parts go to workers, as many at once as have nothing to do.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from contracts.unmatched import Unmatched
from dispatcher.matching.elsewhere import Asked
from dispatcher.matching.job import Job
from dispatcher.matching.solvers import Settled, Whose
from dispatcher.matching.solving import LEAST_SOLVE_S, SolverPool, budget_s
from dispatcher.runtime import traces
from dispatcher.workers.broker import Ref
from dispatcher.workers.errands import Desk, NotDone
from dispatcher.workers.jobs import found_of, job_bytes
from dispatcher.workers.kinds import OVER_S
from solvers.planning import BatchPlan, digest
from solvers.saved import NotSaved
from solvers.screening import Screening

log = structlog.get_logger()
LARGE: Final = 20_000  #: requests times vendors
WAITS_S: Final = OVER_S + 1.0  #: beyond the budget, from when a worker may begin
PART_WAITS_S: Final = 1.0  #: the same of a part: the others wait for it
WORKER, HERE = "worker", "here"  # where a batch was solved


class SharedSolvers:
    """See `Solvers`."""

    def __init__(
        self, local: SolverPool, desk: Desk, count: Callable[[str, str], None] = lambda market, place: None
    ) -> None:
        """`count`: told of each batch of a market, where it was solved."""
        self.local, self.desk, self.count = local, desk, count
        self.elsewhere, self.parts = 0, 0  # plans, and parts of plans, that workers found

    async def plan(
        self,
        screening: Screening,
        most_s: float = 3600.0,
        whose: Whose | None = None,
        settled: Settled | None = None,
    ) -> BatchPlan:
        """A checked plan: a worker's, as a whole; else the local pool's in what time is left."""
        began_s = time.monotonic()
        if whose is not None and self.desk.living.workers:
            job = Job.of(screening, max(most_s, LEAST_SOLVE_S), self.local.workers)
            if job.parts > 1:
                return await self._in_parts(job, whose, settled)
            try:
                made = await self._elsewhere(job, whose)
                self.count(whose.market, WORKER)
                return made
            except (NotDone, NotSaved) as why:
                log.warning("solved_here", market=whose.market, reason=str(why))
        if whose is not None:
            self.count(whose.market, HERE)
        left_s = most_s - (time.monotonic() - began_s)
        return await self.local.plan(screening, max(left_s, LEAST_SOLVE_S), settled=settled)

    async def _in_parts(self, job: Job, whose: Whose, settled: Settled | None) -> BatchPlan:
        """By a local process, which has workers do parts."""
        named = await self.desk.threads.call(digest, job.screening)
        parts = _Parts(self.desk, Ref(whose.market, named, whose.fence))
        with self.desk.living.promised() as at_once:
            made = await self.local.in_parts(job, settled, parts.ask, at_once)
        self.parts += parts.solved
        self.count(whose.market, WORKER if parts.solved else HERE)
        return made

    async def _elsewhere(self, job: Job, whose: Whose) -> BatchPlan:
        """Raises NotDone, NotSaved."""
        screening, budget = job.screening, budget_s(job)
        if budget > self.desk.broker.kind.most_s:
            raise NotDone(
                f"it may take {budget:.0f} s, and workers take what needs no more than "
                f"{self.desk.broker.kind.most_s:.0f} s"
            )
        call = self.desk.threads.call
        named = await call(digest, screening)
        with traces.part("solve", dispatcher__requests=screening.requests, dispatcher__limit_s=budget):
            packed = await call(job_bytes, job)
            until_s = time.monotonic() + budget + self.desk.start_s + WAITS_S
            ref = Ref(whose.market, named, whose.fence)
            ahead = self._ahead(screening, named)
            try:
                result = await self.desk.asked(ref, packed, budget, until_s=until_s)
            except NotDone:
                await ahead  # the local process is to be free
                raise
        found = found_of(result)
        if found.digest != named:
            raise NotDone("a plan of something else came")
        made = await self.local.again(job, found)
        if made is None:
            raise NotDone("a plan was refused")
        self.elsewhere += 1
        return made

    def _ahead(self, screening: Screening, named: str) -> asyncio.Future[None]:
        """Of a large batch: what checking it begins with. Of a small one that is done when it comes."""
        if screening.requests * screening.vendors < LARGE:
            return asyncio.ensure_future(asyncio.sleep(0))
        return asyncio.ensure_future(self.local.ahead(screening, named))

    async def relax(
        self, screening: Screening, vendors: Sequence[str], whys: Sequence[Unmatched]
    ) -> Sequence[Unmatched]:
        """The local pool's: it takes milliseconds."""
        return await self.local.relax(screening, vendors, whys)


@dataclass(eq=False)
class _Parts:
    """Parts of one batch, asked of workers."""

    desk: Desk
    ref: Ref
    solved: int = 0

    async def ask(self, asked: Asked) -> bytes | None:
        """The plan of a part, packed; None: no worker made one in its time, however long the broker hangs."""
        ref, most_s = self.ref.of_part(asked.number), asked.time_limit_s + PART_WAITS_S
        until_s = time.monotonic() + most_s
        try:
            async with asyncio.timeout(most_s):
                found = await self.desk.asked(ref, asked.packed, asked.time_limit_s, until_s=until_s)
        except (NotDone, TimeoutError) as why:
            log.warning("part_solved_here", part=str(ref), reason=str(why) or "it is late")
            return None
        self.solved += 1
        return found
