"""Counter-offers: a vendor would do the work otherwise, and what becomes of that."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from msgspec import Meta

from contracts.base import Cents, Id, Instant, OfferId, Price, Wire, refuse_odd_year
from contracts.codes import LevelOfService
from contracts.event_types import event
from contracts.streams import To

MAX_COUNTERS = 8  # of one offer; the latest is the one that counts

CounterNumber = Annotated[int, Meta(ge=1, description="1 for an offer's first counter-offer")]
SentNumber = Annotated[int, Meta(ge=1, le=9_999, description="1 for an offer's first counter-offer")]
Difference = Annotated[int, Meta(description="cents more than offered; below 0: less")]


class Counter(Wire):
    """What a vendor would do instead; what is left out stays as it was offered.

    The offer itself stays good until its time: it may still be accepted or declined as it is.
    """

    start_at: Instant | None = None  # within the request's window, or outside
    price_cents: Cents | None = None
    level_of_service: LevelOfService | None = None  # of the vehicle that it would send

    def __post_init__(self) -> None:
        """Refuse a counter-offer of nothing, and a time that no calendar of ours holds."""
        refuse_odd_year("start_at", self.start_at)
        if self.start_at is None and self.price_cents is None and self.level_of_service is None:
            raise ValueError(
                "nothing is countered\n"
                "Maybe name another start_at, price_cents or level_of_service; or accept the offer."
            )


class CounterState(StrEnum):
    """What became of a counter-offer."""

    PENDING = "pending"  # a person decides; the offer stays good meanwhile
    TAKEN = "taken"  # the vendor has the work so
    REFUSED = "refused"  # the offer stays good, as it was made
    LAPSED = "lapsed"  # its offer was answered or ended before, or the vendor made another


class CounterView(Wire, omit_defaults=False):
    """A counter-offer beside what was offered."""

    offer_id: OfferId
    number: CounterNumber
    state: CounterState
    start_at: Instant
    price_cents: Price
    level_of_service: LevelOfService | None = None  # where it is another than was asked for
    made_at: Instant
    expires_at: Instant  # with its offer
    start_shift_minutes: int  # against the offer; below 0: earlier
    outside_window_minutes: int  # how far the start lies outside the window that was asked for; 0: within
    more_cents: Difference


class AnswerCounter(Wire):
    """A person takes a counter-offer, or does not."""

    number: SentNumber


@event("dispatch.counter.made", "dispatch.counter.taken", "dispatch.counter.refused", to=To.EVENTS)
class CounterChanged(Wire):
    """A vendor made a counter-offer; or it was taken, by itself or by a person, or refused."""

    request_id: Id
    vendor_id: Id
    counter: CounterView
    by: str = ""


@event("dispatch.offer.counter_refused", to=To.VENDOR)
class CounterRefused(Wire):
    """To its vendor: the counter-offer was not taken; the offer is open as it was made."""

    offer_id: OfferId
    number: CounterNumber
