"""Apply a change to a copy of what is left and ask the checker: it shares no code with insertion."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from solvers.assignment.problem import AssignmentProblem
from solvers.checker import check
from solvers.explain.reasons import Step, What
from solvers.insertion import Entry, Insertion, StandingPlan
from solvers.insertion.columns import COST, DURATION, RESOURCE, START, UNITS, VENDOR


def holds(plan: StandingPlan, found: Insertion, added: Sequence[Step] = ()) -> bool:
    """Whether the insertion with its moves is sound once the steps are added to what the plan has left."""
    capacity, room = np.maximum(plan.left, 0), np.maximum(plan.vendor_room, 0)
    for step in added:
        if step.what is What.UNITS:
            capacity[step.vendor, step.resource, step.bucket : step.bucket + step.buckets] += step.amount
        elif step.what is What.VENDOR_CAP:
            room[step.vendor] += step.amount
    moving = [plan[move.key] for move in found.moves]
    for vendor, resource, start, duration, units, _ in (booking.taken for booking in moving):
        capacity[vendor, resource, start : start + duration] += units
        room[vendor] += 1
    entries = [found.entry, *(booking.entry for booking in moving)]
    columns = [found.column, *(move.after for move in found.moves)]
    costs = [int(entry.columns.table[COST, column]) for entry, column in zip(entries, columns, strict=True)]
    problem, first = _small(entries, capacity, room)
    return check(problem, first + np.array(columns), claimed_cost=sum(costs)).ok


def _small(
    entries: list[Entry], capacity: np.ndarray, room: np.ndarray
) -> tuple[AssignmentProblem, np.ndarray]:
    """The requests concerned alone, in what is left; and where the columns of each begin."""
    table = np.concatenate([entry.columns.table for entry in entries], axis=1)
    size = np.array([len(entry.columns) for entry in entries])
    problem = AssignmentProblem(
        request_penalty=np.zeros(len(entries), np.int64),
        column_request=np.repeat(np.arange(len(entries)), size),
        column_vendor=table[VENDOR], column_resource=table[RESOURCE], column_start=table[START],
        column_duration=table[DURATION], column_units=table[UNITS], column_cost=table[COST],
        capacity=capacity, vendor_cap=room,
    )  # fmt: skip
    return problem, size.cumsum() - size
