"""What the application is made of: every handler gets it with the call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec

from contracts.quotes import Quotes
from contracts.requests import Request
from dispatcher.delivery.hub import Hub
from dispatcher.domain.commands.amend import AmendRequest
from dispatcher.domain.commands.answer_counter import TakeCounter
from dispatcher.domain.commands.counter import CounterOffer
from dispatcher.domain.commands.offer_by_hand import OfferByHand
from dispatcher.domain.requests import RequestRecord
from dispatcher.http.concurrency import Limits
from dispatcher.http.metrics import Metrics
from dispatcher.runtime.clock import Clock
from dispatcher.runtime.places import Place
from dispatcher.runtime.urls import TilesUrl
from dispatcher.service.service import Service
from dispatcher.travel.engine import Engine


class Quoter(Protocol):
    """Who answers quotes, and makes the match of an offer by hand: `dispatcher.matching.quotes.Quoter`."""

    async def quote(self, market: str, request: Request) -> Quotes:
        """Ranked vendors and start times, or why there are none."""

    async def prepared(self, market: str, record: RequestRecord, command: OfferByHand) -> OfferByHand:
        """The command with its match, by the matcher's rules. Raises DoesNotFit, and what `by_hand` says."""

    def committed(self, market: str, record: RequestRecord) -> None:
        """That command had its effect: what its match was made from is saved, beside the work."""

    async def amended(self, market: str, record: RequestRecord, command: AmendRequest) -> AmendRequest:
        """The command worked out on what stands. Raises Invalid, and what `amending` says."""

    async def countered(self, market: str, record: RequestRecord, command: CounterOffer) -> CounterOffer:
        """A counter-offer with its place. Raises DoesNotFit, and what `counters` says."""

    async def counter_taken(self, market: str, record: RequestRecord, command: TakeCounter) -> TakeCounter:
        """The answer to one, with its place by now. Raises as `countered`."""


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """The composition root makes them, and ends them."""

    service: Service
    hub: Hub
    quoter: Quoter
    clock: Clock
    token_keys: Mapping[str, Any]  # a JWKS
    limits: Limits = Limits()
    engine: Engine | None = None  # asks a routing server, if there is one
    metrics: Metrics = msgspec.field(default_factory=Metrics)
    map_tiles: TilesUrl | None = None  # pictures below the console's map
    map_credit: str = ""  # whose they are
    places: Mapping[str, tuple[Place, ...]] = {}  # named ones, by market
    public_url: str = ""  # under which people reach it, behind what speaks TLS for it
