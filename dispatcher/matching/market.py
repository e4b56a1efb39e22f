"""One market as its matcher keeps it between two plans: what was last read, and which requests wait."""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from zoneinfo import ZoneInfo

import structlog

from contracts.tuning import Number
from dispatcher.decisions.decided import Decided, Looked
from dispatcher.domain.booking import Booking
from dispatcher.domain.offers import OfferRecord
from dispatcher.domain.proposal import Proposal
from dispatcher.matching.apart import one_after_another
from dispatcher.matching.arrivals import Recent
from dispatcher.matching.encoded import with_these
from dispatcher.matching.reading import Reading, read_market, read_vendor
from dispatcher.matching.requests import Waiting, WaitingRequests
from dispatcher.matching.said_before import SaidBefore
from dispatcher.matching.saving import Keeps, Quoted, decided, looked
from dispatcher.matching.shadow import Shadow
from dispatcher.matching.snapshot import Snapshot
from dispatcher.matching.standing import MOST_OFFERED, StandingOffers, StandingRequest
from dispatcher.runtime.clock import Clock
from dispatcher.runtime.rounds import FEW, FEWER
from dispatcher.store.market import MarketStore
from solvers.planning import BatchPlan
from solvers.screening import Screening
from solvers.travel import DetourTravel, TravelOf, TravelTimes

FEW_VENDORS = 4  # are read one after the other, some 2 ms each
REST_S = 0.000_04  # of a batch, for each imminent request a second: 8 ms at 200 of them …
LONGEST_REST_S = 0.01  # … and no longer: a batch makes some 70 to 100 commits a second then
CALM_S = 5.0  # so long after imminent work it is taken that more may come
log = structlog.get_logger()


def _set() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event


