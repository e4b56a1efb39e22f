"""A unit is free over the whole work and the way to the next; the day's cap is not reached."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from contracts.ledger import LEDGER_BUCKET_MINUTES
from contracts.tuning import Number, Parameter
from solvers.arrays import Flags, Ints
from solvers.horizon import Horizon
from solvers.rules.base import Candidate, CandidateRule, Candidates, View

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
    passing = True
    parameters = PARAMETERS

    def mask(self, view: View, candidates: Candidates) -> Flags:
        """(n)."""
        supply, horizon = view.screening.supply, view.screening.horizon
        vendor, resource = candidates.vendor, candidates.resource
        service_class = view.facts.service_class[candidates.request]
        free = supply.takes(vendor, resource, horizon.day_of(candidates.start_ms), service_class)
        where = np.flatnonzero(free)
        start_ms = candidates.start_ms[where]
        first, end = outward(horizon, start_ms, start_ms + candidates.taken_ms[where], view.values)
        free[where] = supply.least_left(vendor[where], resource[where], first, end) >= UNITS
        return free

    def permits(self, one: Candidate) -> bool:
        """Whether every ledger bucket of the work has a unit left, and the day a dispatch."""
        first = one.horizon.first_bucket(one.start_ms)
        end = one.horizon.end_bucket(one.free_ms)
        return one.room.serves(one.asked.request.service_class) and one.room.has(UNITS, first, end)


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


RULE = Capacity()
