"""The field's code lists: TCRP 210, HCPCS, FHIR R4. Each value is what goes on the wire."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from msgspec import Meta

from contracts.patterns import whole


class LevelOfService(StrEnum):
    """What a vehicle and its crew must be able to carry (NEMT levels, then ambulance levels)."""

    AMBULATORY = "ambulatory"
    WHEELCHAIR = "wheelchair"
    BARIATRIC_WHEELCHAIR = "bariatric_wheelchair"
    STRETCHER = "stretcher"
    BLS = "bls"
    ALS = "als"
    CCT = "cct"


class ServiceClass(StrEnum):
    """What a unit of capacity serves: a level of service, or the delivery of equipment."""

    AMBULATORY = "ambulatory"
    WHEELCHAIR = "wheelchair"
    BARIATRIC_WHEELCHAIR = "bariatric_wheelchair"
    STRETCHER = "stretcher"
    BLS = "bls"
    ALS = "als"
    CCT = "cct"
    EQUIPMENT = "equipment"


class DoorLevel(StrEnum):
    """How far the crew walks with the patient."""

    CURB_TO_CURB = "curb_to_curb"
    DOOR_TO_DOOR = "door_to_door"
    DOOR_THROUGH_DOOR = "door_through_door"
    HAND_TO_HAND = "hand_to_hand"


class Priority(StrEnum):
    """FHIR R4 request-priority, the most pressing last."""

    ROUTINE = "routine"
    URGENT = "urgent"
    ASAP = "asap"
    STAT = "stat"

    @property
    def rank(self) -> int:
        """0 for routine; who is more pressing has more."""
        return _RANKS[self]


_RANKS = {each: rank for rank, each in enumerate(Priority)}


class Skill(StrEnum):
    """What a crew or a technician is qualified for; listed skills are all required."""

    OXYGEN = "oxygen"
    STAIRS = "stairs"
    ATTENDANT = "attendant"
    BARIATRIC = "bariatric"
    INFECTION_CONTROL = "infection_control"
    DOOR_THROUGH_DOOR = "door_through_door"
    HAND_TO_HAND = "hand_to_hand"
    RESPIRATORY_THERAPIST = "respiratory_therapist"
    EQUIPMENT_EDUCATION = "equipment_education"


class CredentialKind(StrEnum):
    """What a vendor must prove; every one expires."""

    AUTO_INSURANCE = "auto_insurance"
    BACKGROUND_CHECK = "background_check"
    CPR_FIRST_AID = "cpr_first_aid"
    DRUG_SCREEN = "drug_screen"
    VEHICLE_INSPECTION = "vehicle_inspection"
    DME_ACCREDITATION = "dme_accreditation"
    AMBULANCE_LICENCE = "ambulance_licence"


class DeclineCode(StrEnum):
    """Why a vendor declines (TCRP 210, rejection codes)."""

    NOT_IN_SERVICE_AREA = "NOT_IN_SERVICE_AREA"
    INVALID_SERVICE_HOURS = "INVALID_SERVICE_HOURS"
    INVALID_USER = "INVALID_USER"
    INVALID_PICKUP_ADDRESS = "INVALID_PICKUP_ADDRESS"
    INVALID_DROPOFF_ADDRESS = "INVALID_DROPOFF_ADDRESS"
    NO_VEHICLES_AVAILABLE = "NO_VEHICLES_AVAILABLE"
    UNABLE_TO_SERVICE_TRIP = "UNABLE_TO_SERVICE_TRIP"
    BAD_WEATHER = "BAD_WEATHER"
    WRONG_SERVICE_LEVEL = "WRONG_SERVICE_LEVEL"
    OTHER = "OTHER"


class ProviderCancelCode(StrEnum):
    """Why an accepted dispatch did not happen (TCRP 210, provider cancel)."""

    NO_CLIENT = "NO_CLIENT"
    CANCEL_AT_DOOR = "CANCEL_AT_DOOR"
    NOT_READY = "NOT_READY"
    PROVIDER_ADMIN_CANCEL = "PROVIDER_ADMIN_CANCEL"


class ReportCode(StrEnum):
    """Why a dispatch did not go as agreed: a provider cancel code, or a decline code if turned back."""

    NO_CLIENT = "NO_CLIENT"
    CANCEL_AT_DOOR = "CANCEL_AT_DOOR"
    NOT_READY = "NOT_READY"
    PROVIDER_ADMIN_CANCEL = "PROVIDER_ADMIN_CANCEL"
    NOT_IN_SERVICE_AREA = "NOT_IN_SERVICE_AREA"
    INVALID_SERVICE_HOURS = "INVALID_SERVICE_HOURS"
    INVALID_USER = "INVALID_USER"
    INVALID_PICKUP_ADDRESS = "INVALID_PICKUP_ADDRESS"
    INVALID_DROPOFF_ADDRESS = "INVALID_DROPOFF_ADDRESS"
    NO_VEHICLES_AVAILABLE = "NO_VEHICLES_AVAILABLE"
    UNABLE_TO_SERVICE_TRIP = "UNABLE_TO_SERVICE_TRIP"
    BAD_WEATHER = "BAD_WEATHER"
    WRONG_SERVICE_LEVEL = "WRONG_SERVICE_LEVEL"
    OTHER = "OTHER"


class Acquisition(StrEnum):
    """HCPCS modifier: RR rental, NU new purchase, UE used purchase."""

    RENTAL = "RR"
    PURCHASE = "NU"
    USED = "UE"


class Role(StrEnum):
    """Who a bearer token speaks for; one may carry several, but a vendor's and a facility's."""

    PLATFORM = "platform"
    VENDOR = "vendor"
    OPS = "ops"
    COORDINATOR = "coordinator"  # the how and when of care
    CASE_MANAGER = "case_manager"  # the what and why
    FACILITY = "facility"  # a desk where patients wait: says that one of its own is ready, and reads nothing


class RequestState(StrEnum):
    """The life of a request; the table of transitions is `dispatcher.domain.states`."""

    RECEIVED = "received"
    ON_HOLD = "on_hold"
    MATCHING = "matching"
    OFFERED = "offered"
    ACCEPTED = "accepted"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    NO_SHOW = "no_show"
    CANCELLED = "cancelled"
    FAILED = "failed"
    UNMATCHED = "unmatched"


class Requirement(StrEnum):
    """What a request on hold waits for before a vendor is sought; it may wait for several."""

    AUTHORIZATION = "authorization"
    PREDECESSOR = "predecessor"
    ACTIVATION = "activation"  # a will-call: that somebody says when


class OfferState(StrEnum):
    """The life of an offer, in FHIR Task words."""

    REQUESTED = "requested"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    COMPLETED = "completed"
    TURNED_BACK = "turned_back"
    FAILED = "failed"


class TrackingStatus(StrEnum):
    """What a vendor reports on a dispatch, in the order in which it happens; the last four end it."""

    EN_ROUTE = "en_route"
    AT_PICKUP = "at_pickup"
    ON_BOARD = "on_board"
    COMPLETED = "completed"
    NO_SHOW = "no_show"
    FAILED = "failed"
    TURNED_BACK = "turned_back"


Hcpcs = Annotated[
    str,
    Meta(pattern=whole("[A-Z][0-9]{4}"), description="HCPCS level II code, e.g. E1390", examples=["E1390"]),
]
Modifier = Annotated[
    str,
    Meta(
        pattern=whole("[A-Z][A-Z0-9]"),
        description="HCPCS modifier, e.g. KX: requirements of coverage are met",
    ),
]
Npi = Annotated[str, Meta(pattern=whole("[0-9]{10}"), description="National Provider Identifier, ten digits")]
