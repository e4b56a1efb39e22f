"""Which of a request's columns fit into what is left, and what each would really cost."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solvers.arrays import Flags, Floats, Ints
from solvers.insertion.columns import COST, DURATION, RESOURCE, START, UNITS, VENDOR
from solvers.insertion.plan import StandingPlan


@dataclass(frozen=True, slots=True, eq=False)
class Priced:
    """The columns of a table (6 x n) as a plan sees them."""

    row: Ints  #: n; vendor and resource as one index
    inside: Flags  #: n; within the plan's buckets
    score: Floats  #: n; cents: cost + price of the capacity it takes


def price(plan: StandingPlan, table: Ints, weight: float) -> Priced:
    """Score columns: a cheap one that takes what others will need is not cheap."""
    row = table[VENDOR] * plan.left.shape[1] + table[RESOURCE]
    start, end = table[START], table[START] + table[DURATION]
    buckets = plan.left.shape[2]
    inside = (start >= 0) & (end <= buckets)
    if inside.all():
        taken = plan.price_sums[row, end] - plan.price_sums[row, start]
    else:
        taken = (
            plan.price_sums[row, np.clip(end, 0, buckets)] - plan.price_sums[row, np.clip(start, 0, buckets)]
        )
    return Priced(row, inside, table[COST] + weight * table[UNITS] * taken)


def shortfall_saved(plan: StandingPlan, vendor: Ints) -> Ints:
    """Cents saved by one more request at a vendor short of its fair share."""
    return np.where(plan.wanted[vendor] > 0, plan.shortfall_cents, 0)


def tightest(plan: StandingPlan, table: Ints, priced: Priced) -> Ints:
    """n; the fewest units left in any bucket of each column; -1 outside the plan's buckets."""
    bucket, within = buckets_of(plan, table)
    units = np.where(within, plan.rows[priced.row[:, None], bucket], np.iinfo(np.int64).max)
    return np.where(priced.inside, units.min(axis=1, initial=np.iinfo(np.int64).max), -1)


def buckets_of(plan: StandingPlan, table: Ints) -> tuple[Ints, Flags]:
    """n x longest duration: the buckets of each column (clipped to the plan's), and which are really its."""
    duration = table[DURATION]
    step = np.arange(min(int(duration.max(initial=1)), plan.left.shape[2]))
    bucket = table[START][:, None] + step
    return np.clip(bucket, 0, plan.left.shape[2] - 1), step < duration[:, None]
