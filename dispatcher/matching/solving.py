"""Solves in processes that can be killed: a slow, wrong or crashing solver never stops the matcher (P7).

A plan that does not come in time, or at all, is made again here by the checked greedy. The search for what
would match a request runs there, too: beside imminent work it would hold the interpreter for milliseconds.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures import TimeoutError as LateError
from typing import Any, TypeVar

import structlog
from pebble import CONSTS, ProcessExpired, ProcessPool

from contracts.unmatched import Unmatched
from dispatcher.matching.child import nothing, plan_again, pose_ahead, relax, solve_job, warm_up
from dispatcher.matching.job import Job
from dispatcher.matching.parts import Ask, heard, nobody
from dispatcher.matching.solvers import Settled, Whose
from dispatcher.runtime import traces
from solvers.found import Found, planned_beside
from solvers.planning import BatchPlan, plan
from solvers.screening import Screening

LEAST_SOLVE_S = 0.1
GRACE_S = 2.0  # beyond the optimiser's limit: screening, transport, checking, a busy machine …
RELAX_LIMIT_S, WARM_LIMIT_S = 10.0, 30.0
PAIRS_PER_S = 100_000  # … and this many (request, vendor) pairs a second
CONSTS.term_timeout, CONSTS.sleep_unit = 0.2, 0.05  # pebble's own would make a limit of 2 s take 5 s
_PRELOAD = (
    "solvers.planning",
    "solvers.assignment.solve",
    "solvers.assignment.exact",
    "solvers.assignment.prover",
    "dispatcher.matching.child",
    "dispatcher.matching.effects",
    "dispatcher.matching.shadow_child",
    "dispatcher.what_if.child",
)
log = structlog.get_logger()


Entry = Callable[..., BatchPlan]
Result = TypeVar("Result")


class _Failed(Exception):
    """A solver process gave nothing."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(reason)
        self.facts = {"reason": reason, "detail": detail}


