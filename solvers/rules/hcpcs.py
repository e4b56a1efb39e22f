"""Every line of an equipment order is among what the vendor delivers (HCPCS codes)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from contracts.vendors import Vendor
from solvers.arrays import Arrays, Flags, Ints, table_of
from solvers.rules.base import Candidate, PairRule, View
from solvers.screening import OpenRequest


class Hcpcs(PairRule):
    """Hard, and not to be relaxed."""

    code = "hcpcs"
    order = 30

    def of_requests(self, asked: Sequence[OpenRequest], vendor_index: Mapping[str, int]) -> Arrays:
        """`lines`: R x most lines, codes as numbers, -1 where there are fewer (a trip has none)."""
        lines = [[number_of(line.hcpcs) for line in each.request.order_lines] for each in asked]
        return {"lines": table_of(lines)}

    def of_vendors(self, vendors: Sequence[Vendor]) -> Arrays:
        """`owner`, `code`: one entry per code that a vendor lists."""
        listed = [(row, number_of(code)) for row, vendor in enumerate(vendors) for code in vendor.hcpcs]
        table = np.array(listed, np.int64).reshape(-1, 2)
        return {"owner": table[:, 0], "code": table[:, 1]}

    def mask(self, view: View) -> Flags:
        """(r, V)."""
        lines = view.request["lines"]
        fits = np.ones((len(lines), view.vendors), np.bool_)
        if not lines.shape[1]:  # trips alone
            return fits
        row, nth = np.nonzero(lines >= 0)
        wanted, which = np.unique(lines[row, nth], return_inverse=True)
        delivers = _delivers(wanted, view.vendor["owner"], view.vendor["code"], view.vendors)
        np.logical_and.at(fits, row, delivers[which])
        return fits

    def permits(self, one: Candidate) -> bool:
        """Whether the vendor delivers every line."""
        return {line.hcpcs for line in one.asked.request.order_lines} <= set(one.vendor.hcpcs)


def number_of(code: str) -> int:
    """A HCPCS code (a letter, four digits) as a number."""
    return (ord(code[0]) - ord("A")) * 10_000 + int(code[1:])


def _delivers(wanted: Ints, owner: Ints, code: Ints, vendors: int) -> Flags:
    """Codes x V."""
    delivers = np.zeros((len(wanted), vendors), np.bool_)
    if len(wanted):
        at = np.minimum(np.searchsorted(wanted, code), len(wanted) - 1)
        listed = wanted[at] == code
        delivers[at[listed], owner[listed]] = True
    return delivers


RULE = Hcpcs()
