"""What the passenger brings stays within what the pool can carry, where its own limits were posted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np

from contracts.needs import PassengerNeeds
from contracts.pools import LIMITS
from contracts.vendors import Vendor
from solvers.arrays import Arrays, Flags
from solvers.rules.base import Candidate, CandidateRule, Candidates, View
from solvers.screening import OpenRequest

FIELDS: Final = LIMITS


class PoolLimit(NamedTuple):
    """The limits of one pool on one day (`date.toordinal()`), in the order of `FIELDS`; inf: none."""

    resource: int
    day: int
    most: tuple[float, ...]


class PoolLimits(CandidateRule):
    """Hard, and not to be relaxed: limits of the vehicles and crews of one pool."""

    code = "pool_limits"
    order = 65
    reads = "pool_limits"

    def of_requests(self, asked: Sequence[OpenRequest], vendor_index: Mapping[str, int]) -> Arrays:
        """`asked`: R x 4 (l/min, steps, kg, crew); zeros for equipment."""
        return {"asked": np.array([asked_of(each) for each in asked], np.float64).reshape(-1, len(FIELDS))}

    def of_known(self, vendors: Sequence[Vendor], known: Mapping[str, Sequence[PoolLimit]]) -> Arrays:
        """Of every pool and day with limits: `place` (vendor, resource, day), `most` (the four)."""
        found = [(row, each) for row, one in enumerate(vendors) for each in known.get(one.id, ())]
        place = np.array([(row, each.resource, each.day) for row, each in found], np.int64)
        most = np.array([each.most for _, each in found], np.float64)
        return {"place": place.reshape(-1, 3), "most": most.reshape(-1, len(FIELDS))}

    def mask(self, view: View, candidates: Candidates) -> Flags:
        """(n)."""
        fits = np.ones(len(candidates), np.bool_)
        place = view.vendor.get("place")
        if place is None or not len(place):
            return fits
        horizon, asked = view.screening.horizon, view.request["asked"]
        asks = np.any(asked > 0, axis=1)
        rows = np.flatnonzero(asks[candidates.request] & np.isin(candidates.vendor, place[:, 0]))
        day = horizon.ordinal[horizon.day_of(candidates.start_ms[rows])]
        at = np.stack([candidates.vendor[rows], candidates.resource[rows], day], axis=1)
        together, which = np.unique(np.concatenate([place, at]), axis=0, return_inverse=True)
        most = np.full((len(together), len(FIELDS)), np.inf)
        most[which[: len(place)]] = view.vendor["most"]
        fits[rows] = np.all(asked[candidates.request[rows]] <= most[which[len(place) :]], axis=1)
        return fits

    def permits(self, one: Candidate) -> bool:
        """Whether each need is within the limit of the chosen pool on the chosen day."""
        day = int(one.horizon.ordinal[one.horizon.day_at(one.start_ms)])
        limits = [each for each in one.known.get(self.reads, ()) if each[:2] == (one.resource, day)]
        asked = asked_of(one.asked)
        return all(need <= most for each in limits for need, most in zip(asked, each.most, strict=True))


def asked_of(each: OpenRequest) -> tuple[float, ...]:
    """What one asks for, in the order of `FIELDS`."""
    needs = each.request.passenger_needs or PassengerNeeds()
    return needs.oxygen_l_min, needs.stairs, needs.weight_kg or 0, needs.attendants


RULE = PoolLimits()
