"""Which of a request's columns fit into what is left."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solvers.arrays import Flags, Ints
from solvers.insertion.columns import DURATION, RESOURCE, START, VENDOR
from solvers.insertion.plan import StandingPlan


@dataclass(frozen=True, slots=True, eq=False)
class Located:
    """The columns of a table (6 x n) as a plan sees them."""

    row: Ints  #: n; vendor and resource as one index
    inside: Flags  #: n; within the plan's buckets


def locate(plan: StandingPlan, table: Ints) -> Located:
    """Where the plan's arrays have the columns."""
    row = table[VENDOR] * plan.left.shape[1] + table[RESOURCE]
    return Located(row, (table[START] >= 0) & (table[START] + table[DURATION] <= plan.left.shape[2]))


def shortfall_saved(plan: StandingPlan, vendor: Ints) -> Ints:
    """Cents saved by one more request at a vendor short of its fair share."""
    return np.where(plan.wanted[vendor] > 0, plan.shortfall_cents, 0)


def tightest(plan: StandingPlan, table: Ints, located: Located) -> Ints:
    """n; the fewest units left in any bucket of each column; -1 outside the plan's buckets."""
    bucket, within = buckets_of(plan, table)
    units = np.where(within, plan.rows[located.row[:, None], bucket], np.iinfo(np.int64).max)
    return np.where(located.inside, units.min(axis=1, initial=np.iinfo(np.int64).max), -1)


def buckets_of(plan: StandingPlan, table: Ints) -> tuple[Ints, Flags]:
    """n x longest duration: the buckets of each column (clipped to the plan's), and which are really its."""
    duration = table[DURATION]
    step = np.arange(min(int(duration.max(initial=1)), plan.left.shape[2]))
    bucket = table[START][:, None] + step
    return np.clip(bucket, 0, plan.left.shape[2] - 1), step < duration[:, None]
