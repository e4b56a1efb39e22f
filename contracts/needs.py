"""What a passenger needs beyond the level of service, and which skills of a crew follow from that."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from contracts.base import Kilograms, Wire
from contracts.codes import DoorLevel, Skill


class PassengerNeeds(Wire):
    """What the passenger needs beyond the level of service."""

    attendants: Annotated[int, Meta(ge=0, le=4, description="crew beyond the driver")] = 0
    escorts: Annotated[int, Meta(ge=0, le=4, description="people who travel along")] = 0
    oxygen_l_min: Annotated[float, Meta(ge=0, le=15, description="litres a minute")] = 0.0
    stairs: Annotated[int, Meta(ge=0, le=100, description="steps to carry")] = 0
    weight_kg: Kilograms | None = None
    infectious_precautions: bool = False
    door_level: DoorLevel = DoorLevel.CURB_TO_CURB

    @property
    def skills(self) -> tuple[Skill, ...]:
        """What a crew must be qualified for, to meet these needs."""
        asked = {
            Skill.ATTENDANT: self.attendants > 0,
            Skill.INFECTION_CONTROL: self.infectious_precautions,
            Skill.DOOR_THROUGH_DOOR: self.door_level is DoorLevel.DOOR_THROUGH_DOOR,
            Skill.HAND_TO_HAND: self.door_level is DoorLevel.HAND_TO_HAND,
        }
        return tuple(skill for skill, needed in asked.items() if needed)
