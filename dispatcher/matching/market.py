"""One market as its matcher keeps it: vendors, ledgers, request bodies; refreshed from the store."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from contracts.requests import Request
from contracts.tuning import Parameter, Tuning
from contracts.vendors import Vendor
from dispatcher.domain.proposal import Proposal
from dispatcher.matching.capacity import CapacityBook, capacity_book, ledger_keys
from dispatcher.matching.changes import Changes
from dispatcher.matching.knowledge import read_knowledge
from dispatcher.matching.snapshot import (
    Snapshot,
    Waiting,
    horizon_of,
    may_be_offered,
    open_request,
    reach_ms,
    received_first,
)
from dispatcher.runtime.clock import Clock
from dispatcher.store.codec import Versioned
from dispatcher.store.store import Store
from solvers.encoding import VendorBook
from solvers.travel import DetourTravel, TravelOf

BATCH_LIMIT = Parameter(
    name="batch_limit",
    default=6_000,
    minimum=10,
    maximum=50_000,
    unit="requests",
    summary="Most requests planned in one batch; the longest waiting come first.",
    scope="matching.market",
)
PARAMETERS = (BATCH_LIMIT,)
MOST_OPEN = 200_000  # ids read at a time; of requests out of reach nothing else is read again


def _set() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event


@dataclass(eq=False)
class Market:
    """What is kept between snapshots. Requests never change, so their bodies are read once."""

    name: str
    tz: ZoneInfo
    store: Store
    clock: Clock
    travel_of: TravelOf = DetourTravel.of
    tuning: Tuning = field(default_factory=Tuning)
    book: VendorBook = field(default_factory=lambda: VendorBook.of(()))
    capacity: CapacityBook | None = None
    no_imminent_work: asyncio.Event = field(default_factory=_set)  #: cleared while imminent work is at hand
    planning_ms: int = 0  #: clock time from snapshot to plan, as it was last
    bodies: dict[str, Request] = field(default_factory=dict)
    versions: dict[tuple[str, str], int] = field(default_factory=dict)  #: of vendors (day "") and postings
    changes: Changes = field(init=False)
    _vendors: dict[str, Versioned[Vendor]] = field(default_factory=dict)
    _far: dict[str, int] = field(default_factory=dict)  #: requests out of reach, by when their window opens

    def __post_init__(self) -> None:
        """Before the first refresh no change is known."""
        self.changes = Changes(self.tz)

    async def refresh(self, until_ms: int = 0) -> CapacityBook:
        """Read tuning, vendors and ledgers again; all of it is new at once, so no snapshot is a mixture.

        `until_ms`: of days up to this one, though it lies beyond the horizon.
        """
        tuning = await self.store.tuning(self.name)
        vendors = await self.store.vendors(self.name)
        horizon = horizon_of(self.tz, self.clock.now_ms(), tuning.values, until_ms)
        postings = await self.store.capacities(self.name, horizon.days)
        posted = {posting: each.value for posting, each in postings.items()}
        ledgers = await self.store.ledger(self.name, ledger_keys(posted))
        known = await read_knowledge(self.store, self.name, self.clock.now_ms(), tuning.values)
        self.tuning = tuning
        if vendors != self._vendors:
            self.book = VendorBook.of(tuple(each.value for each in vendors.values()), known)
            self._vendors = vendors
        self.book = self.book.knowing(known)
        self.versions = {(vendor, ""): each.version for vendor, each in vendors.items()}
        self.versions |= {posting: each.version for posting, each in postings.items()}
        dates = {(vendor, ""): each.changed_ms for vendor, each in vendors.items()}
        dates |= {posting: each.changed_ms for posting, each in postings.items()}
        self.changes = Changes(self.tz, dates)
        self.capacity = capacity_book(self.book.index, posted, ledgers, horizon)
        return self.capacity

    async def open_ids(self) -> list[str]:
        """Requests that wait for a vendor, longest waiting first."""
        return await self.store.open_ids(self.name, MOST_OPEN)

    async def waiting(self, ids: Sequence[str]) -> list[Waiting]:
        """Those of these requests that may be offered now, as they came: open, within reach, not used up."""
        now_ms, values, bodies = self.clock.now_ms(), self.tuning.values, self.bodies
        end_ms = reach_ms(now_ms, values)
        near = [each for each in ids if self._far.get(each, 0) <= end_ms][: BATCH_LIMIT.whole(values)]
        records = await self.store.records(self.name, near)
        far = {each.id: each.earliest_ms for each in records.values() if each.earliest_ms > end_ms}
        self._far |= far
        await self._read_bodies([each for each in near if each not in far])
        return [
            (record, open_request(record, bodies[record.id], self.changes, values, self.travel_of))
            for record in received_first(list(records.values()))
            if record.id in bodies and may_be_offered(record, now_ms, values)
        ]

    async def snapshot(self, waiting: Sequence[Waiting], ahead_ms: int = 0) -> Snapshot:
        """These requests beside the vendors as last refreshed, for a plan that is ready in `ahead_ms`."""
        capacity = self.capacity or await self.refresh()
        return Snapshot(
            records=tuple(record for record, _ in waiting),
            asked=tuple(asked for _, asked in waiting),
            book=self.book,
            capacity=capacity.copy(),
            versions=self.versions,
            changes=self.changes,
            tuning=self.tuning,
            now_ms=self.clock.now_ms() + ahead_ms,
            travel_of=self.travel_of,
        )

    async def _read_bodies(self, ids: Sequence[str]) -> None:
        missing = [each for each in ids if each not in self.bodies]
        self.bodies |= await self.store.requests(self.name, missing) if missing else {}

    def take(self, made: Proposal) -> None:
        """Count an offer that was stored against what is left."""
        if self.capacity is not None:
            self.capacity.take(made.bookings)

    def forget_all_but(self, open_ids: Sequence[str]) -> None:
        """Keep what is known of open requests only."""
        self.bodies = {each: self.bodies[each] for each in open_ids if each in self.bodies}
        self._far = {each: self._far[each] for each in open_ids if each in self._far}
