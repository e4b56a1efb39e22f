"""A vendor whose scorecard is poor costs more: it declines, turns back or comes late more often."""

from __future__ import annotations

import math

import numpy as np

from contracts.tuning import Parameter
from solvers.rules.base import Candidate, Candidates, CostTerm, View, whole, whole_cents
from solvers.screening import Ints

CENTS = Parameter(
    name="scorecard_cents",
    default=1_000,
    minimum=0,
    maximum=100_000,
    unit="cents",
    summary="Cost of a vendor none of whose work went well; in proportion for the others.",
    scope="rules.scorecard",
)
UNKNOWN = Parameter(
    name="scorecard_unknown",
    default=0.92,
    minimum=0.0,
    maximum=1.0,
    unit="share",
    summary="Share taken for a vendor whose scorecard is not known (the field's on-time target is 90-95 %).",
    scope="rules.scorecard",
)
PARAMETERS = (CENTS, UNKNOWN)


class Scorecard(CostTerm):
    """(1 - share of work that went well) x cents."""

    code = "scorecard"
    order = 86
    parameters = PARAMETERS

    def cents(self, view: View, candidates: Candidates) -> Ints:
        """(n)."""
        record = view.screening.supply.record
        known = np.where(np.isnan(record), UNKNOWN.of(view.values), record)
        return whole((1.0 - known) * CENTS.of(view.values))[candidates.vendor]

    def cents_of(self, one: Candidate) -> int:
        """For one."""
        unknown = one.record is None or math.isnan(one.record)
        record = UNKNOWN.of(one.values) if unknown else one.record
        assert record is not None  # noqa: S101  (for the type checker)
        return whole_cents((1.0 - record) * CENTS.of(one.values))


RULE = Scorecard()
