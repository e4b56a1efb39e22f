"""Each minute of waiting after the earliest start costs a little, so that ties go to the passenger.

It costs more for a request that is more pressing: of two that want the same van, it gets the earlier start.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from contracts.codes import Priority
from contracts.instants import MINUTE_MS
from contracts.tuning import Number, Parameter
from contracts.tuning_sets import Follows, Slider
from solvers.arrays import Floats, Ints
from solvers.rules.base import Candidate, Candidates, CostTerm, View, whole, whole_cents
from solvers.screening import PRIORITIES

CENTS = Parameter(
    name="lateness_cents_per_minute",
    default=10,
    minimum=0,
    maximum=1_000,
    unit="cents/minute",
    summary="Cost of each minute by which service starts after the earliest start of the window.",
    scope="rules.lateness",
)


def _factor(priority: Priority, default: float) -> Parameter:
    return Parameter(
        name=f"lateness_{priority.value}_factor",
        default=default,
        minimum=0.0,
        maximum=100.0,
        unit="ratio",
        summary=f"Lateness of priority {priority.value} costs so many times what that of routine does.",
        scope="rules.lateness",
    )


_DEFAULTS: Final = {Priority.URGENT: 2.0, Priority.ASAP: 4.0, Priority.STAT: 8.0}
FACTORS: Final = {each: _factor(each, default) for each, default in _DEFAULTS.items()}
PARAMETERS = (CENTS, *FACTORS.values())
SLIDERS = (
    Slider(
        name="cheaper_punctual",
        low="prefer cheaper",
        high="prefer punctual",
        summary="How much a vendor's price counts beside minutes of waiting and a good scorecard.",
        follows=(
            Follows(parameter="price_weight", low=3.0, high=0.3),
            Follows(parameter="lateness_cents_per_minute", low=2, high=60),
            Follows(parameter="scorecard_cents", low=200, high=5_000),
        ),
    ),
)


class Lateness(CostTerm):
    """Minutes after the start of the window x cents x what the priority makes of it."""

    code = "lateness"
    order = 82
    parameters = PARAMETERS

    def cents(self, view: View, candidates: Candidates) -> Ints:
        """(n)."""
        late_ms = candidates.start_ms - view.facts.earliest_ms[candidates.request]
        each = CENTS.of(view.values) * factors(view.values)
        return whole(late_ms / MINUTE_MS * each[view.facts.priority[candidates.request]])

    def cents_of(self, one: Candidate) -> int:
        """For one."""
        late_ms = one.start_ms - one.asked.earliest_ms
        each = CENTS.of(one.values) * factor_of(one.asked.request.priority, one.values)
        return whole_cents(late_ms / MINUTE_MS * each)


def factors(values: Mapping[str, Number]) -> Floats:
    """By priority, in their order: how many times what a minute of routine costs one of it does."""
    return np.array([factor_of(priority, values) for priority in PRIORITIES], np.float64)


def factor_of(priority: Priority, values: Mapping[str, Number]) -> float:
    """Of one priority."""
    factor = FACTORS.get(priority)
    return 1.0 if factor is None else float(factor.of(values))


RULE = Lateness()
