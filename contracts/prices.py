"""What a vendor charges, line by line: the lines of an offer always add up to its price."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from msgspec import Meta

from contracts.base import Id, Instant, Minutes, OfferId, Tally, Wire, refuse_odd_year
from contracts.event_types import event
from contracts.outside import refuse_blank
from contracts.streams import To

Charge = Annotated[int, Meta(description="US cents; below zero: the vendor owes it")]
Quantity = Annotated[float, Meta(ge=0, description="how many: miles, pieces, half hours …")]


class PriceKind(StrEnum):
    """What a line is for."""

    BASE = "base"  # the fare of the level of service, with the miles that it includes
    DELIVERY = "delivery"  # of equipment
    MILES = "miles"  # beyond those included
    DEADHEAD = "deadhead"  # miles beyond the vendor's area, driven empty
    EQUIPMENT = "equipment"  # a line of an order; its code is the note
    NIGHT = "night"
    WEEKEND = "weekend"
    OUT_OF_AREA = "out_of_area"
    ATTENDANT = "attendant"  # crew beyond the driver
    WAITING = "waiting"  # each half hour that has begun, after what is free
    TURN_BACK = "turn_back"  # the vendor gave the work back: it owes this
    LATE_CANCEL = "late_cancel"  # the work was taken back shortly before its start, or later
    NO_SHOW = "no_show"  # the vendor was there, the passenger was not
    AGREED = "agreed"  # what was agreed beside the rate card; the whole price where no lines are known
    LIMIT = "limit"  # no price is higher than the service can count


class PriceLine(Wire):
    """One line of a price. `quantity` x `unit_cents` are `cents`, to half a cent; if not, `note` says why.

    Of miles four digits after the point are told; the cents are those of the way as it is.
    """

    kind: PriceKind
    quantity: Quantity = 1.0
    unit_cents: Charge
    cents: Charge
    note: str = ""  # of equipment its HCPCS; of a line that was settled, by which dispute: `E1390 dispute_1`


class Rates(Wire, omit_defaults=False):
    """What the rate card says of what may still happen: known before the offer is accepted."""

    waiting_half_hour_cents: Charge = 0
    waiting_free_minutes: Minutes = 0
    turn_back_cents: Charge = 0  # owed by the vendor
    late_cancel_cents: Charge = 0
    late_cancel_minutes: Minutes = 0
    no_show_cents: Charge = 0


class Waiting(Wire):
    """The vendor is at the door and waits: since when, left out: now; until when, left out: it still does."""

    since: Instant | None = None
    until: Instant | None = None

    def __post_init__(self) -> None:
        """Refuse a time that no calendar of ours holds."""
        refuse_odd_year("since", self.since)
        refuse_odd_year("until", self.until)


class ReadyAt(Wire):
    """The passenger has come: the vendor waits no more; left out: now."""

    at: Instant | None = None

    def __post_init__(self) -> None:
        """Refuse a time that no calendar of ours holds."""
        refuse_odd_year("at", self.at)


class WaitView(Wire):
    """From when until when a vendor waited; without `until` it still does."""

    since: Instant
    until: Instant | None = None


class DisputeOutcome(StrEnum):
    """What became of a dispute."""

    OPEN = "open"
    CHANGED = "changed"  # the line is another now
    KEPT = "kept"  # the line stays as it was


Told = Annotated[str, Meta(min_length=1, max_length=1_000)]


class DisputeLine(Wire):
    """A line of the price is wrong, and why; the text is encrypted at rest."""

    line: Annotated[int, Meta(ge=1, le=500, description="which line of the price, from 1")]
    text: Told

    def refuse_from_outside(self, pointer: str = "") -> None:
        """Refuse a text that shows nothing."""
        refuse_blank(f"{pointer}/text", self.text)


class SettleDispute(Wire):
    """What ops decides: the line costs `cents`, or, without, stays as it is; both sides read the reason."""

    reason: Told
    cents: Annotated[int, Meta(ge=-100_000_000, le=100_000_000, description="US cents")] | None = None

    def refuse_from_outside(self, pointer: str = "") -> None:
        """Refuse a reason that shows nothing."""
        refuse_blank(f"{pointer}/reason", self.reason)


class DisputeView(Wire):
    """A dispute of a line, as both sides and ops read it."""

    number: Annotated[int, Meta(ge=1)]
    kind: PriceKind  # of the line
    line: Annotated[int, Meta(ge=1, description="which it was when it was disputed")]
    cents: Charge  # what it was then
    at: Instant
    by: str
    text: str = ""
    outcome: DisputeOutcome
    settled_at: Instant | None = None
    settled_cents: Charge | None = None
    reason: str = ""


class PriceView(Wire, omit_defaults=False):
    """The price of an offer or dispatch, with all that it follows from. The lines add up to it."""

    offer_id: OfferId
    price_cents: Charge
    price_lines: tuple[PriceLine, ...]
    rates: Rates
    waits: tuple[WaitView, ...] = ()
    disputes: tuple[DisputeView, ...] = ()


@event("dispatch.price.changed", to=To.EVENTS)
class PriceChanged(Wire):
    """What a dispatch costs has changed, or is disputed: waiting, a fee, an amendment, a line settled."""

    request_id: Id
    offer_id: OfferId
    vendor_id: Id
    price_cents: Charge
    price_lines: tuple[PriceLine, ...] = ()
    waiting: bool = False  # the vendor waits at the door now
    open_disputes: Tally = 0


@event("dispatch.dispatch.priced", to=To.VENDOR)
class DispatchPriced(Wire):
    """The same, to its vendor. Texts are read over HTTP, never from a stream."""

    offer_id: OfferId
    price_cents: Charge
    price_lines: tuple[PriceLine, ...] = ()
    waiting: bool = False
    open_disputes: Tally = 0
    href: str
