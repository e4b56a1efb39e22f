"""The vendor offers the level of service of a trip; equipment is judged line by line elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from contracts.codes import ServiceClass
from contracts.vendors import Vendor
from solvers.arrays import Arrays, Flags
from solvers.rules.base import Candidate, PairRule, View
from solvers.screening import CLASS_INDEX, CLASSES


class OffersLevel(PairRule):
    """Hard, and not to be relaxed: another vehicle could not carry the passenger."""

    code = "level_of_service"
    order = 15

    def of_vendors(self, vendors: Sequence[Vendor]) -> Arrays:
        """`offers`: classes x V."""
        offers = np.zeros((len(CLASSES), len(vendors)), np.bool_)
        offers[CLASS_INDEX[ServiceClass.EQUIPMENT]] = True
        for column, vendor in enumerate(vendors):
            offers[[CLASS_INDEX[level.value] for level in vendor.levels_of_service], column] = True
        return {"offers": offers}

    def mask(self, view: View) -> Flags:
        """(r, V)."""
        return view.vendor["offers"][view.facts.service_class]

    def permits(self, one: Candidate) -> bool:
        """Whether the vendor offers what the trip needs."""
        needed = one.asked.request.service_class
        return needed is ServiceClass.EQUIPMENT or needed.value in one.vendor.levels_of_service


RULE = OffersLevel()
