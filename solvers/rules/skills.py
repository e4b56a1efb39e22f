"""Every skill that the request needs, the vendor's crew has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from contracts.codes import Skill
from contracts.vendors import Vendor
from solvers.arrays import Arrays, Flags
from solvers.rules.base import Candidate, PairRule, View
from solvers.screening import OpenRequest

_BIT = {skill: 1 << index for index, skill in enumerate(Skill)}


class Skills(PairRule):
    """Hard, and not to be relaxed. Attendants, infection control and the door level are skills of a crew."""

    code = "skills"
    order = 20

    def of_requests(self, asked: Sequence[OpenRequest], vendor_index: Mapping[str, int]) -> Arrays:
        """`needed`: R bit sets."""
        return {"needed": np.array([_bits(each.request.required_skills) for each in asked], np.int64)}

    def of_vendors(self, vendors: Sequence[Vendor]) -> Arrays:
        """`held`: V bit sets."""
        return {"held": np.array([_bits(vendor.skills) for vendor in vendors], np.int64)}

    def mask(self, view: View) -> Flags:
        """(r, V)."""
        return np.asarray((view.request["needed"][:, None] & ~view.vendor["held"][None, :]) == 0)

    def permits(self, one: Candidate) -> bool:
        """Whether no skill is missing."""
        return set(one.asked.request.required_skills) <= set(one.vendor.skills)


def _bits(skills: Sequence[Skill]) -> int:
    return sum({_BIT[skill] for skill in skills})


RULE = Skills()
