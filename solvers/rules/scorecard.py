"""A vendor whose scorecard is poor costs more: it declines, turns back or comes late more often."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from contracts.tuning import Number, Parameter
from contracts.vendors import Vendor
from solvers.arrays import Arrays, Floats, Ints
from solvers.rules.base import Candidate, Candidates, CostTerm, View, whole, whole_cents
from solvers.screening import ALL_OTHERS

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
    summary="Share taken where nobody's scorecard is known (the field's on-time target is 90-95 %).",
    scope="rules.scorecard",
)
PARAMETERS = (CENTS, UNKNOWN)


class Scorecard(CostTerm):
    """(1 - share of work that went well) x cents."""

    code = "scorecard"
    order = 86
    parameters = PARAMETERS
    reads = "scorecards"

    def of_known(self, vendors: Sequence[Vendor], known: Mapping[str, float]) -> Arrays:
        """`share`: V; share of the vendor's work that is taken to go well, NaN where nothing is known.

        `others`: 1; the same of a vendor of which nothing is known.
        """
        others = known.get(ALL_OTHERS, np.nan)
        shares = np.array([known.get(each.id, others) for each in vendors], np.float64)
        return {"share": shares, "others": np.array([others], np.float64)}

    def cents(self, view: View, candidates: Candidates) -> Ints:
        """(n)."""
        return by_vendor(view.vendor["share"], view.values)[candidates.vendor]

    def cents_of(self, one: Candidate) -> int:
        """For one."""
        return cents_at(one.known.get(self.reads), one.values)


def by_vendor(share: Floats, values: Mapping[str, Number]) -> Ints:
    """V; what each vendor's costs. `share`: NaN where nothing is known."""
    taken = np.where(np.isnan(share), UNKNOWN.of(values), share)
    return whole((1.0 - taken) * CENTS.of(values))


def cents_at(share: float | None, values: Mapping[str, Number]) -> int:
    """One vendor's; None: nothing is known of it."""
    taken = UNKNOWN.of(values) if share is None else share
    return whole_cents((1.0 - taken) * CENTS.of(values))


RULE = Scorecard()
