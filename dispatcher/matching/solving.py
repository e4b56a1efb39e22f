"""Solves in processes that can be killed: a slow, wrong or crashing solver never stops the matcher (P7).

A plan that does not come in time, or at all, is made again here by the checked greedy.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures import TimeoutError as LateError
from dataclasses import dataclass
from typing import Any

import structlog
from pebble import CONSTS, ProcessExpired, ProcessPool

from contracts.tuning import Parameter
from solvers.planning import BatchPlan, plan
from solvers.screening import Screening

TIME_LIMIT = Parameter(
    name="solve_time_limit_s",
    default=3.0,
    minimum=0.05,
    maximum=120.0,
    unit="seconds",
    summary="Most real time that the optimiser may take for one batch.",
    scope="matching.solving",
)
WORK_LIMIT = Parameter(
    name="solve_work_limit",
    default=0,
    minimum=0,
    maximum=1_000_000_000,
    unit="steps",
    summary="Above 0 the optimiser ends by steps of work, on one core: same snapshot, same matches.",
    scope="matching.solving",
)
SEED = Parameter(
    name="solve_seed",
    default=1,
    minimum=0,
    maximum=2_147_483_647,
    unit="number",
    summary="Seed of the optimiser's random numbers.",
    scope="matching.solving",
)
PARAMETERS = (TIME_LIMIT, WORK_LIMIT, SEED)

GRACE_S = 2.0  # beyond the optimiser's limit: screening, transport, checking
CONSTS.term_timeout, CONSTS.sleep_unit = 0.2, 0.02  # pebble's own would make a limit of 2 s take 5 s
_PRELOAD = ("solvers.planning", "solvers.assignment.solve", "dispatcher.matching.child")
log = structlog.get_logger()


@dataclass(frozen=True)
class Job:
    """What goes to a solver process: arrays and limits, no messages."""

    screening: Screening
    time_limit_s: float
    work_limit: int | None
    seed: int
    workers: int

    @classmethod
    def of(cls, screening: Screening, most_s: float, workers: int) -> Job:
        """With the limits in force, and at most `most_s`."""
        values = screening.values
        work = WORK_LIMIT.whole(values) or None
        limit_s = min(float(TIME_LIMIT.of(values)), most_s)
        return cls(screening, limit_s, work, SEED.whole(values), 1 if work else workers)


Entry = Callable[[Job], BatchPlan]


class SolverPool:
    """A few warm solver processes. `entry` runs in them; tests give one that sleeps or dies."""

    def __init__(self, processes: int = 1, entry: Entry | None = None, workers: int | None = None) -> None:
        from dispatcher.matching.child import solve_job, warm_up  # noqa: PLC0415  (the child imports this file)

        self.entry = entry or solve_job
        self.workers = workers or os.cpu_count() or 1
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(list(_PRELOAD))
        self._pool = ProcessPool(max_workers=processes, initializer=warm_up, context=context)

    async def warm(self) -> None:
        """Start the processes and their imports now, so that no request waits for them."""
        from dispatcher.matching.child import nothing  # noqa: PLC0415

        await asyncio.wrap_future(self._pool.schedule(nothing))

    async def plan(self, screening: Screening, most_s: float = 3600.0) -> BatchPlan:
        """A checked plan: the optimiser's, or the greedy's when that is late, breaks or breaks a rule."""
        job = Job.of(screening, most_s, self.workers)
        limit_s = job.time_limit_s + GRACE_S + screening.requests * screening.vendors / 2e6
        future = self._pool.schedule(self.entry, args=(job,), timeout=limit_s)
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), limit_s + GRACE_S)
        except (TimeoutError, LateError) as error:
            reason, detail = "late", repr(error)
        except ProcessExpired as error:
            reason, detail = "crashed", f"exit code {error.exitcode}"
        except (ValueError, ArithmeticError, LookupError, RuntimeError, MemoryError, OSError) as error:
            reason, detail = "failed", repr(error)
        log.warning("solver_fallback", reason=reason, detail=detail, requests=screening.requests)
        return await asyncio.to_thread(plan, screening)

    @property
    def pids(self) -> Sequence[int]:
        """Process ids of the running solvers."""
        workers: Any = self._pool._pool_manager.worker_manager.workers
        return tuple(workers)

    async def aclose(self) -> None:
        """End the processes, busy or not."""
        self._pool.stop()  # type: ignore[no-untyped-call]
        await asyncio.to_thread(self._pool.join)
