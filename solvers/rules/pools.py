"""The vendor posted capacity that serves the request's class on a day in view."""

from __future__ import annotations

import numpy as np

from solvers.arrays import Flags
from solvers.rules.base import Candidate, PairRule, View
from solvers.screening import CLASS_INDEX, CLASSES


class Pools(PairRule):
    """Hard, and not to be relaxed: nothing to book otherwise."""

    code = "pools"
    order = 35

    def mask(self, view: View) -> Flags:
        """(r, V)."""
        serves = np.bitwise_or.reduce(view.screening.supply.serves, axis=(1, 2), initial=0)
        able = serves[None, :] >> np.arange(len(CLASSES))[:, None] & 1 == 1
        return np.asarray(able[view.facts.service_class])

    def permits(self, one: Candidate) -> bool:
        """Whether the chosen pool serves the class on the chosen day."""
        return bool(one.pool_serves >> CLASS_INDEX[one.asked.request.service_class.value] & 1)


RULE = Pools()