class SolverPool:
    """A few warm solver processes. `entry` runs in them; tests give one that sleeps or dies."""

    def __init__(
        self,
        processes: int = 1,
        entry: Entry | None = None,
        workers: int | None = None,
        imminent: Callable[[], bool] = lambda: False,
    ) -> None:
        """`imminent`: whether imminent requests come now; a solve that begins then leaves them a core."""
        self.processes = processes
        self.entry = entry or solve_job
        self.workers, self._imminent = workers or os.cpu_count() or 1, imminent
        self._pool = _start(processes)
        self.at_work = 0  # jobs that are solved or wait for a process: what is less pressing waits meanwhile

    def busy(self) -> bool:
        """Whether anything is solved, or waits for it."""
        return self.at_work > 0

    def threads(self) -> int:
        """Of a solve that begins now: two threads on two cores hold up who serves, at whatever priority."""
        return max(1, self.workers - 1) if self._imminent() else self.workers

    async def warm(self) -> None:
        """Start the processes and their imports now, so that no request waits for them.

        One that dies meanwhile, or what it is forked from, ends nobody: the next job starts another.
        """
        try:
            await self._done(WARM_LIMIT_S, nothing)
        except _Failed as failure:
            log.warning("solvers_not_warm", **failure.facts)

    async def plan(
        self,
        screening: Screening,
        most_s: float = 3600.0,
        whose: Whose | None = None,
        settled: Settled | None = None,
    ) -> BatchPlan:
        """A checked plan: the optimiser's, or the greedy's when that is late, breaks or breaks a rule."""
        job = Job.of(screening, max(most_s, LEAST_SOLVE_S), self.threads())
        if settled is not None and job.parts > 1:
            return await self.in_parts(job, settled)
        made = await self._optimised(job)
        return made if made is not None else await asyncio.to_thread(plan, screening)

    async def in_parts(
        self, job: Job, settled: Settled | None, ask: Ask = nobody, at_once: int = 0
    ) -> BatchPlan:
        """As `plan`; so many parts at once are asked of others. What was told as settled is in the plan."""
        told = list[BatchPlan]()

        async def noted(part: BatchPlan) -> None:
            if settled is not None:
                told.append(part)
                await settled(part)

        async with heard(noted, ask) as parts:
            made = await self._optimised(job, parts, *([at_once] if at_once else ()))
        return made if made is not None else await asyncio.to_thread(_beside, job, told)

    async def _optimised(self, job: Job, *words: object) -> BatchPlan | None:
        """None: it was late, broke, or broke a rule."""
        limit_s, requests = budget_s(job) + GRACE_S, job.screening.requests
        try:
            with traces.part("solve", dispatcher__requests=requests, dispatcher__limit_s=job.time_limit_s):
                return await self._done(limit_s, self.entry, job, *words)
        except _Failed as failure:
            log.warning("solver_fallback", **failure.facts, requests=requests)
            return None

    async def ahead(self, screening: Screening, digest: str) -> None:
        """Begin with what `again` needs, while others look for the plan; nothing rests on it."""
        with contextlib.suppress(_Failed):
            pairs_s = screening.requests * screening.vendors / PAIRS_PER_S
            await self._done(GRACE_S + pairs_s, pose_ahead, screening, digest)

    async def again(self, job: Job, found: Found) -> BatchPlan | None:
        """The whole of a plan whose places were found elsewhere; None: it is none, or breaks a rule."""
        pairs_s = job.screening.requests * job.screening.vendors / PAIRS_PER_S
        try:
            return await self._done(GRACE_S + pairs_s, plan_again, job, found)
        except _Failed as failure:
            log.warning("found_plan_refused", **failure.facts, requests=job.screening.requests)
            return None

    async def relax(
        self, screening: Screening, vendors: Sequence[str], whys: Sequence[Unmatched]
    ) -> Sequence[Unmatched]:
        """The reasons of the screening's requests with the smallest changes; as they are when that fails."""
        try:
            return await self._done(RELAX_LIMIT_S, relax, screening, vendors, whys)
        except _Failed as failure:
            log.warning("relaxations_left_out", **failure.facts, requests=screening.requests)
            return whys

    async def _done(self, limit_s: float, entry: Callable[..., Result], *words: object) -> Result:
        """What `entry` gives in a solver process within the limit. Raises _Failed."""
        self.at_work += 1
        try:
            future = self._running().schedule(entry, args=words, timeout=limit_s)
            return await asyncio.wait_for(asyncio.wrap_future(future), limit_s + GRACE_S)
        except (TimeoutError, LateError) as error:
            raise _Failed("late", repr(error)) from error
        except ProcessExpired as error:
            raise _Failed("crashed", f"exit code {error.exitcode}") from error
        except Exception as error:  # whatever it is that a rule or the optimiser raises there
            raise _Failed("failed", repr(error)) from error
        finally:
            self.at_work -= 1

    def _running(self) -> ProcessPool:
        """The pool, or a new one: pebble gives a pool up when its processes die while work waits."""
        if not self._pool.active:
            broken, self._pool = self._pool, _start(self.processes)
            log.warning("solver_pool_replaced")
            _end(broken)
        return self._pool

    @property
    def pids(self) -> Sequence[int]:
        """Process ids of the running solvers."""
        workers: Any = self._pool._pool_manager.worker_manager.workers
        return tuple(workers)

    async def aclose(self) -> None:
        """End the processes, busy or not."""
        await asyncio.to_thread(_end, self._pool)


def _beside(job: Job, told: Sequence[BatchPlan]) -> BatchPlan:
    """What was told as settled, and the others by the greedy; by it all, where they do not go together."""
    try:
        return planned_beside(job.screening, told, job.limits)
    except ValueError as error:  # what was told rested on moves that were never told
        log.warning("settled_not_in_plan", reason=str(error), parts=len(told))
        return plan(job.screening)


def budget_s(job: Job) -> float:
    """Real seconds that a solve may take, with its screening and checking."""
    return job.time_limit_s + job.screening.requests * job.screening.vendors / PAIRS_PER_S


def _start(processes: int) -> ProcessPool:
    """Forked from a server that has imported the optimiser and nothing of the matcher's memory."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(_PRELOAD))
    return ProcessPool(max_workers=processes, initializer=warm_up, context=context)


def _end(pool: ProcessPool) -> None:
    pool.stop()  # type: ignore[no-untyped-call]
    pool.join()
