"""Where the request names preferred vendors, any other costs more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from contracts.tuning import Parameter
from contracts.tuning_sets import Follows, Slider
from solvers.arrays import Arrays, Ints, table_of
from solvers.rules.base import Candidate, Candidates, CostTerm, View
from solvers.screening import OpenRequest

CENTS = Parameter(
    name="preference_cents",
    default=1_500,
    minimum=0,
    maximum=100_000,
    unit="cents",
    summary="Cost of a vendor that is not among those the request prefers.",
    scope="rules.preference",
)
PARAMETERS = (CENTS,)
SLIDERS = (
    Slider(
        name="open_familiar",
        low="whoever is best",
        high="the vendor that is asked for",
        summary="What it may cost that a request gets a vendor that it prefers.",
        follows=(Follows(parameter="preference_cents", low=0, high=10_000),),
    ),
)


class Preference(CostTerm):
    """Nothing where no vendor is preferred."""

    code = "preference"
    order = 84
    parameters = PARAMETERS

    def of_requests(self, asked: Sequence[OpenRequest], vendor_index: Mapping[str, int]) -> Arrays:
        """`preferred`: R x E vendor rows (-1: fewer); `any`: R, whether any is preferred."""
        named = [each.request.preferred_vendors for each in asked]
        preferred = [[vendor_index.get(vendor, -1) for vendor in vendors] for vendors in named]
        return {"preferred": table_of(preferred), "any": np.array([bool(each) for each in named], np.bool_)}

    def cents(self, view: View, candidates: Candidates) -> Ints:
        """(n)."""
        if not view.request["any"].any():
            return np.zeros(len(candidates), np.int64)
        other = np.repeat(view.request["any"][:, None], view.vendors, axis=1)
        preferred = view.request["preferred"]
        row, nth = np.nonzero(preferred >= 0)
        other[row, preferred[row, nth]] = False
        return other[candidates.request, candidates.vendor] * CENTS.whole(view.values)

    def cents_of(self, one: Candidate) -> int:
        """For one."""
        preferred = one.asked.request.preferred_vendors
        return CENTS.whole(one.values) if preferred and one.vendor.id not in preferred else 0


RULE = Preference()
