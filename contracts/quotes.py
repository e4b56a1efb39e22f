"""Vendors and start times for a request that is not stored."""

from __future__ import annotations

from contracts.base import Id, Instant, Name, Price, Wire
from contracts.matches import CostTerm
from contracts.prices import PriceLine, Rates
from contracts.unmatched import Unmatched


class QuotedStart(Wire):
    """Another start at the same vendor, with its price."""

    start_at: Instant
    price_cents: Price
    price_lines: tuple[PriceLine, ...] = ()  # they add up to the price


class Quote(Wire):
    """A vendor and its best start time that breaks no rule now, with its price. Nothing is booked.

    `other_starts`: up to eight more of this vendor's, the soonest first; there may be others still.
    """

    vendor_id: Id
    vendor_name: Name
    start_at: Instant
    price_cents: Price
    cost_cents: int
    terms: tuple[CostTerm, ...] = ()
    other_starts: tuple[QuotedStart, ...] = ()
    price_lines: tuple[PriceLine, ...] = ()  # they add up to the price
    rates: Rates | None = None  # of what may still happen: waiting, and fees


class Quotes(Wire):
    """Ranked quotes, a vendor each, best first; when there is none, why. Vendors named that nobody knows."""

    quotes: tuple[Quote, ...]
    unmatched: Unmatched | None = None
    unknown_vendors: tuple[Id, ...] = ()
