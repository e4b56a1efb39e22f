"""The platform and the ops of `bench night`: vendors, tuning, all requests, then what became of them."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import msgspec

from benchmarks.imminent_load import Market
from benchmarks.night_day import NightDay
from contracts.codes import RequestState, Role
from contracts.events import RequestMatched
from contracts.streams import matches
from dispatcher.domain.requests import RequestRecord
from dispatcher.store.events import unpack_event
from dispatcher.store.market import MarketStore
from dispatcher.store.store import Store
from dispatcher.store.streams import START
from solvers.formulation import PENALTIES

MATCHED = "dispatch.request.matched"
POLL_S = 0.1
READ_AT_ONCE = 1_000


class Broker(Market):
    """One market over HTTP."""

    async def open(self, day: NightDay, tuning: Mapping[str, float], at_once: int) -> None:
        """Its tuning, vendors and their capacity."""
        async with self._session():
            told = {"values": dict(tuning), "reason": "a night"}
            await self._call("PUT", "/tuning", told, if_match='"0"')
            vendors = iter(list(day.vendors()))
            await asyncio.gather(*(self._vendors_of(vendors, day) for _ in range(at_once)))

    async def submit(self, bodies: Sequence[Sequence[Any]], at_once: int) -> float:
        """All requests, call by call; the seconds that it took until the last 202."""
        async with self._session():
            began, calls = time.perf_counter(), iter(bodies)
            await asyncio.gather(*(self._calls_of(calls) for _ in range(at_once)))
            return time.perf_counter() - began

    async def _vendors_of(self, vendors: Iterator[Any], day: NightDay) -> None:
        for vendor, pools in vendors:
            await self._call("PUT", f"/vendors/{vendor.id}", msgspec.to_builtins(vendor))
            path = f"/vendors/{vendor.id}/capacity/{day.date.isoformat()}"
            await self._call("PUT", path, msgspec.to_builtins(pools))

    async def _calls_of(self, calls: Iterator[Sequence[Any]]) -> None:
        for some in calls:
            await self._call("POST", "/requests", {"requests": some}, Role.PLATFORM)

    def _session(self) -> aiohttp.ClientSession:
        self.session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(None), connector=aiohttp.TCPConnector(limit=0)
        )
        return self.session


def calls_of(day: NightDay, a_call: int) -> list[list[Any]]:
    """The bodies of the calls, so many requests each."""
    bodies = [msgspec.to_builtins(each) for each in day.requests()]
    return [bodies[first : first + a_call] for first in range(0, len(bodies), a_call)]


async def all_decided(stored: MarketStore, patience_s: float) -> float | None:
    """Seconds until every request has an offer or is told why not; None: patience ended before.

    One that was not looked at is `received`; `matching` is told why, or comes back from an offer.
    """
    began = time.perf_counter()
    while time.perf_counter() < began + patience_s:
        counts = await stored.requests.counts()
        if not counts.get(RequestState.RECEIVED, 0):
            return time.perf_counter() - began
        await asyncio.sleep(POLL_S)
    return None


@dataclass
class Became:
    """What became of all requests of a night."""

    offered: int = 0
    explained: int = 0
    lost: int = 0  #: not there, or neither of the two
    twice: int = 0  #: offered to more than one vendor
    cost_cents: int = 0  #: of the matches, and what leaving the others out costs beyond their cheapest vendor
    why: Counter[str] = field(default_factory=Counter)  #: of those explained: the rule that removed the last

    def count(self, record: RequestRecord | None, cost_cents: int | None) -> None:
        """One request's: its record, and what its last match cost."""
        if record is None:
            self.lost += 1
            return
        self.twice += len(record.live_offers) > 1
        if record.live_offers and cost_cents is not None:
            self.offered += 1
            self.cost_cents += cost_cents
        elif record.unmatched is not None:
            self.explained += 1
            self.why["competition" if record.unmatched.competition else record.unmatched.last_rule] += 1
            self.cost_cents += int(PENALTIES[record.priority].default)
        else:
            self.lost += 1


async def what_became(store: Store, market: str, names: Sequence[str]) -> Became:
    """Counted from the records and the matches that were told, not from what the service says of itself."""
    stored, became, costs = store.market(market), Became(), await _costs(store, market)
    for first in range(0, len(names), READ_AT_ONCE):
        some = names[first : first + READ_AT_ONCE]
        records = await stored.requests.records.get_all(some)
        for name in some:
            became.count(records.get(name), costs.get(name))
    return became


async def _costs(store: Store, market: str) -> dict[str, int]:
    """By request, cents of all cost terms of its last match."""
    costs, after = dict[str, int](), START
    while entries := await store.streams.read(matches(market), after, READ_AT_ONCE):
        for event in (unpack_event(each.event) for each in entries):
            if event.type == MATCHED:
                match = msgspec.convert(event.data, RequestMatched, strict=False).match
                costs[match.request_id] = sum(each.cost_cents for each in match.terms)
        after = entries[-1].id
    return costs
