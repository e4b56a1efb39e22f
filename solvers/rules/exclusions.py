"""Vendors that the request rules out: never asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from solvers.arrays import Arrays, Flags, Ints, table_of
from solvers.rules.base import Candidate, PairRule, View
from solvers.screening import OpenRequest


class Exclusions(PairRule):
    """Hard, and not to be relaxed."""

    code = "exclusions"
    order = 10

    def of_requests(self, asked: Sequence[OpenRequest], vendor_index: Mapping[str, int]) -> Arrays:
        """`excluded`: R x E vendor rows, -1 where there are fewer."""
        barred = [rows_of(each.request.excluded_vendors, vendor_index) for each in asked]
        return {"excluded": table_of(barred)}

    def mask(self, view: View) -> Flags:
        """(r, V)."""
        return all_but(view.request["excluded"], view.vendors)

    def permits(self, one: Candidate) -> bool:
        """Whether the vendor may be asked."""
        return one.vendor.id not in one.asked.request.excluded_vendors


def rows_of(vendors: Iterable[str], vendor_index: Mapping[str, int]) -> list[int]:
    """Rows of those of these vendors that are known, ids ascending, each once."""
    return [vendor_index[each] for each in sorted(set(vendors)) if each in vendor_index]


def all_but(rows: Ints, vendors: int) -> Flags:
    """(r, V): all vendors but those in `rows` (r x E, -1 for nobody)."""
    allowed = np.ones((len(rows), vendors), np.bool_)
    if not rows.shape[1]:  # as nearly always: nobody names any
        return allowed
    row, nth = np.nonzero(rows >= 0)
    allowed[row, rows[row, nth]] = False
    return allowed


RULE = Exclusions()
