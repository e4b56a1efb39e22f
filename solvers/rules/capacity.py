"""A unit of the pool is free over the whole work and the way to the next; the day's cap is not reached."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from contracts.capacity import LEDGER_BUCKET_MINUTES
from contracts.tuning import Number, Parameter
from solvers.arrays import Flags, Ints
from solvers.horizon import Horizon
from solvers.rules.base import Candidate, CandidateRule, Candidates, View
from solvers.screening import CLASS_INDEX, Supply

BUCKET = Parameter(
    name="bucket_minutes",
    default=5,
    minimum=5,
    maximum=60,
    unit="minutes",
    summary="Length of the optimiser's time buckets, in whole ledger buckets; longer is faster, but wastes.",
    scope="rules.capacity",
)
PARAMETERS = (BUCKET,)
UNITS = 1  #: a ride or a delivery takes one unit


class Capacity(CandidateRule):
    """Hard, and not to be relaxed. Each candidate by itself: the optimiser sees to all of them together."""

    code = "capacity"
    order = 70
    parameters = PARAMETERS

    def mask(self, view: View, candidates: Candidates) -> Flags:
        """(n)."""
        supply, horizon = view.screening.supply, view.screening.horizon
        day = horizon.day_of(candidates.start_ms)
        bit = view.facts.service_class[candidates.request]
        serves = supply.serves[candidates.vendor, candidates.pool, day] >> bit & 1 == 1
        free = serves & (supply.daily_left[candidates.vendor, candidates.pool, day] > 0)
        where = np.flatnonzero(free)
        free[where] = least_left(view, candidates, where) >= UNITS
        return np.asarray(free)

    def permits(self, one: Candidate) -> bool:
        """Whether every ledger bucket of the work has a unit left, and the day a dispatch."""
        first = one.horizon.first_bucket(one.start_ms)
        end = one.horizon.end_bucket(one.free_ms)
        left = one.pool_left[first:end]
        serves = one.pool_serves >> CLASS_INDEX[one.asked.request.service_class.value] & 1
        return bool(serves) and one.pool_daily_left > 0 and end - first == len(left) and min(left) >= UNITS


def ledger_buckets(values: Mapping[str, Number]) -> int:
    """How many ledger buckets make one of the optimiser's."""
    return max(1, round(BUCKET.of(values) / LEDGER_BUCKET_MINUTES))


def outward(
    horizon: Horizon, start_ms: Ints, end_ms: Ints, values: Mapping[str, Number]
) -> tuple[Ints, Ints]:
    """First and end ledger bucket of work, rounded outward to the optimiser's buckets, within the horizon."""
    factor = ledger_buckets(values)
    first = horizon.first_bucket(start_ms) // factor * factor
    end = horizon.end_bucket(end_ms)
    rounded = -(-end // factor) * factor
    return first, np.where(end <= horizon.buckets, np.minimum(rounded, horizon.buckets), rounded)


def least_left(view: View, candidates: Candidates, where: Ints) -> Ints:
    """Fewest units left over the ledger buckets of the candidates `where`; none beyond the days in view."""
    if not len(where):
        return where
    supply: Supply = view.screening.supply
    horizon = view.screening.horizon
    start = candidates.start_ms[where]
    first, end = outward(horizon, start, start + candidates.taken_ms[where], view.values)
    lasts = end - first
    row = candidates.vendor[where] * supply.left.shape[1] + candidates.pool[where]
    inside = first + lasts <= horizon.buckets
    begin, stop = int(first.min()), min(int(end.max()), horizon.buckets)
    level = supply.left[:, :, begin:stop].reshape(-1, stop - begin)
    first = first - begin
    least = np.zeros(len(where), np.int64)
    width, longest = 1, int(lasts[inside].max(initial=0))
    while width <= longest:
        here = np.flatnonzero((lasts >= width) & (lasts < 2 * width) & inside)
        early = level[row[here], first[here]]
        least[here] = np.minimum(early, level[row[here], first[here] + lasts[here] - width])
        width *= 2
        if width <= longest:
            half = width // 2
            level = np.minimum(level[:, : level.shape[1] - half], level[:, half:])
    return least


RULE = Capacity()
