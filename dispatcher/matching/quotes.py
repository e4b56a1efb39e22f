"""Quotes: vendors and start times for a request that is not stored, ranked, with price. Books nothing.

Runs in the web process: no optimiser is imported.
"""

from __future__ import annotations

from collections.abc import Mapping
from zoneinfo import ZoneInfo

import numpy as np

from contracts.instants import to_instant
from contracts.quotes import Quote, Quotes
from contracts.requests import Request
from contracts.unmatched import Unmatched
from dispatcher.domain.commands.offer_by_hand import OfferByHand
from dispatcher.domain.requests import RequestRecord
from dispatcher.domain.windows import start_window
from dispatcher.matching import by_hand
from dispatcher.matching.market import Market
from dispatcher.matching.reasons import rule_counts, with_hint
from dispatcher.matching.refused import told_apart
from dispatcher.matching.relaxations import with_relaxations
from dispatcher.matching.requests import asked_of
from dispatcher.matching.snapshot import Snapshot
from dispatcher.matching.verify import candidate, cents_of, refusing, told
from dispatcher.runtime.clock import Clock
from dispatcher.store.store import Store
from solvers.candidates import Screened, screen
from solvers.rules.base import Candidate
from solvers.rules.price import price_of
from solvers.travel import DetourTravel, TravelOf


class Quoter:
    """Answers for all markets; vendors are encoded once and kept until one changes."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        markets: Mapping[str, ZoneInfo],
        travel_of: TravelOf = DetourTravel.of,
    ) -> None:
        self._markets = {
            name: Market(store.market(name), tz, clock, travel_of) for name, tz in markets.items()
        }

    async def quote(self, market: str, request: Request, limit: int = 10) -> Quotes:
        """The best start of each of up to `limit` vendors, cheapest first; when there is none, why.

        The day asked for is looked at even if it lies beyond the matcher's horizon.
        """
        snapshot = await self._snapshot(self._markets[market], request)
        screening = snapshot.screening()
        found = screen(screening)
        best = [candidate(snapshot, found.candidates, row) for row in _best_of_each_vendor(found)[:limit]]
        refusals = [refusing(one) for one in best]  # as the matcher would, whatever the arrays say
        quotes = tuple(_quote(one) for one, rule in zip(best, refusals, strict=True) if not rule)
        if quotes:
            return Quotes(quotes=quotes)
        vendors, why = [each.id for each in snapshot.vendors], told_apart(_why(found, snapshot), refusals)
        why = with_hint(why, snapshot.asked[0], snapshot.vendors)
        return Quotes(unmatched=with_relaxations(why, vendors, screening, row=0))

    async def prepared(self, market: str, record: RequestRecord, command: OfferByHand) -> OfferByHand:
        """An offer by hand with its match; see `by_hand`."""
        return await by_hand.prepared(self._markets[market], record, command)

    async def _snapshot(self, market: Market, request: Request) -> Snapshot:
        reading = await market.refresh(until_ms=start_window(request, {}).latest_ms)
        asked = asked_of(request, market.tz, reading.values, travel_of=market.travel_of)
        now_ms = market.clock.now_ms()
        return Snapshot((), (asked,), reading, reading.capacity, now_ms, market.travel_of)


def _best_of_each_vendor(found: Screened) -> list[int]:
    """Candidates are sorted by cost: the first of each vendor."""
    _, first = np.unique(found.candidates.vendor, return_index=True)
    return [int(row) for row in np.sort(first)]


def _quote(one: Candidate) -> Quote:
    cents = cents_of(one)
    return Quote(
        vendor_id=one.vendor.id,
        vendor_name=one.vendor.name,
        start_at=to_instant(one.start_ms),
        price_cents=price_of(one),
        cost_cents=sum(cents.values()),
        terms=told(cents),
    )


def _why(found: Screened, snapshot: Snapshot) -> Unmatched:
    return Unmatched(
        vendors=len(snapshot.vendors),
        removed=rule_counts(found.codes, found.removed[0].tolist()),
        last_rule=found.last_rule(0),
        explained_at=to_instant(snapshot.now_ms),
    )
