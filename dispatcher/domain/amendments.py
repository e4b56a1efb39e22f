"""Amendments: what is kept of each beside its request, and the request that comes of one."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from contracts.amendments import Amend, AmendmentOutcome
from contracts.codes import LevelOfService, Priority
from contracts.patients import Patient
from contracts.requests import EquipmentOrder, Request, TripRequest
from dispatcher.domain.booking import Booking
from dispatcher.domain.compact import Compact, Record
from dispatcher.domain.decision import Reliance
from dispatcher.domain.needed import Needed
from dispatcher.domain.offers import OfferRecord
from dispatcher.domain.prices import Line, also_agreed, stored
from dispatcher.domain.proposal import Proposal
from dispatcher.domain.refusals import Invalid

O = AmendmentOutcome  # noqa: E741
WINDOWS = frozenset({"pickup_window", "appointment_at", "window"})
PLACES = frozenset({"pickup", "dropoff", "place"})
DESTINATION = frozenset({"dropoff", "place"})  # where a ride ends, or equipment goes
LEVEL = "level_of_service"
WORK = frozenset({LEVEL, "needs", "service_minutes", "lines", "skills"})
TERMS = WINDOWS | PLACES | WORK  # what a vendor agreed to when it took the work
SHOWN = frozenset({"patient", "priority", "identifiers"})  # what it sees, and need not agree to
ON_BOARD = DESTINATION | {"patient", "identifiers"}  # what may change once the passenger is on board
START = "start_at"  # the one field of an amendment by which the service itself asks for another start
LOST = frozenset({O.REFUSED, O.EXPIRED, O.UNFIT})  # the vendor does not do it so


class Facts(Compact, frozen=True):
    """What a record keeps of its body."""

    earliest_ms: int
    latest_ms: int
    match_by_ms: int
    service_class: str
    priority: Priority = Priority.ROUTINE
    asks: Needed | None = None  # what it needs an authorization for, and which; draws nothing yet


class Filing(Compact, frozen=True):
    """Under which tokens of the blind index it is filed, and is to be, with its HCPCS codes."""

    old: tuple[str, ...]
    new: tuple[str, ...]
    rented: tuple[str, ...] = ()
    bought: tuple[str, ...] = ()

    @property
    def tokens(self) -> tuple[str, ...]:
        """All of them."""
        return tuple(dict.fromkeys((*self.old, *self.new)))


class Placed(Compact, frozen=True):
    """The vendor's work as it would be: its match of the amended request."""

    pool_id: str
    start_ms: int
    end_ms: int
    price_cents: int
    bookings: tuple[Booking, ...]
    distance_m: int = 0
    price_lines: tuple[Line, ...] = ()


class Amendment(Compact, frozen=True):
    """One amendment. Its number is its place among its request's.

    `before` and `proposed` are bodies as they are stored, doors and patient sealed: both while it is pending;
    then `before`, which it replaced, if it was made, else `proposed`. History keeps both.
    """

    at_ms: int
    by: str
    subject: str
    fields: tuple[str, ...]
    outcome: AmendmentOutcome
    before: bytes = b""
    proposed: bytes = b""
    closed_ms: int = 0
    attempt: int = 0  # of the dispatch whose vendor is asked
    expires_ms: int = 0
    facts: Facts | None = None  # while it is pending
    placed: Placed | None = None  # of its vendor, if it agrees; None: its booking stays as it is
    filing: Filing | None = None  # until it is made, where its patient, codes or time change
    rules: tuple[str, ...] = ()  # of one that is unfit: which its vendor would break

    @property
    def pending(self) -> bool:
        """Whether its vendor has not answered."""
        return self.outcome is O.PENDING

    @property
    def made(self) -> bool:
        """Whether the request is as it says."""
        return not self.pending and bool(self.before)

    @property
    def retimes(self) -> bool:
        """Whether the service asks for another start alone: the request itself stays as it is."""
        return self.fields == (START,)

    @property
    def shown(self) -> tuple[str, ...]:
        """What a vendor hears of it: its work, and whose; not whom a coordinator prefers or excludes."""
        return tuple(each for each in self.fields if each in TERMS | SHOWN | {START})

    @property
    def changes_terms(self) -> bool:
        """Whether it is other work."""
        return not TERMS.isdisjoint(self.fields)

    def settled(self, outcome: AmendmentOutcome, now_ms: int, *, made: bool) -> Amendment:
        """Over; of its two bodies the one that would be lost is kept."""
        kept: dict[str, Any] = {"proposed": b""} if made else {"before": b"", "filing": None}
        return replace(self, outcome=outcome, closed_ms=now_ms, facts=None, **kept)


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """An amendment worked out on what is stored at one moment; without `fields` it changes nothing.

    `request` is as it would be, without its patient; `same`: it is what its vendor is asked already.
    `fits`: whether the vendor that has the work may do it so, else `rules` says which it would break;
    `placed`: where, if its booking moves.
    `beside`: what was read for it, by id: authorizations, and its patients' indexes. `episode`: what becomes
    another patient's was compared with the others of it; `relies`: and with its other leg.
    """

    request: Request
    fields: tuple[str, ...]
    facts: Facts
    before: bytes
    after: bytes
    same: bool = False
    fits: bool = True
    rules: tuple[str, ...] = ()
    placed: Placed | None = None
    expires_ms: int = 0
    filing: Filing | None = None
    beside: Mapping[str, Record] = {}
    episode: Record | None = None
    relies: tuple[Reliance, ...] = ()


