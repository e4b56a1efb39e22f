"""The vendor posted capacity that serves the request's class on a day in view."""

from __future__ import annotations

from solvers.arrays import Flags
from solvers.rules.base import Candidate, PairRule, View


class Pools(PairRule):
    """Hard, and not to be relaxed: nothing to book otherwise."""

    code = "pools"
    order = 35
    passing = True

    def mask(self, view: View) -> Flags:
        """(r, V)."""
        return view.screening.supply.classes()[view.facts.service_class]

    def permits(self, one: Candidate) -> bool:
        """Whether the chosen resource serves the class on the chosen day."""
        return one.room.serves(one.asked.request.service_class)


RULE = Pools()
