"""Amending a request: what may change, what its vendor is asked, and what became of it."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Any

from msgspec import Meta

from contracts.base import Id, Instant, OfferId, Price, Wire, refuse_odd_year
from contracts.codes import LevelOfService, Priority, Skill
from contracts.dispatches import Dispatch
from contracts.duplicates import RequestIds
from contracts.event_types import event
from contracts.geo import Place, Position, Window
from contracts.identifiers import Identifiers, refuse_odd_identifiers
from contracts.needs import PassengerNeeds
from contracts.offers import Offer
from contracts.patients import Patient, Text
from contracts.requests import OrderLine, Request, ServiceMinutes, VendorIds
from contracts.streams import To

MAX_AMENDMENTS = 16  # of one request: each is kept beside it

Number = Annotated[int, Meta(ge=1, description="1 for a request's first amendment")]
SentNumber = Annotated[int, Meta(ge=1, le=9_999, description="1 for a request's first amendment")]


class AmendmentOutcome(StrEnum):
    """What became of an amendment."""

    PENDING = "pending"  # the vendor that has the work has not answered yet
    MADE = "made"  # at once: no vendor had the work, or it need not agree
    AGREED = "agreed"  # the vendor keeps its work
    REFUSED = "refused"  # the request is matched again; on board: it stays as it was
    # (or asked for another start by the service itself: it keeps its work as it was)
    EXPIRED = "expired"  # the vendor did not answer: as refused
    UNFIT = "unfit"  # the vendor may not serve it so, or has no room: as refused
    TURNED_BACK = "turned_back"  # the vendor turned its dispatch back: the request is matched again
    REPLACED = "replaced"  # another amendment came before the vendor had answered
    WITHDRAWN = "withdrawn"  # it was amended back before the vendor had answered
    DROPPED = "dropped"  # the work had gone on before the vendor answered


class Amend(Wire):
    """What changes of a request; what is left out stays. Its kind and id cannot change.

    `notes` changes these of the patient block alone. `requote`: say what it would cost, and change nothing.
    """

    pickup_window: Window | None = None  # in place of an appointment, if it had one
    appointment_at: Instant | None = None  # in place of a window, if it had one
    pickup: Place | None = None
    dropoff: Place | None = None
    level_of_service: LevelOfService | None = None
    needs: PassengerNeeds | None = None  # as a whole
    service_minutes: ServiceMinutes | None = None
    window: Window | None = None  # of equipment, as what follows
    place: Place | None = None
    lines: Annotated[tuple[OrderLine, ...], Meta(min_length=1, max_length=20)] | None = None
    skills: Annotated[tuple[Skill, ...], Meta(max_length=16)] | None = None
    priority: Priority | None = None
    preferred_vendors: VendorIds | None = None
    excluded_vendors: VendorIds | None = None
    match_by: Instant | None = None
    patient: Patient | None = None  # as a whole
    notes: Text | None = None
    not_duplicate_of: RequestIds | None = None  # in place of what it said before
    identifiers: Identifiers | None = None  # all of them: in place of those before
    requote: bool = False

    @property
    def changes(self) -> dict[str, Any]:
        """What was given, by field of a request (and `notes`)."""
        given = {name: getattr(self, name) for name in self.__struct_fields__ if name != "requote"}
        return {name: value for name, value in given.items() if value is not None}

    def __post_init__(self) -> None:
        """Refuse instants that no calendar of ours holds, and an amendment of nothing."""
        refuse_odd_year("appointment_at", self.appointment_at)
        refuse_odd_year("match_by", self.match_by)
        if not self.changes and not self.requote:
            raise ValueError("nothing is to be changed\nMaybe name what is: a window, places, needs, notes.")

    def refuse_from_outside(self, pointer: str = "") -> None:
        """Refuse what a patient block and identifiers must not say."""
        if self.patient is not None:
            self.patient.refuse_from_outside(f"{pointer}/patient")
        refuse_odd_identifiers(self.identifiers or (), pointer)

    def named_doors(self) -> Iterator[tuple[str, Position]]:
        """Those that change."""
        for name, each in (("pickup", self.pickup), ("dropoff", self.dropoff), ("place", self.place)):
            if each is not None:
                yield f"/{name}/position", each.position


class AmendmentView(Wire):
    """One amendment, as those who read requests see it.

    `fields`: what changed. Where one request is read: `before`, as it was asked until then, of an amendment
    that was made; `proposed`, as it would be or would have been, of any other. Neither has the patient.
    """

    number: Number
    at: Instant
    by: str
    subject: str = ""
    fields: tuple[str, ...] = ()
    outcome: AmendmentOutcome
    settled_at: Instant | None = None
    offer_id: str = ""  # whose vendor is or was asked
    expires_at: Instant | None = None  # until when it may answer
    start_at: Instant | None = None  # when it would start, if its vendor agrees
    price_cents: Price | None = None  # and for how much
    before: Request | None = None
    proposed: Request | None = None
    rules: tuple[str, ...] = ()  # of one that is unfit: which its vendor would break


class ProposedAmendment(Wire):
    """What a vendor is asked to agree to: its dispatch as it would be, with door and patient."""

    offer_id: OfferId
    number: Number
    fields: tuple[str, ...]
    expires_at: Instant
    dispatch: Dispatch


class AnswerAmendment(Wire):
    """A vendor agrees to an amendment, or refuses it: to this one, not to one that came after."""

    number: SentNumber


@event("dispatch.amendment.proposed", to=To.VENDOR)
class AmendmentProposed(Wire):
    """Its vendor is asked: the work as it would be, without door or name. Silence refuses."""

    offer_id: OfferId
    number: Number
    fields: tuple[str, ...]  # what would change; `patient`: read it over HTTP
    expires_at: Instant
    offer: Offer


@event("dispatch.amendment.withdrawn", to=To.VENDOR)
class AmendmentWithdrawn(Wire):
    """An amendment need not be answered any more: the dispatch stands as it did."""

    offer_id: OfferId
    number: Number
    outcome: AmendmentOutcome


@event("dispatch.dispatch.amended", to=To.VENDOR)
class DispatchAmended(Wire):
    """The vendor's dispatch is another now; door and patient are read over HTTP, never from a stream."""

    offer_id: OfferId
    number: Number
    fields: tuple[str, ...]
    href: str


@event("dispatch.amendment.agreed", "dispatch.amendment.refused", to=To.EVENTS)
class AmendmentAnswered(Wire):
    """The vendor agreed and keeps its work; or it did not (`outcome`: refused, expired, unfit).

    `rules`: of one that is unfit, which its vendor would break.
    """

    request_id: Id
    offer_id: OfferId
    number: Number
    outcome: AmendmentOutcome
    rules: tuple[str, ...] = ()
