"""Match, offer, the vendor's answer, and why there is no match."""

from __future__ import annotations

from contracts.base import Id, Instant, Price, Version, Wire
from contracts.prices import PriceLine


class CostTerm(Wire):
    """One term of a match's cost, in cents, under the name of the rule that set it."""

    rule: str
    cost_cents: int


class RunnerUp(Wire):
    """A candidate that was next best when the match was chosen.

    `but_for`: the cost term but for which it would have cost less than the one that was chosen.
    """

    vendor_id: Id
    start_at: Instant
    cost_cents: int
    but_for: str = ""


class Match(Wire):
    """The chosen candidate, with the facts of its choice (P9: same input, same match)."""

    request_id: Id
    vendor_id: Id
    pool_id: Id
    start_at: Instant
    end_at: Instant
    price_cents: Price
    terms: tuple[CostTerm, ...] = ()
    runners_up: tuple[RunnerUp, ...] = ()
    tuning_version: Version
    snapshot: str = ""  # digest of the solver's input
    decided_at: Instant
    price_lines: tuple[PriceLine, ...] = ()  # they add up to the price
