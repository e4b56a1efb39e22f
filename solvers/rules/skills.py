"""Every skill that the request needs, the vendor's crew has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from contracts.codes import DoorLevel, Skill
from contracts.requests import EquipmentOrder, Request
from contracts.vendors import Vendor
from solvers.rules.base import Candidate, PairRule, View
from solvers.screening import Arrays, Flags, OpenRequest

_BIT = {skill: 1 << index for index, skill in enumerate(Skill)}


class Skills(PairRule):
    """Hard, and not to be relaxed. Attendants, infection control and the door level are skills of a crew."""

    code = "skills"
    order = 20

    def of_requests(self, asked: Sequence[OpenRequest], vendor_index: Mapping[str, int]) -> Arrays:
        """`needed`: R bit sets."""
        return {"needed": np.array([_bits(needed_skills(each.request)) for each in asked], np.int64)}

    def of_vendors(self, vendors: Sequence[Vendor]) -> Arrays:
        """`held`: V bit sets."""
        return {"held": np.array([_bits(vendor.skills) for vendor in vendors], np.int64)}

    def mask(self, view: View) -> Flags:
        """(r, V)."""
        return np.asarray((view.request["needed"][:, None] & ~view.vendor["held"][None, :]) == 0)

    def permits(self, one: Candidate) -> bool:
        """Whether no skill is missing."""
        return set(needed_skills(one.asked.request)) <= set(one.vendor.skills)


def needed_skills(request: Request) -> tuple[Skill, ...]:
    """The skills that a request asks for, by its needs or by name."""
    if isinstance(request, EquipmentOrder):
        return request.skills
    needs, found = request.needs, []
    if needs.attendants:
        found.append(Skill.ATTENDANT)
    if needs.infectious_precautions:
        found.append(Skill.INFECTION_CONTROL)
    if needs.door_level is DoorLevel.DOOR_THROUGH_DOOR:
        found.append(Skill.DOOR_THROUGH_DOOR)
    if needs.door_level is DoorLevel.HAND_TO_HAND:
        found.append(Skill.HAND_TO_HAND)
    return tuple(found)


def _bits(skills: Sequence[Skill]) -> int:
    return sum({_BIT[skill] for skill in skills})


RULE = Skills()
