"""A standing plan as an assignment problem: what the checker and a re-solve need."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np

from solvers.arrays import Ints
from solvers.assignment.problem import AssignmentProblem
from solvers.insertion.columns import COST, DURATION, FIELDS, RESOURCE, START, UNITS, VENDOR
from solvers.insertion.plan import Booking, StandingPlan


def as_problem(plan: StandingPlan) -> tuple[AssignmentProblem, Ints, list[Hashable]]:
    """The plan as a problem, its choice and the keys by request: for the checker and for a re-solve."""
    bookings = plan.bookings()
    capacity, cap, target = plan.left.copy(), plan.vendor_room.copy(), plan.wanted.copy()
    for booking in bookings:
        vendor, resource, start, duration, units, _ = booking.taken
        capacity[vendor, resource, start : start + duration] += units
        cap[vendor] += 1
        target[vendor] += 1
    sizes = [len(booking.entry.columns) for booking in bookings]
    tables = [np.zeros((len(FIELDS), 0), np.int64), *(each.entry.columns.table for each in bookings)]
    table = np.concatenate(tables, axis=1)
    problem = AssignmentProblem(
        request_penalty=np.array([_penalty(booking) for booking in bookings], dtype=np.int64),
        column_request=np.repeat(np.arange(len(bookings)), sizes),
        column_vendor=table[VENDOR], column_resource=table[RESOURCE], column_start=table[START],
        column_duration=table[DURATION], column_units=table[UNITS], column_cost=table[COST],
        capacity=capacity, vendor_cap=cap, vendor_target=np.maximum(target, 0),
        shortfall_cost=plan.shortfall_cents,
    )  # fmt: skip
    first = (np.cumsum(sizes, dtype=np.int64) - sizes).astype(np.int64)
    choice = first + np.array([booking.column for booking in bookings], dtype=np.int64)
    return problem, choice, [booking.entry.key for booking in bookings]


def _penalty(booking: Booking) -> int:
    """An entry that must be placed has no penalty of its own: more than any of its columns stands for it."""
    if booking.entry.penalty_cents is not None:
        return booking.entry.penalty_cents
    return 2 * max(1, int(np.abs(booking.entry.columns.table[COST]).max()))


def block(plan: StandingPlan, vendor: int, resource: int, start: int, duration: int, units: int = 1) -> None:
    """Take capacity away (a vehicle is out)."""
    plan.left[vendor, resource, start : start + duration] -= units
    plan.version += 1


def unblock(
    plan: StandingPlan, vendor: int, resource: int, start: int, duration: int, units: int = 1
) -> None:
    """Add capacity (the vehicle is back)."""
    block(plan, vendor, resource, start, duration, -units)
