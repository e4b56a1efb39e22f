"""What the platform asks for: a ride (`TripRequest`) or equipment (`EquipmentOrder`).

Whoever has a request asks it (`doors`, `service_class`, `order_lines` …) and need not know its kind: both
answer the same questions, with nothing (None, an empty tuple) where a question is the other's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Annotated, Any, ClassVar

from msgspec import Meta
from msgspec.structs import replace

from contracts.base import Id, Instant, Wire, refuse_odd_year, unchecked
from contracts.codes import (
    Acquisition,
    Hcpcs,
    LevelOfService,
    Modifier,
    Priority,
    Requirement,
    ServiceClass,
    Skill,
)
from contracts.duplicates import RequestIds
from contracts.episodes import MAX_AFTER, After
from contracts.geo import Place, Position, Window
from contracts.identifiers import Identifiers, refuse_odd_identifiers
from contracts.needs import PassengerNeeds
from contracts.offer_modes import OfferMode
from contracts.patients import Patient
from contracts.will_call import WillCall

MAX_BATCH = 1_000

VendorIds = Annotated[tuple[Id, ...], Meta(max_length=64)]
Requirements = Annotated[tuple[Requirement, ...], Meta(min_length=1, max_length=2)]
ServiceMinutes = Annotated[int, Meta(ge=1, le=480, description="minutes spent at the door")]


_CLASSES = {each: ServiceClass(each.value) for each in LevelOfService}


class _Asked(Wire):
    """What both kinds of request share."""

    id: Id
    priority: Priority = Priority.ROUTINE
    preferred_vendors: VendorIds = ()
    excluded_vendors: VendorIds = ()
    match_by: Instant | None = None  # when left out: the end of the window
    hold: Requirement | Requirements | None = None  # offered to nobody until it has what it waits for
    patient: Patient | None = None
    after: Annotated[tuple[After, ...], Meta(max_length=MAX_AFTER)] = ()  # what goes before it
    episode: Id | None = None  # one that is there: the request belongs to it
    not_duplicate_of: RequestIds = ()  # of the same patient, alike, and meant all the same
    facility: Id | None = None  # the hospital, unit or clinic whose patient it is; patterns count by it
    authorization: Id | None = None  # on which it draws; left out: one of its patient's, if it needs one
    offer_mode: OfferMode | None = None  # how vendors are asked; left out: as tuning says, and they agreed to
    payer: Id | None = (
        None  # who pays, as you call them: counted against vendors' caps; left out: against none
    )
    identifiers: Identifiers = ()  # your own numbers of it, and others'

    @property
    def named_vendors(self) -> tuple[str, ...]:
        """The vendors that it prefers or excludes, each once."""
        named = (*self.preferred_vendors, *self.excluded_vendors)
        return tuple(dict.fromkeys(named)) if named else ()

    @property
    def requirements(self) -> tuple[Requirement, ...]:
        """What it waits for before a vendor is sought, each once."""
        held = self.hold if isinstance(self.hold, tuple) else (self.hold,)
        return tuple(dict.fromkeys(each for each in held if each is not None))

    def __post_init__(self) -> None:
        """Refuse an odd deadline, a hold that `will_call` says, and what cannot go before it."""
        refuse_odd_year("match_by", self.match_by)
        if self.hold is not None and Requirement.ACTIVATION in (
            self.hold if isinstance(self.hold, tuple) else (self.hold,)
        ):
            raise ValueError("hold activation is said by `will_call`\nMaybe give that instead.")
        if self.after:
            self._refuse_odd_sequence()

    def _refuse_odd_sequence(self) -> None:
        names = [each.request for each in self.after]
        if self.id in names:
            raise ValueError(f"request {self.id} is to go after itself\nMaybe another id was meant.")
        if len(set(names)) < len(names):
            raise ValueError(
                f"`after` names a request twice: {', '.join(names)}\nMaybe one of them was meant otherwise."
            )

    def refuse_from_outside(self, pointer: str = "") -> None:
        """Refuse what its patient block and its identifiers must not say."""
        if self.patient is not None:
            self.patient.refuse_from_outside(f"{pointer}/patient")
        if self.identifiers:
            refuse_odd_identifiers(self.identifiers, pointer)


class OrderLine(Wire):
    """One line of an equipment order."""

    hcpcs: Hcpcs
    quantity: Annotated[int, Meta(ge=1, le=10_000, description="pieces")] = 1
    acquisition: Acquisition = Acquisition.RENTAL
    setup_minutes: Annotated[
        int, Meta(ge=0, le=480, description="minutes of set-up and education, for the line as a whole")
    ] = 15
    modifiers: Annotated[
        tuple[Modifier, ...], Meta(max_length=3)
    ] = ()  # beside `acquisition`: a claim has four

    def __post_init__(self) -> None:
        """Refuse a modifier that `acquisition` says, and one that stands twice."""
        said = [each for each in self.modifiers if each in tuple(Acquisition)]
        if said:
            raise ValueError(f"modifier {said[0]} is said by `acquisition`\nMaybe set that instead.")
        if len(set(self.modifiers)) < len(self.modifiers):
            raise ValueError(
                f"modifiers repeat: {', '.join(self.modifiers)}\nMaybe one of them was meant otherwise."
            )


class TripRequest(_Asked, tag="trip", tag_field="kind"):
    """One leg of medical transport, timed by one of pick-up window, appointment and will-call.

    `return_of`: the leg there, of which this is the way back.
    """

    is_trip: ClassVar[bool] = True
    order_lines: ClassVar[tuple[OrderLine, ...]] = ()
    further_pieces: ClassVar[int] = 0

    pickup: Place
    dropoff: Place
    level_of_service: LevelOfService
    pickup_window: Window | None = None
    appointment_at: Instant | None = None
    will_call: WillCall | None = None  # no time yet: see `activate`
    return_of: Id | None = None
    needs: PassengerNeeds = PassengerNeeds()
    service_minutes: ServiceMinutes = 10  # at each door: boarding, and again alighting

    def __post_init__(self) -> None:
        """Exactly one of window, appointment and will-call says when; no leg is its own return."""
        super().__post_init__()
        refuse_odd_year("appointment_at", self.appointment_at)
        if (self.pickup_window, self.appointment_at, self.will_call).count(None) != 2:
            raise ValueError(
                "a trip needs pickup_window, appointment_at or will_call, and one of them alone\n"
                "Maybe drop pickup_window when the appointment decides."
            )
        if self.will_call is not None and self.match_by is not None:
            raise ValueError(
                "a will-call is matched once it is called, it takes no match_by\n"
                "Maybe will_call.until was meant: until when it may be called."
            )
        if self.return_of == self.id:
            raise ValueError(f"leg {self.id} is no return of itself\nMaybe name the leg there.")

    @property
    def requirements(self) -> tuple[Requirement, ...]:
        """What it waits for before a vendor is sought; a will-call also that somebody calls, first of all."""
        if self.hold is None and self.will_call is None:
            return ()
        held = super().requirements
        return held if self.will_call is None else (Requirement.ACTIVATION, *held)

    @property
    def doors(self) -> tuple[Position, Position | None]:
        """Where the work starts and, for a ride, where it ends."""
        return self.pickup.position, self.dropoff.position

    def named_doors(self) -> Iterable[tuple[str, Position]]:
        """Where it starts and ends."""
        return ("/pickup/position", self.pickup.position), ("/dropoff/position", self.dropoff.position)

    def with_doors(self, start: Position, end: Position | None, **others: Any) -> TripRequest:
        """The same ride between other doors, and with `others` of its fields."""
        if end is None:
            raise ValueError("a ride has two doors")
        moved = unchecked(self, pickup=Place(position=start), dropoff=Place(position=end))
        return replace(moved, **others) if others else moved

    @property
    def service_class(self) -> ServiceClass:
        """What a unit of capacity has to serve: the level of service of a ride, or equipment."""
        return _CLASSES[self.level_of_service]

    @property
    def ride_level(self) -> LevelOfService | None:
        """The level of service; None where nobody rides."""
        return self.level_of_service

    @property
    def passenger_needs(self) -> PassengerNeeds | None:
        """What the passenger needs; None where nobody rides."""
        return self.needs

    @property
    def required_skills(self) -> tuple[Skill, ...]:
        """What the crew must be qualified for: by the passenger's needs, or as the order lists it."""
        return self.needs.skills

    @property
    def onsite_minutes(self) -> int:
        """Minutes at all doors together: boarding and alighting, or the set-up of every line."""
        return 2 * self.service_minutes

    @property
    def wished_window(self) -> Window | None:
        """The window on the start of service; None where an appointment decides, or nobody has called yet."""
        return self.pickup_window

    @property
    def on_call(self) -> WillCall | None:
        """When it may be called; None where it has a time."""
        return self.will_call

    @property
    def way_back_of(self) -> str | None:
        """The leg there; None where it is nobody's way back."""
        return self.return_of

    @property
    def arrive_by(self) -> datetime | None:
        """By when the passenger has to be there; None where a window decides."""
        return self.appointment_at