def placed_by(proposal: Proposal, agreed: OfferRecord | None = None) -> Placed:
    """A checked match as it is kept of an amendment; of a dispatch, with what was agreed beyond the card."""
    lines = stored(proposal.price_lines)
    with_it = lines if agreed is None else also_agreed(agreed, lines)
    return Placed(
        proposal.pool_id,
        proposal.start_ms,
        proposal.end_ms,
        proposal.price_cents if with_it is lines else sum(each.cents for each in with_it),
        proposal.bookings,
        proposal.distance_m,
        with_it,
    )


def agreed_level(dispatch: OfferRecord, fields: Collection[str]) -> str:
    """The level that its vendor countered, which stays until another is asked for; "": as asked for."""
    return "" if LEVEL in fields else dispatch.level


def as_agreed(request: Request, level: str) -> Request:
    """The request in a vehicle of that level; "": as asked for."""
    if not level or not isinstance(request, TripRequest):
        return request
    return replace(request, level_of_service=LevelOfService(level))


def amended(request: Request, patch: Amend) -> Request:
    """The request with what changes. Raises Invalid for what its kind has not, or cannot be together."""
    changes = patch.changes
    notes = changes.pop("notes", None)
    strange = sorted(changes.keys() - set(request.__struct_fields__))
    if strange:
        kind = request.__struct_config__.tag
        own = "pickup_window or appointment_at" if request.is_trip else "window"
        advice = f"{own} was meant" if strange[0] in WINDOWS else "it is another request's"
        raise _invalid(request, f"a request of kind {kind} has no {strange[0]}\nMaybe {advice}.")
    if request.on_call is not None and WINDOWS & changes.keys():
        raise _invalid(
            request, "it is a will-call\nMaybe activate it: that says when; or submit a ride of its own."
        )
    if len(WINDOWS & changes.keys()) == 1 and isinstance(request, TripRequest):
        changes |= dict.fromkeys({"pickup_window", "appointment_at"} - changes.keys())
    if notes is not None:
        changes["patient"] = _with_notes(request, changes.get("patient") or request.patient, notes)
    try:
        return replace(request, **changes)
    except ValueError as error:
        raise _invalid(request, str(error)) from None


def _with_notes(request: Request, patient: Patient | None, notes: str) -> Patient:
    if patient is None:
        raise _invalid(request, "it has no patient block that could have notes\nMaybe send `patient` whole.")
    return replace(patient, notes=notes)


def changed_fields(before: Request, after: Request) -> tuple[str, ...]:
    """What differs between two versions of a request."""
    return tuple(each for each in before.__struct_fields__ if getattr(before, each) != getattr(after, each))


def record_facts(facts: Facts) -> Mapping[str, Any]:
    """As the record has them."""
    found = {name: getattr(facts, name) for name in facts.__struct_fields__}
    asks = found.pop("asks")
    return {**found, "authorization": asks}


def _invalid(request: TripRequest | EquipmentOrder, why: str) -> Invalid:
    return Invalid(f"request {request.id} cannot be amended so: {why}", request_id=request.id)
