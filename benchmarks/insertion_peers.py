"""What else one could reach for to insert one request: a plain Python loop, CP-SAT on the neighbourhood."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from ortools.sat.python import cp_model

from solvers.arrays import Ints
from solvers.insertion import Booking, Entry, Insertion, Move, StandingPlan
from solvers.insertion.columns import COST, DURATION, RESOURCE, START, UNITS, VENDOR


def by_plain_python(plan: StandingPlan, entry: Entry) -> Insertion | None:
    """Columns in order of cost; the first that fits. What an engineer writes in five minutes."""
    columns = sorted(
        zip(*entry.columns.table.tolist(), range(len(entry.columns)), strict=True), key=lambda c: c[5]
    )
    for vendor, resource, start, duration, units, cost, column in columns:
        if entry.penalty_cents is not None and cost > entry.penalty_cents:
            return None
        free = all(plan.left[vendor, resource, bucket] >= units for bucket in range(start, start + duration))
        if free and plan.vendor_room[vendor] > 0:
            saved = plan.shortfall_cents if plan.wanted[vendor] > 0 else 0
            return Insertion(entry, column, (), cost - saved, plan.version)
    return None


@dataclass(frozen=True, slots=True, eq=False)
class Neighbourhood:
    """The request (owner 0) and its neighbours (owners 1...), all their columns in one table (6 x n)."""

    bookings: list[Booking]
    table: Ints
    owner: Ints  #: n
    held: Ints  #: for each neighbour, the column of the table it holds


def by_cpsat(plan: StandingPlan, entry: Entry, seed: int, limit_s: float = 2.0) -> Insertion | None:
    """Re-solve the request with every movable booking that meets one of its columns; all others stand."""
    near = _neighbourhood(plan, entry)
    model = cp_model.CpModel()
    chosen = [model.new_bool_var("") for _ in near.owner]
    for owner in range(len(near.bookings) + 1):
        mine = [chosen[column] for column in np.flatnonzero(near.owner == owner)]
        model.add_exactly_one(mine) if owner else model.add_at_most_one(mine)
    _limit_capacity(plan, model, near, chosen)
    cents = near.table[COST] - np.where(near.owner == 0, entry.penalty_cents or 10**7, 0)
    cost = cp_model.LinearExpr.weighted_sum(chosen, cents.tolist())
    model.minimize(cost + plan.shortfall_cents * sum(_limit_counts(plan, model, near, chosen)))
    for column in near.held:
        model.add_hint(chosen[column], True)
    solver = cp_model.CpSolver()
    solver.parameters.random_seed, solver.parameters.num_workers = seed, 2
    solver.parameters.max_time_in_seconds = limit_s
    if solver.solve(model) not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return None
    taken = np.array([solver.boolean_value(variable) for variable in chosen])
    return _insertion(plan, entry, near, np.flatnonzero(taken))


def _neighbourhood(plan: StandingPlan, entry: Entry) -> Neighbourhood:
    bookings = _neighbours(plan, entry)
    tables = [entry.columns.table, *(booking.entry.columns.table for booking in bookings)]
    size = np.array([table.shape[1] for table in tables])
    first = size.cumsum() - size
    held = first[1:] + np.array([booking.column for booking in bookings], dtype=np.int64)
    return Neighbourhood(
        bookings, np.concatenate(tables, axis=1), np.repeat(np.arange(len(size)), size), held
    )


def _neighbours(plan: StandingPlan, entry: Entry) -> list[Booking]:
    """Movable bookings that share a vendor's pool and a bucket with some column of the request."""
    table, near = entry.columns.table, []
    for vendor in np.unique(table[VENDOR]).tolist():
        mine = table[:, table[VENDOR] == vendor]
        for booking in plan.of_vendor(vendor):
            _, resource, start, duration, _, _ = booking.taken
            meets = (mine[RESOURCE] == resource) & (mine[START] < start + duration)
            if booking.entry.movable and (meets & (start < mine[START] + mine[DURATION])).any():
                near.append(booking)
    return near


def _limit_capacity(
    plan: StandingPlan, model: cp_model.CpModel, near: Neighbourhood, chosen: list[cp_model.IntVar]
) -> None:
    """One row for each bucket that some column takes: what is left and what the neighbours hold now."""
    left = plan.left.copy()
    rows: dict[tuple[int, int, int], list[int]] = defaultdict(list)
    for column, (vendor, resource, start, duration, _, _) in enumerate(near.table.T.tolist()):
        for bucket in range(start, start + duration):
            rows[vendor, resource, bucket].append(column)
    for vendor, resource, start, duration, units, _ in near.table.T[near.held].tolist():
        left[vendor, resource, start : start + duration] += units
    for place, columns in rows.items():
        units = near.table[UNITS, columns]
        if units.sum() > left[place]:
            used = cp_model.LinearExpr.weighted_sum([chosen[column] for column in columns], units.tolist())
            model.add(used <= int(left[place]))


def _limit_counts(
    plan: StandingPlan, model: cp_model.CpModel, near: Neighbourhood, chosen: list[cp_model.IntVar]
) -> list[cp_model.IntVar]:
    """Vendors' caps as rows; their shortfalls below fair share as variables."""
    shortfalls = []
    now = np.bincount(near.table[VENDOR, near.held], minlength=len(plan.vendor_room))
    for vendor in np.unique(near.table[VENDOR]).tolist():
        count = sum(chosen[column] for column in np.flatnonzero(near.table[VENDOR] == vendor))
        model.add(count <= int(plan.vendor_room[vendor] + now[vendor]))
        wanted = int(plan.wanted[vendor] + now[vendor])
        if wanted > 0:
            shortfalls.append(model.new_int_var(0, wanted, ""))
            model.add(shortfalls[-1] >= wanted - count)
    return shortfalls


def _insertion(plan: StandingPlan, entry: Entry, near: Neighbourhood, taken: Ints) -> Insertion | None:
    after = dict(zip(near.owner[taken].tolist(), taken.tolist(), strict=True))
    if 0 not in after:
        return None
    moves, count = [], np.zeros(len(plan.wanted), np.int64)
    count[near.table[VENDOR, after[0]]] += 1
    cents = int(near.table[COST, after[0]])
    for owner, booking in enumerate(near.bookings, start=1):
        was, now = int(near.held[owner - 1]), after[owner]
        if was != now:
            moved = int(near.table[COST, now] - near.table[COST, was])
            first = was - booking.column
            moves.append(Move(booking.entry.key, booking.column, now - first, moved))
            cents += moved
            np.add.at(count, near.table[VENDOR, [now, was]], [1, -1])
    short = np.maximum(plan.wanted - count, 0).sum() - np.maximum(plan.wanted, 0).sum()
    return Insertion(entry, after[0], tuple(moves), cents + int(short) * plan.shortfall_cents, plan.version)
