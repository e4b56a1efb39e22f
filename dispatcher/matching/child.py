"""What runs in a solver process. It knows arrays and limits, and imports no part of the service's I/O."""

from __future__ import annotations

import os
import signal
import warnings
from collections.abc import Sequence
from functools import partial

import numpy as np

from contracts.unmatched import Unmatched
from dispatcher.matching.job import Job
from dispatcher.matching.relaxations import with_relaxations
from solvers.arrays import Ints
from solvers.assignment.problem import AssignmentProblem
from solvers.planning import BatchPlan, plan
from solvers.screening import Screening

NICE = 10  # a solver takes all the time it is given: intake and imminent work come first on a busy machine


def solve_job(job: Job) -> BatchPlan:
    """Screen, solve within the limits, check."""
    solver = partial(
        _optimise,
        time_limit_s=job.time_limit_s,
        work_limit=job.work_limit,
        seed=job.seed,
        workers=job.workers,
    )
    return plan(job.screening, solver)


def relax(screening: Screening, vendors: Sequence[str], whys: Sequence[Unmatched]) -> list[Unmatched]:
    """The reasons of a screening's requests, each with the smallest changes that would match it."""
    return [with_relaxations(why, vendors, screening, row) for row, why in enumerate(whys)]


def _optimise(
    problem: AssignmentProblem, *, time_limit_s: float, work_limit: int | None, seed: int, workers: int
) -> Ints:
    from solvers.assignment.solve import solve  # noqa: PLC0415  (OR-Tools: 94 MB that the matcher can do without)

    found = solve(problem, time_limit_s=time_limit_s, seed=seed, workers=workers, work_limit=work_limit)
    for why in getattr(found, "lacking", ()):  # another solver has its own result, and need not know of any
        warnings.warn(f"planned without an engine, less well than it could be: {why}", stacklevel=2)
    return found.choice


def warm_up() -> None:
    """Load the optimiser and let it solve once. Ctrl-C is for the matcher, which then ends this process."""
    from solvers.assignment.solve import solve  # noqa: PLC0415

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(NICE)
    one = np.ones(1, np.int64)
    zero = np.zeros(1, np.int64)
    tiny = AssignmentProblem(one, zero, zero, zero, zero, one, one, zero, np.ones((1, 1, 1), np.int64))
    solve(tiny, time_limit_s=0.1, workers=1)


def nothing() -> None:
    """A job that only needs a process to be there."""
