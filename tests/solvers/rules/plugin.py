"""A rule from outside, as an operator may bring one: named in the settings, not among `solvers/rules`."""

import numpy as np

from contracts.tuning import Parameter
from solvers.arrays import Flags
from solvers.rules.base import Candidate, PairRule, View

NOBODY = Parameter(
    name="plugin_nobody",
    default=1,
    minimum=0,
    maximum=1,
    unit="switch",
    summary="1: nobody may serve anything.",
    scope="tests",
)


class Nobody(PairRule):
    code = "nobody"
    order = 2
    parameters = (NOBODY,)

    def mask(self, view: View) -> Flags:
        return np.full((1, 1), not NOBODY.whole(view.values))

    def permits(self, one: Candidate) -> bool:
        return not NOBODY.whole(one.values)


RULE = Nobody()
