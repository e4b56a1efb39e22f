"""Vendors that the request rules out, and vendors that declined it or let it expire: never asked (again)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from solvers.arrays import Arrays, Flags, table_of
from solvers.rules.base import Candidate, PairRule, View
from solvers.screening import OpenRequest


class Exclusions(PairRule):
    """Hard, and not to be relaxed."""

    code = "exclusions"
    order = 10

    def of_requests(self, asked: Sequence[OpenRequest], vendor_index: Mapping[str, int]) -> Arrays:
        """`excluded`: R x E vendor rows, -1 where there are fewer."""
        barred = [[vendor_index[each] for each in _barred(one) if each in vendor_index] for one in asked]
        return {"excluded": table_of(barred)}

    def mask(self, view: View) -> Flags:
        """(r, V)."""
        excluded = view.request["excluded"]
        allowed = np.ones((len(excluded), view.vendors), np.bool_)
        row, nth = np.nonzero(excluded >= 0)
        allowed[row, excluded[row, nth]] = False
        return allowed

    def permits(self, one: Candidate) -> bool:
        """Whether the vendor may be asked."""
        excluded = one.vendor.id in one.asked.request.excluded_vendors
        return not excluded and one.vendor.id not in one.asked.declined_by


def _barred(each: OpenRequest) -> list[str]:
    return sorted({*each.request.excluded_vendors, *each.declined_by})


RULE = Exclusions()
