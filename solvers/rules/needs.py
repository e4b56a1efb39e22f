"""What the passenger brings stays within what the vendor can carry: oxygen, stairs, weight, people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from contracts.needs import PassengerNeeds
from contracts.vendors import Vendor
from solvers.arrays import Arrays, Flags
from solvers.rules.base import Candidate, PairRule, View
from solvers.screening import OpenRequest


class Needs(PairRule):
    """Hard, and not to be relaxed: limits of vehicle and crew."""

    code = "needs"
    order = 25

    def of_requests(self, asked: Sequence[OpenRequest], vendor_index: Mapping[str, int]) -> Arrays:
        """`asked`: R x 5 (l/min, steps, kg, people, crew); zeros for equipment."""
        return {"asked": np.array([_asked(each) for each in asked], np.float64).reshape(-1, 5)}

    def of_vendors(self, vendors: Sequence[Vendor]) -> Arrays:
        """`limit`: 5 x V, the same quantities."""
        limits = [
            (v.max_oxygen_l_min, v.max_stairs, v.max_weight_kg, v.max_escorts, v.max_attendants)
            for v in vendors
        ]
        return {"limit": np.array(limits, np.float64).reshape(-1, 5).T}

    def mask(self, view: View) -> Flags:
        """(r, V)."""
        asked, limit = view.request["asked"], view.vendor["limit"]
        fits = np.ones((len(asked), view.vendors), np.bool_)
        for quantity in np.flatnonzero(asked.any(axis=0)):
            fits &= asked[:, quantity, None] <= limit[quantity][None, :]
        return fits

    def permits(self, one: Candidate) -> bool:
        """Whether each need is within the vendor's limit."""
        needs, vendor = one.asked.request.passenger_needs, one.vendor
        return needs is None or (
            needs.oxygen_l_min <= vendor.max_oxygen_l_min
            and needs.stairs <= vendor.max_stairs
            and (needs.weight_kg or 0) <= vendor.max_weight_kg
            and needs.escorts <= vendor.max_escorts
            and needs.attendants <= vendor.max_attendants
        )


def _asked(each: OpenRequest) -> tuple[float, ...]:
    needs = each.request.passenger_needs or PassengerNeeds()
    return (needs.oxygen_l_min, needs.stairs, needs.weight_kg or 0, needs.escorts, needs.attendants)


RULE = Needs()
