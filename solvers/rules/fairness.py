"""A request of a group that lies behind the others is worth more, and costs more for each minute it waits.

How far it lies behind (`OpenRequest.behind`: 1 at the floor, 0 for none) is found where others are known. One
of more priority counts for as much as any of less beside it, and in the same proportion to them as without a
floor: who is pressing comes first, however long others have waited.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from contracts.instants import MINUTE_MS
from contracts.tuning import Parameter
from solvers.arrays import Arrays, Floats, Ints
from solvers.rules import registry
from solvers.rules.base import Candidate, Candidates, CostTerm, View, whole, whole_cents
from solvers.rules.lateness import factor_of, factors
from solvers.screening import OpenRequest, Screening

UNMATCHED = Parameter(
    name="fairness_unmatched_cents",
    default=200_000,
    minimum=0,
    maximum=10_000_000,
    unit="cents",
    summary="To leave a routine request unmatched costs this more where its group lies behind by the floor.",
    scope="rules.fairness",
)
LATE = Parameter(
    name="fairness_cents_per_minute",
    default=40,
    minimum=0,
    maximum=1_000,
    unit="cents/minute",
    summary="A minute after a routine window opens costs this more where its group lies behind by the floor.",
    scope="rules.fairness",
)
PARAMETERS = (UNMATCHED, LATE)
MOST_CENTS: Final = 2**36  # whatever is tuned: all requests together stay within what is exact


class Fairness(CostTerm):
    """Minutes after the start of the window x cents x how far its group lies behind x priority."""

    code = "fairness"
    order = 83
    parameters = PARAMETERS

    def of_requests(self, asked: Sequence[OpenRequest], vendor_index: Mapping[str, int]) -> Arrays:
        """`behind`: R; and where any does, `weighs`: R."""
        behind = np.array([each.behind for each in asked], np.float64)
        weighs = np.array([each.weighs for each in asked], np.float64)
        return {"behind": behind} | ({"weighs": weighs} if weighs.any() else {})

    def cents(self, view: View, candidates: Candidates) -> Ints:
        """(n)."""
        late_ms = candidates.start_ms - view.facts.earliest_ms[candidates.request]
        screening, rows = view.screening, view.rows
        times = (weighs(screening)[rows] * _of_priority(screening, factors(view.values))[rows])[
            candidates.request
        ]
        return whole(late_ms / MINUTE_MS * LATE.of(view.values) * times)

    def cents_of(self, one: Candidate) -> int:
        """For one."""
        late_ms = one.start_ms - one.asked.earliest_ms
        times = one.asked.weighs * factor_of(one.asked.request.priority, one.values)
        return whole_cents(late_ms / MINUTE_MS * LATE.of(one.values) * times)


def behind(screening: Screening) -> Floats:
    """R; how far each request's group lies behind. None does in a screening that was saved before there was a
    floor, or where the rule is off.
    """
    return _encoded(screening, "behind")


def weighs(screening: Screening) -> Floats:
    """R; what the floor counts each for; as far as it lies behind, in what was saved before that was told."""
    return _encoded(screening, "weighs" if _by_priority(screening) else "behind")


def worth(screening: Screening, usual: Sequence[int]) -> Ints:
    """R; cents that leaving each unmatched costs more; `usual`: what it costs by priority, routine first."""
    by_priority = np.array(usual, np.float64) / max(1, usual[0])
    more = weighs(screening) * UNMATCHED.of(screening.values) * _of_priority(screening, by_priority)
    return whole(np.minimum(more, MOST_CENTS))


def _encoded(screening: Screening, name: str) -> Floats:
    found = screening.of_requests.get(Fairness.code, {}).get(name)
    return np.zeros(screening.requests) if found is None or not registry.is_on(Fairness.code) else found


def _by_priority(screening: Screening) -> bool:
    """Whether it was encoded since priority counts for the floor: what was saved before replays as it was."""
    return "weighs" in screening.of_requests.get(Fairness.code, {})


def _of_priority(screening: Screening, by_priority: Floats) -> Floats:
    return by_priority[screening.facts.priority] if _by_priority(screening) else np.ones(screening.requests)


RULE = Fairness()
