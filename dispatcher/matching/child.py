"""What runs in a solver process. It knows arrays and limits, and imports no part of the service's I/O."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from multiprocessing.connection import Connection

import numpy as np

from contracts.unmatched import Unmatched
from dispatcher.matching.elsewhere import Line
from dispatcher.matching.job import Job
from dispatcher.matching.relaxations import with_relaxations
from dispatcher.runtime.parent_death import end_with_starter
from dispatcher.runtime.priority import leave_cores
from solvers.assignment.problem import AssignmentProblem
from solvers.found import Found, planned_again
from solvers.memory import share_one_arena
from solvers.optimiser import optimised
from solvers.planning import BatchPlan
from solvers.posing import Posed, pose
from solvers.screening import Screening

NICE = 10  # a solver takes all the time it is given: intake and imminent work come first on a busy machine


_posed: dict[str, Posed] = {}  #: the last, by its digest


def solve_job(job: Job, parts: Connection | None = None, at_once: int = 0) -> BatchPlan:
    """Screen, solve within the limits, check; what is settled before goes into `parts`.

    `at_once`: so many parts at once are solved by others, who are asked there, too.
    """
    _posed.clear()
    if parts is None:
        return optimised(job.screening, job.limits)
    with Line(parts, at_once) as line:
        return optimised(job.screening, job.limits, line.tell, line if at_once else None)


def pose_ahead(screening: Screening, digest: str) -> None:
    """What checking its plan begins with, while that is looked for elsewhere."""
    _posed.clear()
    _posed[digest] = pose(screening)


def plan_again(job: Job, found: Found) -> BatchPlan:
    """The whole plan of places that were found elsewhere, checked. Raises ValueError."""
    return planned_again(job.screening, found, job.limits, _posed.pop(found.digest, None))


def relax(screening: Screening, vendors: Sequence[str], whys: Sequence[Unmatched]) -> list[Unmatched]:
    """The reasons of a screening's requests, each with the smallest changes that would match it."""
    return [with_relaxations(why, vendors, screening, row) for row, why in enumerate(whys)]


def warm_up() -> None:
    """Load the optimiser and let it solve once. Ctrl-C is for the matcher, which then ends this process."""
    end_with_starter()  # a long solve would not notice that nobody waits for it
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    from solvers.assignment.solve import solve  # noqa: PLC0415

    leave_cores(NICE)
    share_one_arena()
    one = np.ones(1, np.int64)
    zero = np.zeros(1, np.int64)
    tiny = AssignmentProblem(one, zero, zero, zero, zero, one, one, zero, np.ones((1, 1, 1), np.int64))
    solve(tiny, time_limit_s=0.1, workers=1)


def nothing() -> None:
    """A job that only needs a process to be there."""
