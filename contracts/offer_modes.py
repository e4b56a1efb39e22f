"""How an offer finds its taker: who is asked at once, who after whom, and what silence means."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from msgspec import Meta

from contracts.base import Id, Instant, Price, Wire


class OfferMode(StrEnum):
    """How vendors are asked for a request."""

    EXPLICIT = "explicit"  # one after the other, and none by its silence
    ASSUMED = "assumed"  # one after the other; the silence of those who agreed to that accepts
    CASCADE = "cascade"  # one after the other down a chain that is fixed when the match is made
    BROADCAST = "broadcast"  # several at once; nothing is booked before one of them accepts


class ChainLinkView(Wire, omit_defaults=False):
    """Who is asked next, should everybody before decline or not answer. No vendor reads this."""

    vendor_id: Id
    pool_id: Id
    start_at: Instant
    end_at: Instant
    price_cents: Price
    answer_s: Annotated[int, Meta(ge=0, description="seconds that its vendor has at the least agreed to")]
    assumed: bool = False  # its silence would accept
