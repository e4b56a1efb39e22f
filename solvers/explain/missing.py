"""What options lack in a standing plan: units in buckets, and room for one more request."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from solvers.arrays import Flags, Ints
from solvers.explain.reasons import Step, What
from solvers.insertion import StandingPlan
from solvers.insertion.columns import DURATION, RESOURCE, START, UNITS, VENDOR
from solvers.insertion.direct import buckets_of

FAR = 1 << 30  #: steps of an option outside the plan's buckets: nothing can be added there


@dataclass(frozen=True, slots=True)
class Short:
    """What one option lacks: units in each of its buckets, and requests that its vendor may not take."""

    units: list[int]
    room: int

    def steps(self, taken: Ints) -> tuple[Step, ...]:
        """The changes at the place `taken` (6) that make up for it."""
        vendor, resource, start = taken[[VENDOR, RESOURCE, START]].tolist()
        steps = [
            Step(
                What.UNITS,
                vendor,
                amount,
                "units",
                resource=resource,
                bucket=start + first,
                buckets=end - first,
            )
            for first, end, amount in _runs(self.units)
        ]
        if self.room > 0:
            steps.append(Step(What.VENDOR_CAP, vendor, self.room, "requests"))
        return tuple(steps)


@dataclass(frozen=True, slots=True, eq=False)
class Missing:
    """n options; what each lacks."""

    inside: Flags  #: n; within the plan's buckets
    steps: Ints  #: n; runs of equal shortage + 1 where the vendor has no room for one more
    total: Ints  #: n; units summed over buckets, + requests of room

    def of(self, plan: StandingPlan, table: Ints, option: int) -> tuple[Step, ...]:
        """The steps that one option needs."""
        vendor, resource, start, duration, units, _ = table[:, option].tolist()
        short = np.maximum(units - plan.left[vendor, resource, start : start + duration], 0).tolist()
        return Short(short, max(0, 1 - int(plan.vendor_room[vendor]))).steps(table[:, option])


def missing(plan: StandingPlan, table: Ints) -> Missing:
    """What each option (6 x n) lacks."""
    inside = (table[START] >= 0) & (table[START] + table[DURATION] <= plan.left.shape[2])
    bucket, within = buckets_of(plan, table)
    row = table[VENDOR] * plan.left.shape[1] + table[RESOURCE]
    short = np.where(within, np.maximum(table[UNITS][:, None] - plan.rows[row[:, None], bucket], 0), 0)
    room = np.maximum(1 - plan.vendor_room[table[VENDOR]], 0)
    return Missing(inside, np.where(inside, runs_of(short) + (room > 0), FAR), short.sum(axis=1) + room)


def runs_of(short: Ints) -> Ints:
    """n; how many stretches of equal shortage each row (n x buckets) has."""
    before = np.pad(short, ((0, 0), (1, 0)))[:, :-1]
    return np.asarray(((short > 0) & (short != before)).sum(axis=1))


def _runs(short: list[int]) -> list[tuple[int, int, int]]:
    """(first, end, amount) of each stretch of equal shortage."""
    edges = [at for at in range(len(short) + 1) if at in (0, len(short)) or short[at] != short[at - 1]]
    return [(first, end, short[first]) for first, end in pairwise(edges) if short[first]]
