"""Insert one request into a standing plan: the best that fits, or better when a neighbour steps aside."""

from __future__ import annotations

import numpy as np

from solvers.insertion.columns import COST, UNITS, VENDOR, Entry, Insertion
from solvers.insertion.direct import price, shortfall_saved, tightest
from solvers.insertion.eject import Wish, step_aside
from solvers.insertion.plan import StandingPlan


def insert(
    plan: StandingPlan, entry: Entry, *, polish: bool = True, price_weight: float = 1.0, effort: int = 24
) -> Insertion | None:
    """The cheapest place for `entry`, or None when none fits or every place costs more than its penalty.

    Pure: the plan is read only; `plan.apply` makes it so. Cost is the column's, plus `price_weight` times
    the price of the capacity it takes, less a fair-share shortfall it fills. With `polish`, up to `effort`
    columns that do not fit are tried with one movable neighbour stepping aside, if that is cheaper over all.
    """
    if not len(entry.columns):
        return None
    table = entry.columns.table
    priced = price(plan, table, price_weight)
    score = priced.score - shortfall_saved(plan, table[VENDOR])
    fits = (tightest(plan, table, priced) >= table[UNITS]) & (plan.vendor_room[table[VENDOR]] > 0)
    if entry.penalty_cents is not None:
        fits &= table[COST] - shortfall_saved(plan, table[VENDOR]) <= entry.penalty_cents
    fitting = np.flatnonzero(fits)
    best = int(fitting[score[fitting].argmin()]) if len(fitting) else -1
    if polish:
        limit = score[best] if best >= 0 else np.inf
        wish = Wish(entry, priced, fits, float(limit), price_weight, effort)
        better = step_aside(plan, wish)
        if better is not None:
            return better
    if best < 0:
        return None
    cents = int(table[COST, best] - shortfall_saved(plan, table[VENDOR, best : best + 1])[0])
    return Insertion(entry, best, (), cents, plan.version)
