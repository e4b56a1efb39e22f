"""A request of a group that lies behind the others is worth more, and costs more for each minute it waits.

How far it lies behind (`OpenRequest.behind`: times the floor, 0 for none) is found where others are known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from contracts.instants import MINUTE_MS
from contracts.tuning import Number, Parameter
from solvers.arrays import Arrays, Floats, Ints
from solvers.rules import registry
from solvers.rules.base import Candidate, Candidates, CostTerm, View, whole, whole_cents
from solvers.screening import OpenRequest, Screening

UNMATCHED = Parameter(
    name="fairness_unmatched_cents",
    default=100_000,
    minimum=0,
    maximum=10_000_000,
    unit="cents",
    summary="To leave a request unmatched costs this more for each time the floor its group lies behind.",
    scope="rules.fairness",
)
LATE = Parameter(
    name="fairness_cents_per_minute",
    default=40,
    minimum=0,
    maximum=1_000,
    unit="cents/minute",
    summary="A minute after its window opens costs this more for each time the floor its group lies behind.",
    scope="rules.fairness",
)
PARAMETERS = (UNMATCHED, LATE)


class Fairness(CostTerm):
    """Minutes after the start of the window x cents x how far its group lies behind."""

    code = "fairness"
    order = 83
    parameters = PARAMETERS

    def of_requests(self, asked: Sequence[OpenRequest], vendor_index: Mapping[str, int]) -> Arrays:
        """`behind`: R."""
        return {"behind": np.array([each.behind for each in asked], np.float64)}

    def cents(self, view: View, candidates: Candidates) -> Ints:
        """(n)."""
        late_ms = candidates.start_ms - view.facts.earliest_ms[candidates.request]
        times = behind(view.screening)[view.rows][candidates.request]
        return whole(late_ms / MINUTE_MS * LATE.of(view.values) * times)

    def cents_of(self, one: Candidate) -> int:
        """For one."""
        late_ms = one.start_ms - one.asked.earliest_ms
        return whole_cents(late_ms / MINUTE_MS * LATE.of(one.values) * one.asked.behind)


def behind(screening: Screening) -> Floats:
    """R; how far each request's group lies behind. None does in a screening that was saved before there was a
    floor, or where the rule is off.
    """
    found = screening.of_requests.get(Fairness.code, {}).get("behind")
    return np.zeros(screening.requests) if found is None or not registry.is_on(Fairness.code) else found


def worth(screening: Screening, values: Mapping[str, Number]) -> Ints:
    """R; cents that leaving each unmatched costs more."""
    return whole(behind(screening) * UNMATCHED.of(values))


RULE = Fairness()
