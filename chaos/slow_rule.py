"""A rule that allows all, and takes its time where it is told to: so a kill meets a worker amid its solve."""

from __future__ import annotations

import os
import time

import numpy as np

from solvers.arrays import Flags
from solvers.rules.base import Candidate, PairRule, View

SLOW = "CHAOS_SLOW_S"


class Slow(PairRule):
    """It removes nobody."""

    code = "slow"
    order = 4

    def mask(self, view: View) -> Flags:
        """(1, V)."""
        time.sleep(float(os.environ.get(SLOW, "0")))
        return np.ones((1, view.screening.vendors), np.bool_)

    def permits(self, one: Candidate) -> bool:
        """Always."""
        return True


RULE = Slow()
