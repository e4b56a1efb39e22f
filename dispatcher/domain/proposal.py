"""What the matcher proposes: one request to one vendor, with the facts of its choice."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from contracts.matches import CostTerm, RunnerUp
from contracts.prices import PriceLine
from contracts.vendors import Vendor
from dispatcher.domain.booking import Booking
from dispatcher.domain.links import Span


class Precondition(NamedTuple):
    """A document that a match rests on: the vendor, or what it posted for a `day` (ISO), at a version."""

    vendor_id: str
    day: str  # "": the vendor itself
    version: int


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """A checked match that is not committed yet. Times in ms since the epoch, price in US cents.

    `bookings` names what it takes of the ledger: one for each day that the work touches. `terms` and
    `runners_up` say why this vendor; `snapshot` is the digest of what the solver saw. `preconditions` must
    still stand when it is committed: a vendor that was paused meanwhile is not asked. `changed_ms`: when the
    vendor last changed or posted more for the day; what it refused before then it may be asked again.
    """

    vendor: Vendor
    pool_id: str
    start_ms: int
    end_ms: int
    units: int
    bookings: tuple[Booking, ...]
    price_cents: int
    distance_m: int = 0
    terms: tuple[CostTerm, ...] = ()
    runners_up: tuple[RunnerUp, ...] = ()
    tuning_version: int = 0
    snapshot: str = ""
    preconditions: tuple[Precondition, ...] = ()
    changed_ms: int = 0
    price_lines: tuple[PriceLine, ...] = ()  # they add up to the price
    accepts: float = 0.0  # how likely its vendor is to accept it; 0: nobody's answers are known

    @property
    def span(self) -> Span:
        """From start to end."""
        return Span(self.start_ms, self.end_ms)
