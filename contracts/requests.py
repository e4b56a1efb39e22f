"""What the platform asks for: a ride (`TripRequest`) or equipment (`EquipmentOrder`)."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from contracts.base import Id, Instant, Kilograms, Name, Wire, refuse_odd_year
from contracts.codes import Acquisition, DoorLevel, Hcpcs, LevelOfService, Priority, Requirement, Skill
from contracts.geo import Place, Window

MAX_BATCH = 1_000

VendorIds = Annotated[tuple[Id, ...], Meta(max_length=64)]
Requirements = Annotated[tuple[Requirement, ...], Meta(min_length=1, max_length=2)]
Text = Annotated[str, Meta(max_length=500)]
ServiceMinutes = Annotated[int, Meta(ge=1, le=480, description="minutes spent at the door")]


class Patient(Wire):
    """Patient data. Encrypted at rest, shown only to the platform and, after acceptance, to the vendor."""

    name: Name
    phone: Annotated[str, Meta(max_length=40)] = ""
    pickup_address: Text = ""
    dropoff_address: Text = ""
    record_number: Annotated[str, Meta(max_length=64)] = ""
    notes: Text = ""


class PassengerNeeds(Wire):
    """What the passenger needs beyond the level of service."""

    attendants: Annotated[int, Meta(ge=0, le=4, description="crew beyond the driver")] = 0
    escorts: Annotated[int, Meta(ge=0, le=4, description="people who travel along")] = 0
    oxygen_l_min: Annotated[float, Meta(ge=0, le=15, description="litres a minute")] = 0.0
    stairs: Annotated[int, Meta(ge=0, le=100, description="steps to carry")] = 0
    weight_kg: Kilograms | None = None
    infectious_precautions: bool = False
    door_level: DoorLevel = DoorLevel.CURB_TO_CURB


class _Asked(Wire):
    """What both kinds of request share."""

    id: Id
    priority: Priority = Priority.ROUTINE
    preferred_vendors: VendorIds = ()
    excluded_vendors: VendorIds = ()
    match_by: Instant | None = None  # when left out: the end of the window
    hold: Requirement | Requirements | None = None  # offered to nobody until it has what it waits for
    patient: Patient | None = None

    @property
    def requirements(self) -> tuple[Requirement, ...]:
        """What it waits for before a vendor is sought, each once."""
        held = self.hold if isinstance(self.hold, tuple) else (self.hold,)
        return tuple(dict.fromkeys(each for each in held if each is not None))

    def __post_init__(self) -> None:
        """Refuse a deadline that no calendar of ours holds."""
        refuse_odd_year("match_by", self.match_by)


class TripRequest(_Asked, tag="trip", tag_field="kind"):
    """One leg of non-emergency medical transport. Give a pick-up window or an appointment, not both."""

    pickup: Place
    dropoff: Place
    level_of_service: LevelOfService
    pickup_window: Window | None = None
    appointment_at: Instant | None = None
    needs: PassengerNeeds = PassengerNeeds()
    service_minutes: ServiceMinutes = 10  # at each door: boarding, and again alighting

    def __post_init__(self) -> None:
        """Exactly one of window and appointment says when."""
        super().__post_init__()
        refuse_odd_year("appointment_at", self.appointment_at)
        if (self.pickup_window is None) == (self.appointment_at is None):
            raise ValueError(
                "a trip needs pickup_window or appointment_at, and not both\n"
                "Maybe drop pickup_window when the appointment decides."
            )


class OrderLine(Wire):
    """One line of an equipment order."""

    hcpcs: Hcpcs
    quantity: Annotated[int, Meta(ge=1, le=100)] = 1
    acquisition: Acquisition = Acquisition.RENTAL
    setup_minutes: Annotated[int, Meta(ge=0, le=480, description="minutes of set-up and education")] = 15


class EquipmentOrder(_Asked, tag="equipment", tag_field="kind"):
    """Durable medical equipment delivered, set up and explained at one place within a window."""

    place: Place
    window: Window
    lines: Annotated[tuple[OrderLine, ...], Meta(min_length=1, max_length=20)]
    skills: Annotated[tuple[Skill, ...], Meta(max_length=16)] = ()


Request = TripRequest | EquipmentOrder


class RequestBatch(Wire):
    """Up to 1,000 requests, all stored in one commit or none."""

    requests: Annotated[tuple[Request, ...], Meta(min_length=1, max_length=MAX_BATCH)]
