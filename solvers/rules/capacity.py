"""A unit is free over the whole work and the way to the next; the day's cap is not reached."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from contracts.ledger import LEDGER_BUCKET_MINUTES
from contracts.tuning import Number, Parameter
from solvers.arrays import Flags, Ints
from solvers.durations import at_doors_min, durations
from solvers.horizon import LEDGER_MS, Horizon
from solvers.rules.base import Candidate, CandidateRule, Candidates, View
from solvers.starts import Begins, Options

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

    def begins(self, view: View, options: Options) -> Begins:
        """When a unit becomes free for long enough; and when a day begins, which has a cap of its own."""
        runs = view.once_for_all("free_runs", lambda: _free_runs(view))
        option, which = options.among(
            runs.owner, runs.first_ms, runs.owner_of(options.vendor, options.resource)
        )
        long = runs.lasts_ms[which] >= options.least_ms[option]
        days = view.screening.horizon.midnight_ms[:-1]
        none = np.zeros(len(options.vendor), np.int64)
        other, day = options.among(np.zeros(len(days), np.int64), days, none)
        start_ms = np.concatenate((runs.first_ms[which[long]], days[day]))
        return np.concatenate((option[long], other)), start_ms

    def permits(self, one: Candidate) -> bool:
        """Whether every ledger bucket of the work has a unit left, and the day a dispatch."""
        first = one.horizon.first_bucket(one.start_ms)
        end = one.horizon.end_bucket(one.free_ms)
        return one.room.serves(one.asked.request.service_class) and one.room.has(UNITS, first, end)


class _Runs(NamedTuple):
    """Over which time a resource has a unit left, as far as any window reaches; by resource and time."""

    resources: int  #: of a vendor, at the most
    owner: Ints
    first_ms: Ints
    lasts_ms: Ints

    def owner_of(self, vendor: Ints, resource: Ints) -> Ints:
        """Both in one number."""
        return vendor * self.resources + resource


def _free_runs(view: View) -> _Runs:
    """Those that begin after the first window opens are whole, or long enough: what is cut is beyond need."""
    supply, start_ms = view.screening.supply, view.screening.horizon.start_ms
    bucket_ms = ledger_buckets(view.values) * LEDGER_MS
    earliest_ms, latest_ms = _reach(view)
    since = max(0, (earliest_ms - start_ms) // bucket_ms)
    until = max(since, -((start_ms - latest_ms) // bucket_ms))
    vendor, resource, first, end = supply.free_runs(ledger_buckets(view.values), since, until)
    runs = _Runs(1 + int(resource.max(initial=0)), vendor, start_ms + first * bucket_ms, end - first)
    return runs._replace(owner=runs.owner_of(vendor, resource), lasts_ms=runs.lasts_ms * bucket_ms)


def _reach(view: View) -> tuple[int, int]:
    """From the first start of any request of the screening to where the shortest work of the last ends."""
    facts = view.screening.facts
    at_doors = at_doors_min(facts.onsite_min, facts.further_pieces, view.values)
    least = durations(facts.is_trip, at_doors, np.zeros(len(facts)), view.values).taken_ms
    return int(facts.earliest_ms.min()), int((facts.latest_ms + least.max()).max())


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
