"""A solve in a worker: opened, solved within its limits, and what was found sealed again."""

from __future__ import annotations

from dispatcher.matching.child import solve_job
from dispatcher.workers.jobs import found_bytes, job_of
from dispatcher.workers.parcels import RESULT
from dispatcher.workers.tasks import Task
from solvers.found import Found
from solvers.part import pack_part_plan, solve_part, unpack_part


def solve(task: Task, threads: int) -> None:
    """A whole batch, or a part of one. Raises NoParcel, NotSaved, ValueError."""
    solved = _whole(task, threads) if task.ref.part is None else _part(task, threads)
    task.answer(RESULT, solved)


def _whole(task: Task, threads: int) -> bytes:
    plan = solve_job(job_of(task.opened(), threads))
    if plan.digest != task.ref.digest:
        raise ValueError("what was asked is not what the task names")
    return found_bytes(Found.of(plan))


def _part(task: Task, threads: int) -> bytes:
    part = unpack_part(task.opened())
    if part.number != task.ref.part:
        raise ValueError("what was asked is not the part that the task names")
    return pack_part_plan(solve_part(part, threads), part)
