"""An offer as its vendor sees it, and the vendor's answer."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, field

from contracts.base import Id, Instant, Metres, Minutes, OfferId, Tally, Wire
from contracts.codes import (
    DeclineCode,
    LevelOfService,
    OfferState,
    Priority,
    Skill,
)
from contracts.counters import CounterView
from contracts.geo import Position, WindowView
from contracts.needs import PassengerNeeds
from contracts.prices import Charge, PriceLine, Rates
from contracts.requests import OrderLine


class NeedsView(PassengerNeeds, omit_defaults=False):
    """The passenger's needs, said in full: a vendor should not have to know what is usual."""


class LineView(OrderLine, omit_defaults=False):
    """A line of an equipment order, said in full: code, quantity, rental or purchase, set-up."""


class Offer(Wire, omit_defaults=False):
    """What a vendor sees before it accepts: zone, window, service, needs and price; no one's name (P6).

    All that it must bring is here, also where it is nothing: `skills` its crew must have, `needs` of the
    passenger (escorts, oxygen, stairs, weight …), `lines` to deliver with the minutes of their set-up.
    """

    id: OfferId
    request_id: Id
    vendor_id: Id
    state: OfferState
    kind: str  # trip | equipment
    window: WindowView
    start_at: Instant
    duration_minutes: Minutes
    price_cents: Charge  # below zero only once you gave work back whose rate card has a fee for that
    pickup_zone: Position  # the centre of a square of about 2 km, never the door
    dropoff_zone: Position | None = None
    distance_m: Metres = 0
    level_of_service: LevelOfService | None = None
    priority: Priority = Priority.ROUTINE  # the more pressing, the sooner it expires
    skills: tuple[Skill, ...] = ()  # all of them
    needs: NeedsView | None = None
    lines: tuple[LineView, ...] = ()
    expires_at: Instant
    assumed: bool = False  # silence is acceptance
    amendment: Tally = 0  # the number of one that waits for your answer: GET …/offers/{id}/amendment
    willing: bool = False  # you said yes
    decided_by: Instant | None = None  # the best of those who say yes by then has it, and is told so
    counter: CounterView | None = None  # your latest counter-offer, and what became of it
    price_lines: tuple[PriceLine, ...] = ()  # they add up to the price
    rates: Rates = Rates()  # of what may still happen: waiting, and fees


class Offers(Wire, omit_defaults=False):
    """A vendor's open offers and dispatches, earliest start first."""

    offers: tuple[Offer, ...] = ()
    # By dispatch: how many messages of others you have not read, where there are any.
    unread: dict[OfferId, Tally] = field(default_factory=dict)


class Accept(Wire):
    """A vendor takes the work."""

    reference: Annotated[str, Meta(max_length=64)] = ""  # the vendor's own trip number


class Decline(Wire):
    """A vendor does not take the work; it is not offered this request again unless it changed."""

    code: DeclineCode
