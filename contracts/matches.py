"""Match, offer, the vendor's answer, and why there is no match."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from contracts.base import Cents, Count, Id, Instant, Metres, Minutes, Name, OfferId, Wire
from contracts.codes import (
    DeclineCode,
    LevelOfService,
    OfferState,
    RequestState,
    TrackingStatus,
)
from contracts.geo import Position, Window
from contracts.requests import OrderLine, PassengerNeeds, Patient


class CostTerm(Wire):
    """One term of a match's cost, in cents, under the name of the rule that set it."""

    rule: str
    cost_cents: int


class RunnerUp(Wire):
    """A candidate that was next best when the match was chosen."""

    vendor_id: Id
    start_at: Instant
    cost_cents: int


class Match(Wire):
    """The chosen candidate, with the facts of its choice (P9: same input, same match)."""

    request_id: Id
    vendor_id: Id
    pool_id: Id
    start_at: Instant
    end_at: Instant
    price_cents: Cents
    terms: tuple[CostTerm, ...] = ()
    runners_up: Annotated[tuple[RunnerUp, ...], Meta(max_length=5)] = ()
    tuning_version: Count
    snapshot: str = ""  # digest of the solver's input
    decided_at: Instant


class Offer(Wire):
    """What a vendor sees before it accepts: zone, window, service, needs and price; no one's name (P6)."""

    id: OfferId
    request_id: Id
    vendor_id: Id
    state: OfferState
    kind: str  # trip | equipment
    window: Window
    start_at: Instant
    duration_minutes: Minutes
    price_cents: Cents
    pickup_zone: Position  # the centre of a square of about 2 km, never the door
    dropoff_zone: Position | None = None
    distance_m: Metres = 0
    level_of_service: LevelOfService | None = None
    needs: PassengerNeeds | None = None
    lines: tuple[OrderLine, ...] = ()
    expires_at: Instant
    assumed: bool = False  # silence is acceptance


class Dispatch(Wire):
    """An accepted offer, as its vendor sees it: now with door, name and phone."""

    id: OfferId
    offer: Offer
    reference: str = ""  # the vendor's own trip number, as it gave it
    status: TrackingStatus | None = None
    pickup: Position
    dropoff: Position | None = None
    patient: Patient | None = None


class Accept(Wire):
    """A vendor takes the work."""

    reference: Annotated[str, Meta(max_length=64)] = ""  # the vendor's own trip number


class Decline(Wire):
    """A vendor does not take the work; it is not offered this request again unless it changed."""

    code: DeclineCode


class RuleCount(Wire):
    """How many vendors one rule removed."""

    rule: str
    vendors: Count


class Change(Wire):
    """One thing that would have to be different at a vendor."""

    kind: Literal["rule", "units", "vendor_cap", "penalty"]
    rule: str = ""  # code of the rule that yields
    amount: Annotated[int, Meta(ge=0)] = 0  # in `unit`; a rule without unit is yes or no, and lifted whole
    unit: str = ""
    start_at: Instant | None = None  # units: from when on
    minutes: Annotated[int, Meta(ge=0)] = 0  # units: for how long


class Relaxation(Wire):
    """Changes that together would match the request, verified by applying them to what is left."""

    vendor_id: Id
    start_at: Instant
    changes: tuple[Change, ...]


class Unmatched(Wire):
    """Why there is no match: vendors removed by each rule, the last rule, and what would match it."""

    vendors: Count
    removed: tuple[RuleCount, ...] = ()
    last_rule: str = ""
    last_rule_alone: bool | None = None  # lifting it, and nothing else, gives a match; null: not proven
    competition: bool = False  # candidates exist, their capacity went to others
    relaxations: tuple[Relaxation, ...] = ()  # smallest first
    explained_at: Instant | None = None


class Transition(Wire):
    """One step of a request's history."""

    state: RequestState
    at: Instant
    by: Annotated[str, Meta(max_length=80)] = ""
    code: str = ""


class Attempt(Wire):
    """One offer in a request's history, as platform and ops see it."""

    id: OfferId
    vendor_id: Id
    state: OfferState
    at: Instant
    code: str = ""
    reference: str = ""  # the vendor's own trip number


class RequestView(Wire):
    """A request as the platform and ops see it, without the patient block."""

    id: Id
    kind: str
    state: RequestState
    owner: str
    version: Count
    received_at: Instant
    match_by: Instant
    status: TrackingStatus | None = None
    match: Match | None = None
    unmatched: Unmatched | None = None
    attempts: tuple[Attempt, ...] = ()
    history: tuple[Transition, ...] = ()


class Quote(Wire):
    """One vendor and start time that breaks no rule now, with its price. Nothing is booked."""

    vendor_id: Id
    vendor_name: Name
    start_at: Instant
    price_cents: Cents
    cost_cents: int
    terms: tuple[CostTerm, ...] = ()


class Quotes(Wire):
    """Ranked quotes, best first; when there is none, why."""

    quotes: tuple[Quote, ...] = ()
    unmatched: Unmatched | None = None
