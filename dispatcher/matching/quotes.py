"""Quotes: vendors and start times for a request that is not stored, ranked, with price. Books nothing.

Runs in the web process: no optimiser is imported.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import replace as with_
from zoneinfo import ZoneInfo

import numpy as np

from contracts.codes import RequestState
from contracts.instants import to_instant
from contracts.quotes import Quote, QuotedStart, Quotes
from contracts.requests import Request
from contracts.tuning import Number
from contracts.unmatched import RuleCount, Unmatched
from dispatcher.decisions.record import BY_HAND
from dispatcher.domain.apart import place
from dispatcher.domain.commands.amend import AmendRequest
from dispatcher.domain.commands.answer_counter import TakeCounter
from dispatcher.domain.commands.counter import CounterOffer
from dispatcher.domain.commands.offer_by_hand import OfferByHand
from dispatcher.domain.commands.retime import RetimeDispatch
from dispatcher.domain.links import Bounds
from dispatcher.domain.patients import PATIENT_KIND
from dispatcher.domain.prices import rates_of, rates_view
from dispatcher.domain.refusals import Invalid
from dispatcher.domain.requests import RequestRecord
from dispatcher.domain.windows import start_window
from dispatcher.matching import amending, by_hand, counters, retiming
from dispatcher.matching.apart import beside_others
from dispatcher.matching.horizon import HORIZON
from dispatcher.matching.market import Market
from dispatcher.matching.reasons import rule_counts, with_hint
from dispatcher.matching.refused import told_apart
from dispatcher.matching.relaxations import with_relaxations
from dispatcher.matching.requests import asked_of
from dispatcher.matching.saving import Keeps
from dispatcher.matching.sequence import bounded
from dispatcher.matching.snapshot import Snapshot
from dispatcher.matching.verify import candidate, cents_of, refusing, told
from dispatcher.runtime.clock import Clock
from dispatcher.security.blind_index import BlindIndex
from dispatcher.service.amending import Amending
from dispatcher.store.store import Store
from solvers.candidates import Screened, best_of_each_vendor, ranked, screen
from solvers.rules.base import Candidate
from solvers.rules.price import price_lines, price_of
from solvers.screening import OpenRequest
from solvers.travel import DetourTravel, TravelOf, TravelTimes

MOST_BY_HAND = 16  # that are under way at once
MOST_OTHERS = 8  # starts told of a vendor beside its best


class Quoter:
    """Answers for all markets; vendors are encoded once and kept until one changes."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        markets: Mapping[str, ZoneInfo],
        travel_of: TravelOf = DetourTravel.of,
        savers: Mapping[str, Keeps] | None = None,
    ) -> None:
        """`savers`: who saves the matches that are made by hand, by market; None: nobody."""
        self._amending, self._index = Amending(store), BlindIndex(store.vault)
        self._by_hand = OrderedDict[tuple[str, str], by_hand.Planned]()  # prepared, perhaps not committed
        self._markets = {
            name: Market(store.market(name), tz, clock, travel_of, saver=(savers or {}).get(name))
            for name, tz in markets.items()
        }

    async def quote(self, market: str, request: Request, limit: int = 10) -> Quotes:
        """The best start of each of up to `limit` vendors, cheapest first, and others; or why there is none.

        The day asked for is looked at even if it lies beyond the matcher's horizon, up to the farthest that
        this may be tuned to; a window that opens later is said to lie beyond it. Raises Invalid where it goes
        after a request that is not there, or will not be done.
        """
        snapshot = await self._snapshot(self._markets[market], request)
        if snapshot.asked[0].earliest_ms >= snapshot.reading.capacity.horizon.end_ms:
            return Quotes(quotes=(), unmatched=_too_far(snapshot))
        screening = snapshot.screening()
        found = screen(screening)
        self._markets[market].save_quote(snapshot, screening, ranked(found, limit))
        rows = best_of_each_vendor(found)[:limit]
        best = [candidate(snapshot, found.candidates, row) for row in rows]
        refusals = [refusing(one) for one in best]  # as the matcher would, whatever the arrays say
        quotes = tuple(
            _quote(one, _others(snapshot, found, row))
            for row, one, rule in zip(rows, best, refusals, strict=True)
            if not rule
        )
        if quotes:
            return Quotes(quotes=quotes)
        vendors, why = [each.id for each in snapshot.vendors], told_apart(_why(found, snapshot), refusals)
        why = with_hint(why, snapshot.asked[0], snapshot.vendors)
        return Quotes(quotes=(), unmatched=with_relaxations(why, vendors, screening, row=0))

    async def prepared(self, market: str, record: RequestRecord, command: OfferByHand) -> OfferByHand:
        """An offer by hand with its match; see `by_hand`."""

        def planned(made: by_hand.Planned) -> None:
            self._by_hand[market, made.plan.digest] = made
            while len(self._by_hand) > MOST_BY_HAND:
                self._by_hand.popitem(last=False)

        return await by_hand.prepared(self._markets[market], record, command, planned)

    def committed(self, market: str, record: RequestRecord) -> None:
        """An offer by hand is stored: what its match was made from is saved, beside the work."""
        last = record.offers[-1] if record.offers else None
        made = self._by_hand.pop((market, last.snapshot), None) if last is not None else None
        if made is not None:
            self._markets[market].save(BY_HAND, *made, became={record.id: RequestState.OFFERED.value})

    async def amended(self, market: str, record: RequestRecord, command: AmendRequest) -> AmendRequest:
        """An amendment worked out; see `amending`."""
        return await amending.prepared(self._markets[market], record, command, self._amending)

    async def countered(self, market: str, record: RequestRecord, command: CounterOffer) -> CounterOffer:
        """A counter-offer worked out; see `counters`."""
        return await counters.prepared(self._markets[market], record, command, self._amending)

    async def counter_taken(self, market: str, record: RequestRecord, command: TakeCounter) -> TakeCounter:
        """A counter-offer as it can be taken by now; see `counters`."""
        return await counters.taken(self._markets[market], record, command, self._amending)

    async def retimed(self, market: str, record: RequestRecord) -> RetimeDispatch:
        """Another start for a dispatch, worked out; see `retiming`."""
        return await retiming.prepared(self._markets[market], record)

    async def _snapshot(self, market: Market, request: Request) -> Snapshot:
        if request.on_call is not None:
            raise Invalid(
                f"will-call {request.id} has no time to quote for\n"
                "Maybe ask for the same ride with a pickup_window about when it may be called.",
                request_id=request.id,
            )
        reading = await market.refresh(until_ms=start_window(request, {}).latest_ms)
        travel = market.travel_of(reading.values)
        asked = asked_of(request, market.tz, reading.values, travel=travel)
        asked = await bounded(asked, market.stored.requests, reading.values)
        asked = await self._beside_rides(market, asked, reading.values, travel)
        now_ms = market.clock.now_ms()
        return Snapshot((), (asked,), reading, reading.capacity, now_ms, travel)

    async def _beside_rides(
        self, market: Market, asked: OpenRequest, values: Mapping[str, Number], travel: TravelTimes
    ) -> OpenRequest:
        """Where it names its patient: before or after the rides that this has, as it would be offered."""
        request = asked.request
        tokens = self._index.tokens(market.name, request.patient) if request.is_trip else ()
        if not tokens:
            return asked
        filed = await market.stored.records(PATIENT_KIND).get_all(tokens)
        ids = {each.request_id for one in filed.values() for each in one.requests}
        ids -= {request.id, *(each.request for each in request.after)}
        records = await market.stored.requests.records.get_all(sorted(ids)) if ids else {}
        spans = [place(each, values) for each in records.values() if each.kind == "trip"]
        within = Bounds(asked.not_before_ms, asked.not_after_ms)
        within = beside_others(within, asked, [each for each in spans if each is not None], travel)
        return with_(asked, not_before_ms=within.not_before_ms, not_after_ms=within.not_after_ms)