class EquipmentOrder(_Asked, tag="equipment", tag_field="kind"):
    """Durable medical equipment delivered, set up and explained at one place within a window."""

    is_trip: ClassVar[bool] = False
    on_call: ClassVar[WillCall | None] = None
    way_back_of: ClassVar[str | None] = None
    ride_level: ClassVar[LevelOfService | None] = None
    passenger_needs: ClassVar[PassengerNeeds | None] = None
    arrive_by: ClassVar[datetime | None] = None
    service_class: ClassVar[ServiceClass] = ServiceClass.EQUIPMENT

    place: Place
    window: Window
    lines: Annotated[tuple[OrderLine, ...], Meta(min_length=1, max_length=20)]
    skills: Annotated[tuple[Skill, ...], Meta(max_length=16)] = ()

    @property
    def doors(self) -> tuple[Position, Position | None]:
        """Where the equipment goes; a delivery has one door."""
        return self.place.position, None

    def named_doors(self) -> Iterable[tuple[str, Position]]:
        """Where it goes."""
        return (("/place/position", self.place.position),)

    def with_doors(self, start: Position, end: Position | None, **others: Any) -> EquipmentOrder:
        """The same order for another door, and with `others` of its fields; `end` is a ride's."""
        moved = unchecked(self, place=Place(position=start))
        return replace(moved, **others) if others else moved

    @property
    def order_lines(self) -> tuple[OrderLine, ...]:
        """What is delivered; empty for a ride."""
        return self.lines

    @property
    def required_skills(self) -> tuple[Skill, ...]:
        """As the order lists them."""
        return self.skills

    @property
    def onsite_minutes(self) -> int:
        """The set-up of every line, at least a minute."""
        return max(1, sum(line.setup_minutes for line in self.lines))

    @property
    def further_pieces(self) -> int:
        """How many pieces there are beyond the first of each line."""
        return sum(line.quantity - 1 for line in self.lines)

    @property
    def wished_window(self) -> Window | None:
        """The window on the delivery."""
        return self.window


Request = TripRequest | EquipmentOrder


def doors_of(requests: Sequence[Request]) -> Iterator[tuple[str, Position]]:
    """The doors of all that stand in the list `requests` of a message."""
    for place, request in enumerate(requests):
        for pointer, door in request.named_doors():
            yield f"/requests/{place}{pointer}", door