@dataclass(eq=False)
class Market:
    """Refreshed before each batch, and wherever vendors turn out to have changed."""

    stored: MarketStore
    tz: ZoneInfo
    clock: Clock
    travel_of: TravelOf = DetourTravel.of
    reading: Reading | None = None
    requests: WaitingRequests = field(init=False)
    offered: StandingOffers = field(init=False)
    no_imminent_work: asyncio.Event = field(default_factory=_set)  #: cleared while imminent work is at hand
    imminent_s: float = -math.inf  #: real; when imminent work was last at hand
    imminent: Recent = field(default_factory=Recent)  #: how fast it comes
    looked_for_room: dict[str, int] = field(default_factory=dict)  #: by request, when last
    saver: Keeps | None = None  #: who saves what is decided
    counted: set[str] = field(
        default_factory=set
    )  #: open requests of which it is counted whom they passed by
    said_before: SaidBefore = field(default_factory=SaidBefore)  #: what need not be saved again
    planning_ms: int = 0  #: clock time from snapshot to plan, as it was last
    shadow: Shadow | None = None  #: plans batches beside, with a candidate tuning
    known_for_s: float = 0.0  #: real; for so long what became of vendors' work is not read again
    _known_s: float = -math.inf  #: when it was
    _at_hand: int = 0
    _under_way: list[tuple[Booking, ...]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Nothing is read yet."""
        self.requests = WaitingRequests(self.stored.requests)
        self.offered = StandingOffers(self.requests)

    @property
    def name(self) -> str:
        """The market's id."""
        return self.stored.name

    @property
    def values(self) -> Mapping[str, Number]:
        """The tuning as last read; defaults before."""
        return self.reading.values if self.reading else {}

    async def refresh(self, until_ms: int = 0, *, lightly: bool = False) -> Reading:
        """Read tuning, vendors and ledgers again; `until_ms` and `lightly` as for `read_market`."""
        now_ms, before, now_s = self.clock.now_ms(), self.reading, time.monotonic()
        lightly = lightly or now_s - self._known_s < self.known_for_s
        self._known_s = self._known_s if lightly else now_s
        self.reading = await read_market(
            self.stored, self.tz, now_ms, before=before, until_ms=until_ms, lightly=lightly
        )
        if before is not None and self.reading.tuning.version != before.tuning.version:
            self.requests.unplanned.free([*self.requests.unplanned.since_s])  # a rule may go by another value
        return self.reading

    async def leave_out(self, vendor_ids: Collection[str], error: Exception) -> None:
        """Plan without these vendors until their documents are others: planning with them raises `error`."""
        reading = self.reading or await self.refresh()
        left_out = with_these(self.stored, reading.left_out, reading.documents, vendor_ids, error)
        self.reading = replace(reading, left_out=left_out)
        self.requests.unplanned.free_of(vendor_ids)
        await self.refresh(lightly=True)

    async def renew(self, vendor_ids: Collection[str]) -> bool:
        """Read again what these vendors post; False: all are to be read. They are many, or one is another."""
        if len(vendor_ids) > FEW_VENDORS:
            return False
        for each in vendor_ids:
            before = self.reading
            if before is None:
                return False
            after = await read_vendor(self.stored, before, each)
            if (
                after is None or self.reading is not before
            ):  # all were read meanwhile, maybe before the change
                return False
            self.reading = after
        return True

    async def travel(self) -> TravelTimes:
        """For one plan, from the windows of appointments on: what it says of a ride it says again."""
        return self.travel_of((self.reading or await self.refresh()).values)

    async def waiting(self, ids: Sequence[str], travel: TravelTimes | None = None) -> list[Waiting]:
        """Those of these requests that may be offered now."""
        reading, travel = self.reading or await self.refresh(), travel or await self.travel()
        return await self.requests.read(ids, reading, travel, self.clock.now_ms())

    async def next_batch(self, ids: Sequence[str], travel: TravelTimes) -> list[Waiting]:
        """Those of them whose turn it is in a batch."""
        reading = self.reading or await self.refresh()
        return await self.requests.next_batch(ids, reading, travel, self.clock.now_ms(), self.give_way)

    @contextlib.contextmanager
    def at_hand(self) -> Iterator[None]:
        """While imminent work is: others wait."""
        self._at_hand += 1
        self.no_imminent_work.clear()
        try:
            yield
        finally:
            self._at_hand -= 1
            if not self._at_hand:
                self.no_imminent_work.set()

    def give_turn(self) -> None:
        """Who waits for imminent work to end goes on, though more is at hand: in a stream some always is."""
        self.no_imminent_work.set()
        if self._at_hand:
            self.no_imminent_work.clear()

    @property
    def is_calm(self) -> bool:
        """Whether no imminent request came for some seconds, so that none is expected now."""
        return time.monotonic() - self.imminent_s > CALM_S

    @property
    def rest_s(self) -> float:
        """Real; between two pieces of a batch's work: the faster imminent requests come, the longer."""
        return min(REST_S * self.imminent.lately(), LONGEST_REST_S)

    async def let_pass(self) -> int:
        """Whatever came meanwhile has a turn, and imminent requests all that they need; as `LetPass`."""
        await asyncio.sleep(0)
        await self.no_imminent_work.wait()
        return FEW if self.is_calm else FEWER

    async def give_way(self) -> int:
        """The same for a batch's work, which rests before it goes on."""
        await asyncio.sleep(self.rest_s)
        return await self.let_pass()

    async def standing(
        self,
        waiting: Sequence[Waiting],
        travel: TravelTimes,
        ahead_ms: int = 0,
        most: int = MOST_OFFERED,
    ) -> list[StandingRequest]:
        """Unanswered offers that a plan for these may move, if it is ready in `ahead_ms`."""
        reading = self.reading or await self.refresh()
        return await self.offered.near(waiting, reading, travel, self.clock.now_ms() + ahead_ms, most)

    async def snapshot(
        self,
        waiting: Sequence[Waiting],
        ahead_ms: int = 0,
        standing: Sequence[StandingRequest] = (),
        travel: TravelTimes | None = None,
    ) -> Snapshot:
        """These requests beside the vendors as last refreshed, for a plan that is ready in `ahead_ms`.

        Without those that are set aside.
        """
        travel = travel or await self.travel()
        reading = self.reading or await self.refresh()
        waiting = self.requests.unplanned.others(waiting, key=lambda each: each[0].id)
        standing = self.requests.unplanned.others(standing, key=lambda each: each.record.id)
        records = [record for record, _ in waiting] + [each.record for each in standing]
        asked = [asked for _, asked in one_after_another(waiting)] + [each.asked for each in standing]
        now_ms, capacity = self.clock.now_ms() + ahead_ms, reading.capacity.copy()
        for each in standing:
            capacity.give_back(each.offer.bookings)
        for taken in self._under_way:
            capacity.take(taken)
        stand_at = {row: each.offer for row, each in enumerate(standing, start=len(waiting))}
        return Snapshot(records, asked, reading, capacity, now_ms, travel, stand_at)

    def due_for_room(self, waiting: Sequence[Waiting], every_ms: int, most: int) -> list[Waiting]:
        """The first `most` for whom room was not looked for in the last `every_ms`; noted as done now."""
        now_ms = self.clock.now_ms()
        self.looked_for_room = {
            name: at_ms for name, at_ms in self.looked_for_room.items() if now_ms - at_ms < every_ms
        }
        due = [each for each in waiting if each[0].id not in self.looked_for_room][:most]
        self.looked_for_room |= {record.id: now_ms for record, _ in due}
        return due

    def save(
        self,
        kind: str,
        snapshot: Snapshot,
        screening: Screening,
        plan: BatchPlan,
        *,
        became: Mapping[str, str],
    ) -> None:
        """Have a plan saved, once its matches are committed or not. Whatever happens, matching goes on.

        What says only what was said before is saved every few minutes.
        """
        if self.said_before.is_new(kind, snapshot, plan):
            self._keep(lambda: decided(kind, snapshot, screening, plan, became=became))

    def save_quote(self, snapshot: Snapshot, screening: Screening, quoted: Quoted) -> None:
        """The same of a quote, once it is answered: it is planned by whoever saves it."""
        self._keep(lambda: looked(snapshot, screening, quoted))

    def _keep(self, make: Callable[[], Decided | Looked]) -> None:
        if self.saver is None:
            return
        try:
            self.saver.keep(make())
        except Exception as error:
            log.exception("decision_not_kept", market=self.name, error=type(error).__name__)

    @contextlib.contextmanager
    def under_way(self, *proposed: Proposal) -> Iterator[None]:
        """While it is not known whether these are stored: who plans meanwhile finds their places taken."""
        taken = [each.bookings for each in proposed]
        self._under_way += taken
        try:
            yield
        finally:
            for each in taken:
                self._under_way.remove(each)

    def take(self, made: Proposal, instead_of: OfferRecord | None = None) -> None:
        """Count an offer that was stored against what is left; what it replaces is free again."""
        if self.reading is None:
            return
        if instead_of is not None:
            self.reading.capacity.give_back(instead_of.bookings)
        self.reading.capacity.take(made.bookings)
