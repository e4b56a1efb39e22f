"""A cascade: the chain of who is asked next is fixed when the match is made, and goes on by itself.

Nothing is booked for a link before it is asked; that is one commit with the end of the offer before it. The
ledger says then whether there is room, and the store whether its vendor is as it was. What has changed since
passes a link over; once none is left, the matcher plans anew.
"""

from __future__ import annotations

from contracts.instants import to_instant
from contracts.matches import CostTerm
from contracts.offer_modes import ChainLinkView
from contracts.vendors import AssumedAnswer, ExplicitAnswer
from dispatcher.domain.booking import Booking
from dispatcher.domain.compact import Compact
from dispatcher.domain.prices import Line, OfferRates, rates_of, stored
from dispatcher.domain.proposal import Precondition, Proposal


class ChainLink(Compact, frozen=True):
    """A checked match that waits for its turn. Times in ms since the epoch, price in US cents."""

    vendor_id: str
    pool_id: str
    start_ms: int
    end_ms: int
    price_cents: int
    answer_s: int  # how long its vendor has agreed to take for an answer
    assumed: bool  # whether its silence accepts
    bookings: tuple[Booking, ...]
    preconditions: tuple[Precondition, ...] = ()
    changed_ms: int = 0  # when its vendor last changed
    distance_m: int = 0
    terms: tuple[CostTerm, ...] = ()
    tuning_version: int = 0
    snapshot: str = ""
    price_lines: tuple[Line, ...] = ()
    rates: OfferRates | None = None
    accepts: float = 0.0  # how likely its vendor is to accept it; 0: nobody's answers are known

    @property
    def answer(self) -> ExplicitAnswer | AssumedAnswer:
        """How its vendor answers."""
        if self.assumed:
            return AssumedAnswer(reject_within_s=self.answer_s)
        return ExplicitAnswer(time_limit_s=self.answer_s)


def link_of(proposal: Proposal) -> ChainLink:
    """A match as a link of a chain."""
    answer = proposal.vendor.answer
    assumed = isinstance(answer, AssumedAnswer)
    return ChainLink(
        vendor_id=proposal.vendor.id,
        pool_id=proposal.pool_id,
        start_ms=proposal.start_ms,
        end_ms=proposal.end_ms,
        price_cents=proposal.price_cents,
        answer_s=answer.reject_within_s if isinstance(answer, AssumedAnswer) else answer.time_limit_s,
        assumed=assumed,
        bookings=proposal.bookings,
        preconditions=proposal.preconditions,
        changed_ms=proposal.changed_ms,
        distance_m=proposal.distance_m,
        terms=proposal.terms,
        tuning_version=proposal.tuning_version,
        snapshot=proposal.snapshot,
        price_lines=stored(proposal.price_lines),
        rates=rates_of(proposal.vendor.rate_card),
        accepts=proposal.accepts,
    )


def link_view(link: ChainLink) -> ChainLinkView:
    """For platform and ops; no vendor reads it."""
    return ChainLinkView(
        vendor_id=link.vendor_id,
        pool_id=link.pool_id,
        start_at=to_instant(link.start_ms),
        end_at=to_instant(link.end_ms),
        price_cents=link.price_cents,
        answer_s=link.answer_s,
        assumed=link.assumed,
    )
