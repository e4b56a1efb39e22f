"""A solve in a worker: opened, solved within its limits, and the places that it found sealed again."""

from __future__ import annotations

from dispatcher.matching.child import solve_job
from dispatcher.workers.jobs import found_bytes, job_of
from dispatcher.workers.parcels import RESULT
from dispatcher.workers.tasks import Task
from solvers.found import Found


def solve(task: Task, threads: int) -> None:
    """Raises NoParcel, NotSaved, ValueError."""
    plan = solve_job(job_of(task.opened(), threads))
    if plan.digest != task.ref.digest:
        raise ValueError("what was asked is not what the task names")
    task.answer(RESULT, found_bytes(Found.of(plan)))
