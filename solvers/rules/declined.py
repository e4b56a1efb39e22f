"""Vendors that declined, did not answer in time, or turned the work back: not asked again as they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from solvers.arrays import Arrays, Flags, table_of
from solvers.rules.base import Candidate, PairRule, View
from solvers.rules.exclusions import all_but, rows_of
from solvers.screening import OpenRequest


class Declined(PairRule):
    """Hard, and not to be relaxed. Apart from `exclusions`: these were asked, those never.

    After all that says who may serve a request at all: who was asked was nearer than one of another kind.
    """

    code = "declined"
    order = 48

    def of_requests(self, asked: Sequence[OpenRequest], vendor_index: Mapping[str, int]) -> Arrays:
        """`declined`: R x E vendor rows, -1 where there are fewer."""
        return {"declined": table_of([rows_of(each.declined_by, vendor_index) for each in asked])}

    def mask(self, view: View) -> Flags:
        """(r, V)."""
        return all_but(view.request["declined"], view.vendors)

    def permits(self, one: Candidate) -> bool:
        """Whether the vendor may be asked (again)."""
        return one.vendor.id not in one.asked.declined_by


RULE = Declined()
