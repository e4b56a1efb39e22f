"""A vendor that ops has not activated, or has suspended, gets no new work."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from contracts.vendors import Vendor
from solvers.arrays import Arrays, Flags
from solvers.rules.base import Candidate, PairRule, View


class Onboarded(PairRule):
    """Hard, and not to be relaxed: ops says so, vendor by vendor."""

    code = "onboarding"
    order = 4

    def of_vendors(self, vendors: Sequence[Vendor]) -> Arrays:
        """`active`: V."""
        return {"active": np.array([vendor.is_active for vendor in vendors], np.bool_)}

    def mask(self, view: View) -> Flags:
        """(1, V)."""
        return view.vendor["active"][None, :] if view.vendor else np.ones((1, view.vendors), np.bool_)

    def permits(self, one: Candidate) -> bool:
        """Whether the vendor is active."""
        return one.vendor.is_active


RULE = Onboarded()