def _others(snapshot: Snapshot, found: Screened, best: int) -> list[Candidate]:
    """The cheapest candidates of the same vendor at other starts, the soonest first."""
    start_ms = found.candidates.start_ms
    mine = np.flatnonzero(found.candidates.vendor == found.candidates.vendor[best])
    _, first = np.unique(start_ms[mine], return_index=True)
    cheapest = [row for row in mine[np.sort(first)].tolist() if start_ms[row] != start_ms[best]]
    soonest = sorted(cheapest[:MOST_OTHERS], key=lambda row: int(start_ms[row]))
    others = [candidate(snapshot, found.candidates, row) for row in soonest]
    return [each for each in others if not refusing(each)]


def _quote(one: Candidate, others: Sequence[Candidate]) -> Quote:
    cents = cents_of(one)
    return Quote(
        vendor_id=one.vendor.id,
        vendor_name=one.vendor.name,
        start_at=to_instant(one.start_ms),
        price_cents=price_of(one),
        cost_cents=sum(cents.values()),
        terms=told(cents),
        other_starts=tuple(map(_start, others)),
        price_lines=price_lines(one),
        rates=rates_view(rates_of(one.vendor.rate_card)),
    )


def _start(one: Candidate) -> QuotedStart:
    return QuotedStart(
        start_at=to_instant(one.start_ms), price_cents=price_of(one), price_lines=price_lines(one)
    )


def _too_far(snapshot: Snapshot) -> Unmatched:
    """No vendor is to blame, and none was looked at: the days in view end before the window opens."""
    vendors = len(snapshot.vendors)
    return Unmatched(
        vendors=vendors,
        removed=(RuleCount(rule=HORIZON.name, vendors=vendors),),
        last_rule=HORIZON.name,
        explained_at=to_instant(snapshot.now_ms),
    )


def _why(found: Screened, snapshot: Snapshot) -> Unmatched:
    return Unmatched(
        vendors=len(snapshot.vendors),
        removed=rule_counts(found.codes, found.removed[0].tolist()),
        last_rule=found.last_rule(0),
        explained_at=to_instant(snapshot.now_ms),
    )
