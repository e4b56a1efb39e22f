"""A paused vendor gets no new work, whoever paused it: itself or ops."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from contracts.vendors import Vendor
from solvers.arrays import Arrays, Flags
from solvers.rules.base import Candidate, PairRule, View


class Paused(PairRule):
    """Hard, and not to be relaxed: the vendor or ops asked for it."""

    code = "paused"
    order = 5

    def of_vendors(self, vendors: Sequence[Vendor]) -> Arrays:
        """`open`: V."""
        return {"open": np.array([not vendor.is_paused for vendor in vendors], np.bool_)}

    def mask(self, view: View) -> Flags:
        """(1, V)."""
        return view.vendor["open"][None, :]

    def permits(self, one: Candidate) -> bool:
        """Whether the vendor takes work."""
        return not one.vendor.is_paused


RULE = Paused()
