"""An offer as its vendor sees it, and the vendor's answer."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from contracts.base import Id, Instant, Metres, Minutes, OfferId, Price, Wire
from contracts.codes import (
    DeclineCode,
    LevelOfService,
    OfferState,
)
from contracts.geo import Position, WindowView
from contracts.requests import OrderLine, PassengerNeeds


class Offer(Wire):
    """What a vendor sees before it accepts: zone, window, service, needs and price; no one's name (P6)."""

    id: OfferId
    request_id: Id
    vendor_id: Id
    state: OfferState
    kind: str  # trip | equipment
    window: WindowView
    start_at: Instant
    duration_minutes: Minutes
    price_cents: Price
    pickup_zone: Position  # the centre of a square of about 2 km, never the door
    dropoff_zone: Position | None = None
    distance_m: Metres = 0
    level_of_service: LevelOfService | None = None
    needs: PassengerNeeds | None = None
    lines: tuple[OrderLine, ...] = ()
    expires_at: Instant
    assumed: bool = False  # silence is acceptance


class Offers(Wire, omit_defaults=False):
    """A vendor's open offers and dispatches, earliest start first."""

    offers: tuple[Offer, ...] = ()


class Accept(Wire):
    """A vendor takes the work."""

    reference: Annotated[str, Meta(max_length=64)] = ""  # the vendor's own trip number


class Decline(Wire):
    """A vendor does not take the work; it is not offered this request again unless it changed."""

    code: DeclineCode
