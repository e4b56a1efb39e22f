"""Vendors and start times for a request that is not stored."""

from __future__ import annotations

from contracts.base import Id, Instant, Name, Price, Wire
from contracts.matches import CostTerm
from contracts.unmatched import Unmatched


class Quote(Wire):
    """One vendor and start time that breaks no rule now, with its price. Nothing is booked."""

    vendor_id: Id
    vendor_name: Name
    start_at: Instant
    price_cents: Price
    cost_cents: int
    terms: tuple[CostTerm, ...] = ()


class Quotes(Wire):
    """Ranked quotes, best first; when there is none, why. Which vendors it names that nobody knows."""

    quotes: tuple[Quote, ...] = ()
    unmatched: Unmatched | None = None
    unknown_vendors: tuple[Id, ...] = ()
