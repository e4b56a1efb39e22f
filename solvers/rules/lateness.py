"""Each minute of waiting after the earliest start costs a little, so that ties go to the passenger."""

from __future__ import annotations

from contracts.instants import MINUTE_MS
from contracts.tuning import Parameter
from solvers.arrays import Ints
from solvers.rules.base import Candidate, Candidates, CostTerm, View, whole, whole_cents

CENTS = Parameter(
    name="lateness_cents_per_minute",
    default=10,
    minimum=0,
    maximum=1_000,
    unit="cents/minute",
    summary="Cost of each minute by which service starts after the earliest start of the window.",
    scope="rules.lateness",
)
PARAMETERS = (CENTS,)


class Lateness(CostTerm):
    """Minutes after the start of the window x cents."""

    code = "lateness"
    order = 82
    parameters = PARAMETERS

    def cents(self, view: View, candidates: Candidates) -> Ints:
        """(n)."""
        late_ms = candidates.start_ms - view.facts.earliest_ms[candidates.request]
        return whole(late_ms / MINUTE_MS * CENTS.of(view.values))

    def cents_of(self, one: Candidate) -> int:
        """For one."""
        return whole_cents((one.start_ms - one.asked.earliest_ms) / MINUTE_MS * CENTS.of(one.values))


RULE = Lateness()
