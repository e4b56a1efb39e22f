"""Insert one request into a standing plan: the best that fits, or better when a neighbour steps aside."""

from __future__ import annotations

from functools import partial

import numpy as np

from solvers.insertion.chain import step_aside_twice
from solvers.insertion.columns import COST, UNITS, VENDOR, Entry, Insertion
from solvers.insertion.direct import locate, shortfall_saved, tightest
from solvers.insertion.eject import Wish, look_aside, step_aside
from solvers.insertion.plan import StandingPlan


def insert(
    plan: StandingPlan,
    entry: Entry,
    *,
    polish: bool = True,
    effort: int = 24,
    most_moves: int = 2,
) -> Insertion | None:
    """The cheapest place for `entry`, or None when none fits or every place costs more than its penalty.

    Pure: the plan is read only; `plan.apply` makes it so. Cost is the column's, less a
    fair-share shortfall it fills. With `polish`, up to `effort`
    columns that do not fit, but would cost less than the best that does, are tried with one movable neighbour
    stepping aside, if that is cheaper over all; where there is no place even so, with two (`most_moves`).
    Nobody is moved only because that neighbour could be better off, which is the next batch's business: not
    for a column that has room as it is, nor for one that the request by itself would not be worth.
    """
    if not len(entry.columns):
        return None
    wish, best = _look(plan, entry, effort)
    aside = look_aside(plan, wish) if polish else None
    found = step_aside(plan, wish, aside) if aside is not None else None
    if found is None and best is not None:
        cost = entry.columns.table[COST, best] - shortfall_saved(plan, entry.columns.table[VENDOR, best])
        return Insertion(entry, best, (), int(cost), plan.version)
    if found is None and aside is not None and most_moves > 1:
        again = partial(insert, effort=effort // 6 + 1, most_moves=1)
        return step_aside_twice(plan, wish, aside, again)
    return found


def _look(plan: StandingPlan, entry: Entry, effort: int) -> tuple[Wish, int | None]:
    """What fits as the plan stands, and the best of it."""
    table = entry.columns.table
    located, cents = locate(plan, table), table[COST] - shortfall_saved(plan, table[VENDOR])
    fits = (tightest(plan, table, located) >= table[UNITS]) & (plan.vendor_room[table[VENDOR]] > 0)
    most = np.inf if entry.penalty_cents is None else entry.penalty_cents
    fitting = np.flatnonzero(fits & (cents <= most))
    best = int(fitting[cents[fitting].argmin()]) if len(fitting) else None
    limit = np.inf if best is None else float(cents[best])
    return Wish(entry, located, fits, cents, limit, most, effort), best
