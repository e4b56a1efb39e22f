"""Caps: the most that a vendor does for one payer in a day, a month or a year, in trips and in cents."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from typing import Annotated

from msgspec import Meta

from contracts.base import Day, Id, Price, Tally, Version, Wire

MAX_CAPS = 64  # of one vendor


class CapPeriod(StrEnum):
    """Over what it is counted, by the market's calendar."""

    DAY = "day"
    MONTH = "month"
    YEAR = "year"


class Cap(Wire):
    """The most for one payer over one period; by the day of the agreed start. A delivery is a trip, too."""

    payer: Id
    period: CapPeriod
    trips: Annotated[int, Meta(ge=0, le=10_000_000)] | None = None  # left out: as many as there are
    cents: Annotated[int, Meta(ge=0, le=100_000_000_000, description="US cents")] | None = None

    def __post_init__(self) -> None:
        """Refuse a cap of nothing."""
        if self.trips is None and self.cents is None:
            raise ValueError(
                "a cap needs `trips`, `cents` or both\nMaybe leave the cap out: then there is none."
            )


class Caps(Wire):
    """All caps of one vendor; what is not listed has none."""

    caps: Annotated[tuple[Cap, ...], Meta(max_length=MAX_CAPS)] = ()

    def __post_init__(self) -> None:
        """Refuse two caps of one payer and period."""
        times = Counter((each.payer, each.period) for each in self.caps)
        twice = next((key for key, count in times.items() if count > 1), None)
        if twice is not None:
            raise ValueError(
                f"payer {twice[0]} has two caps a {twice[1]}\nMaybe put trips and cents into one."
            )


class CapsQuery(Wire):
    """`day`: within which day, month and year to count; left out: today."""

    day: Day | None = None


class CapView(Wire, omit_defaults=False):
    """A cap, and what is used of it: what is booked and what was done. Work that was done stays counted."""

    payer: Id
    period: CapPeriod
    first_day: Day
    last_day: Day
    trips: Tally | None
    used_trips: Tally
    left_trips: Tally | None
    cents: Price | None
    used_cents: Price
    left_cents: Price | None


class CapsView(Wire, omit_defaults=False):
    """Caps of one vendor, by payer and period."""

    vendor_id: Id
    version: Version
    caps: tuple[CapView, ...]
