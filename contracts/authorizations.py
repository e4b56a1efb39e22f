"""Authorizations: what a payer agrees to pay for one patient, how much of it, and from when to when."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from msgspec import Meta

from contracts.base import NAME, Day, Id, Tally, Version, Wire, refuse_odd_day
from contracts.codes import ServiceClass
from contracts.event_types import event
from contracts.outside import refuse_odd_line
from contracts.paging import PageSize
from contracts.patients import Patient
from contracts.patterns import whole
from contracts.streams import To

MAX_NAMED = 64
ONE_LINE = {"pattern": NAME}

Service = Annotated[
    str,
    Meta(
        pattern=whole(f"[A-Z][0-9]{{4}}|{'|'.join(ServiceClass)}"),
        description="a level of service, or a HCPCS code; `equipment` is any code",
        examples=["wheelchair"],
    ),
]
Services = Annotated[tuple[Service, ...], Meta(min_length=1, max_length=32)]


AuthorizationCursor = Annotated[
    str, Meta(pattern=whole("([0-9]{1,16}\\.[A-Za-z0-9_.-]{1,110})?"), description="of the page before")
]


class Counted(StrEnum):
    """What an authorization counts."""

    VISITS = "visits"  # each ride, and each delivery, is one
    UNITS = "units"  # each piece that is delivered is one, and each ride


class AuthorizationState(StrEnum):
    """Whether it may be drawn on, by its case manager."""

    ACTIVE = "active"
    REVOKED = "revoked"


class Authorization(Wire):
    """As a case manager issues it. The patient is never stored: only under which token it is found again.

    `requests`: those that it is for, whoever their patient is; without them it is found by its patient.
    """

    number: Annotated[
        str, Meta(min_length=1, max_length=64, description="the payer's number", extra_json_schema=ONE_LINE)
    ]
    payer: Annotated[str, Meta(min_length=1, max_length=128, extra_json_schema=ONE_LINE)]
    services: Services
    granted: Annotated[int, Meta(ge=1, le=100_000, description="so many visits or units in all")]
    first_day: Day
    last_day: Day
    counted: Counted = Counted.VISITS
    patient: Patient | None = None
    requests: Annotated[tuple[Id, ...], Meta(max_length=MAX_NAMED)] = ()

    def __post_init__(self) -> None:
        """Refuse days that are none, and an authorization that is nobody's."""
        refuse_odd_day("first_day", self.first_day)
        refuse_odd_day("last_day", self.last_day)
        if self.last_day < self.first_day:
            raise ValueError(
                f"it ends on {self.last_day}, before its first day {self.first_day}\nMaybe they are swapped."
            )
        if self.patient is None and not self.requests:
            raise ValueError("it is nobody's\nMaybe give its patient, or name the requests that it is for.")

    def refuse_from_outside(self, pointer: str = "") -> None:
        """Refuse a number or payer that is no line to be read, and what a patient block must not say."""
        refuse_odd_line(f"{pointer}/number", self.number, "a number")
        refuse_odd_line(f"{pointer}/payer", self.payer, "a payer")
        if self.patient is not None:
            self.patient.refuse_from_outside(f"{pointer}/patient")


class AuthorizationView(Wire):
    """An authorization as it stands, without its patient; `used`: what booked and completed work draws."""

    id: Id
    version: Version
    state: AuthorizationState
    number: str
    payer: str
    services: tuple[Service, ...]
    counted: Counted
    granted: Tally
    used: Tally
    left: Tally
    first_day: Day
    last_day: Day
    has_patient: bool = False
    requests: tuple[Id, ...] = ()


class AuthorizationQuery(Wire):
    """Which authorizations to list, the first to end first; by default all that are kept.

    `request`: those of the patient of this request, and the one that it names. `expiring_before`: those that
    have not ended, and whose last day is before this day.
    """

    state: AuthorizationState | None = None
    expiring_before: Day | None = None
    request: Id | None = None
    cursor: AuthorizationCursor = ""
    limit: PageSize = 50


class AuthorizationPage(Wire, omit_defaults=False):
    """Authorizations by their ends; `cursor` is empty on the last page."""

    authorizations: tuple[AuthorizationView, ...] = ()
    cursor: str = ""


@event("dispatch.authorization.changed", to=To.EVENTS)
class AuthorizationChanged(Wire):
    """An authorization was issued, changed or revoked, drawn on, or given back to: `code` says which."""

    authorization_id: Id
    version: Version
    state: AuthorizationState
    code: str
    left: Tally
    request_id: str = ""
