"""What one open request costs in Redis in each open state: what used_memory grows by for it.

A market of vendors with posted capacity and consumers is there before. Requests come in and go on through the
same decisions and commits as in the service: received under an idempotency key of its own, offered with all
that explains the choice, accepted over Redis. Twice each: just written, and when an hour has gone by in which
platform and vendors have acknowledged their messages. `events`, read by position, keeps all of its own.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from contracts.codes import DoorLevel, LevelOfService, RequestState, ServiceClass
from contracts.geo import Circle, Place, Window
from contracts.instants import MINUTE_MS, to_instant
from contracts.matches import CostTerm, RunnerUp
from contracts.needs import PassengerNeeds
from contracts.patients import Patient
from contracts.pools import Pool, Pools
from contracts.requests import TripRequest
from contracts.vendors import Vendor
from dispatcher.domain.booking import PoolBooking
from dispatcher.domain.commands.accept import AcceptOffer
from dispatcher.domain.commands.make_offer import MakeOffer
from dispatcher.domain.commands.submit import receive
from dispatcher.domain.commands.table import Command, decide
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Decision
from dispatcher.domain.proposal import Precondition, Proposal
from dispatcher.domain.request_kind import REQUEST_KIND, index_of, offers_of
from dispatcher.domain.requests import RequestRecord
from dispatcher.store.idempotency import COMMAND_TTL_MS, IdempotencyRecord
from dispatcher.store.keys import Keys
from dispatcher.store.store import Store

MARKET, GROUP, POOL = "metro", "bench", "wheelchair-vans"
KEYS = Keys(MARKET)
START = datetime(2026, 11, 23, 12, tzinfo=UTC)
START_MS = int(START.timestamp() * 1000)
DAY = date(2026, 11, 23)
BUCKETS = 9  # of five minutes that a ride takes its van
EACH_VENDOR = 10  # requests that a vendor serves in a day: 6,002 trips and 613 vehicles on a real one
SHORTLY_MS = 1  # for how long a reply is remembered here, for an hour
STREETS = ("West 12th Street", "Avenue of the Americas", "East 102nd Street", "Broadway", "Grand Concourse")
HOUSES = ("St. Vincent's Medical Center", "Riverside Dialysis", "Mount Carmel Rehabilitation and Nursing")
NAMES = ("Maria", "Consuelo", "Hernandez", "Whitfield", "Li", "Okonkwo", "Abernathy", "Rosenbaum", "Tran")
NOTES = ("", "", "uses her own wheelchair; daughter meets her at the door", "hard of hearing: ring twice")


def trip(number: int) -> TripRequest:
    """A wheelchair ride across town, patient and all; the same for the same number."""
    draw = random.Random(number)
    earliest = START + timedelta(minutes=120 + 5 * draw.randrange(72))
    return TripRequest(
        id=f"req-20261123-{number:06d}",
        pickup=Place(position=_door(draw)),
        dropoff=Place(position=_door(draw)),
        level_of_service=draw.choice((LevelOfService.WHEELCHAIR, LevelOfService.AMBULATORY)),
        pickup_window=Window(earliest=earliest, latest=earliest + timedelta(minutes=30)),
        needs=PassengerNeeds(
            escorts=draw.randrange(2),
            stairs=draw.choice((0, 0, 4, 12)),
            weight_kg=draw.randrange(45, 130),
            door_level=draw.choice((DoorLevel.DOOR_TO_DOOR, DoorLevel.DOOR_THROUGH_DOOR)),
        ),
        patient=_patient(draw),
    )


def _door(draw: random.Random) -> tuple[float, float]:
    return round(draw.uniform(-74.02, -73.90), 6), round(draw.uniform(40.70, 40.82), 6)


def _patient(draw: random.Random) -> Patient:
    street, house = draw.choice(STREETS), draw.choice(HOUSES)
    return Patient(
        name=" ".join(draw.sample(NAMES, draw.randrange(2, 4))),
        phone=f"+1 212 555 {draw.randrange(10_000):04d}",
        pickup_address=f"{house}, {draw.randrange(999)} {street}, New York, NY 100{draw.randrange(10, 99)}",
        dropoff_address=f"{draw.randrange(999)} {draw.choice(STREETS)}, apartment {draw.randrange(40)}C, "
        f"New York, NY 100{draw.randrange(10, 99)}",
        record_number=f"MRN-{draw.randrange(10**8):08d}",
        notes=draw.choice(NOTES),
    )


def vendor_id(number: int) -> str:
    """By number."""
    return f"vendor-{number:04d}"


def _vendor(number: int) -> Vendor:
    area = Circle(centre=(-73.97, 40.76), radius_m=30_000)
    return Vendor(id=vendor_id(number), name=f"Vendor {number}", service_area=(area,))


def proposal(record: RequestRecord, number: int, vendors: int) -> Proposal:
    """As the matcher makes it: three terms of cost, the three that were next best."""
    draw = random.Random(number)
    start_ms = record.earliest_ms + draw.randrange(30) * MINUTE_MS
    local = (start_ms // MINUTE_MS - 5 * 60) % 1_440 // 5  # New York
    bucket = min(local, 288 - BUCKETS)  # whenever it is run: all of it on one day
    chosen = _vendor(number % vendors)
    terms = (
        ("price", draw.randrange(3_500, 9_000)),
        ("lateness", 25),
        ("scorecard", draw.randrange(300)),
    )
    return Proposal(
        vendor=chosen,
        pool_id=POOL,
        start_ms=start_ms,
        end_ms=start_ms + 42 * MINUTE_MS,
        units=1,
        bookings=(PoolBooking(chosen.id, POOL, DAY.isoformat(), bucket, BUCKETS, 1),),
        price_cents=terms[0][1],
        distance_m=draw.randrange(1_000, 20_000),
        terms=tuple(CostTerm(rule=rule, cost_cents=cents) for rule, cents in terms),
        runners_up=tuple(
            RunnerUp(
                vendor_id=vendor_id((number + step) % vendors),
                start_at=to_instant(start_ms + step * MINUTE_MS),
                cost_cents=draw.randrange(3_500, 9_000),
            )
            for step in range(1, 4)
        ),
        tuning_version=12,
        snapshot=f"{draw.getrandbits(64):016x}",
        preconditions=(Precondition(chosen.id, "", 1), Precondition(chosen.id, DAY.isoformat(), 1)),
    )


def submitted(request: TripRequest) -> Decision:
    """The request comes in."""
    return receive(request, Context(now_ms=START_MS, by="platform"))


def offered(record: RequestRecord, request: TripRequest, plan: Proposal) -> Decision:
    """The request is put to the vendor of the plan."""
    command = MakeOffer(request_id=record.id, request=request, proposal=plan)
    return _decided(record, command, Context(now_ms=START_MS + 90, by="matcher"))


def accepted(record: RequestRecord) -> Decision:
    """The vendor of its first offer takes the work."""
    vendor, command = record.offers[0].vendor_id, AcceptOffer(offer_id=f"{record.id}.1")
    context = Context(now_ms=START_MS + 60_000, by=f"vendor:{vendor}", vendor_id=vendor)
    return _decided(record, command, context)


def _decided(record: RequestRecord, command: Command, context: Context) -> Decision:
    decision = decide(record, command, context)
    assert decision is not None, command.named  # noqa: S101  (each of them comes for the first time)
    return decision


class OpenRequests:
    """Requests on their way through the open states of a market of their own."""

    def __init__(self, store: Store, requests: int) -> None:
        self.store, self.market = store, store.market(MARKET)
        self.trips = [trip(number) for number in range(requests)]
        self.vendors = max(4, requests // EACH_VENDOR)
        self.streams = [KEYS.matches, *(KEYS.stream(vendor_id(each)) for each in range(self.vendors))]
        self.records: list[RequestRecord] = []

    async def prepare(self) -> None:
        """Vendors, their capacity, and consumers that have read before."""
        pool = Pool(id=POOL, serves=(ServiceClass.WHEELCHAIR,), units=(50,) * 24)
        for number in range(self.vendors):
            await self.market.vendors.put(_vendor(number))
            await self.market.capacity.put(vendor_id(number), DAY, Pools(pools=(pool,)))
        for each in self.streams:
            await self.store.streams.ensure_group(each, GROUP)
        await self.an_hour_goes_by()

    async def receive(self) -> None:
        """All of them come in."""
        await self._store([submitted(each) for each in self.trips], "submit", trips=self.trips)

    async def offer(self) -> None:
        """Each is put to a vendor."""
        pairs = enumerate(zip(self.records, self.trips, strict=True))
        await self._store(
            [
                offered(record, each, proposal(record, number, self.vendors))
                for number, (record, each) in pairs
            ]
        )

    async def accept(self) -> None:
        """Each vendor replies over Redis that it takes the work."""
        await self._store([accepted(each) for each in self.records], "reply", ttl_ms=SHORTLY_MS)

    async def an_hour_goes_by(self) -> None:
        """Everything is read and acknowledged; what nobody needs any more is removed."""
        for each in self.streams:
            while entries := await self.store.streams.read_group(each, GROUP, "1", 1_000):
                await self.store.streams.acknowledge(each, GROUP, *[entry.id for entry in entries])
        await asyncio.sleep(0.005)  # past the millisecond of the last message, and of the replies
        await self.market.retention.trim_streams(done_ms=0)
        for name in self._replies():
            await self.store.reader.get(name)  # it has expired: a look removes it

    def parts(self) -> dict[str, list[str]]:
        """The keys by what they hold."""
        vendors = [vendor_id(each) for each in range(self.vendors)]
        states = (RequestState.RECEIVED, RequestState.OFFERED, RequestState.ACCEPTED)
        lists = [*map(index_of, states), REQUEST_KIND.timers, *map(offers_of, vendors)]
        return {
            "record": [KEYS.record(REQUEST_KIND, each.id) for each in self.trips],
            "request_and_patient": [KEYS.body(REQUEST_KIND, each.id) for each in self.trips],
            "idempotency": [*_kept("submit", self.trips), *self._replies()],
            "timer_and_index": [KEYS.list(each) for each in lists],
            "ledger": [KEYS.used(each, POOL, DAY.isoformat()) for each in vendors],
            "events": [KEYS.events],
            "matches_and_vendor_streams": self.streams,
        }

    def _replies(self) -> list[str]:
        return _kept("reply", self.trips)

    async def _store(
        self,
        decisions: Sequence[Decision],
        scope: str = "",
        *,
        trips: Sequence[TripRequest] = (),
        ttl_ms: int = COMMAND_TTL_MS,
    ) -> None:
        async def one(number: int) -> None:
            decision = decisions[number]
            kept = IdempotencyRecord.of(scope, decision.after.id, b"", ttl_ms=ttl_ms) if scope else None
            mine = trips[number : number + 1]
            outcome = await self.market.commit([decision], requests=mine, idempotency=kept)
            if not outcome.ok:
                raise RuntimeError(f"{decision.after.id}: {outcome}")

        for first in range(0, len(decisions), 500):
            await asyncio.gather(*map(one, range(first, min(first + 500, len(decisions)))))
        self.records = [each.after for each in decisions]


def _kept(scope: str, trips: Sequence[TripRequest]) -> list[str]:
    return [KEYS.command(IdempotencyRecord.of(scope, each.id, b"").digest) for each in trips]


async def measure(store: Store, requests: int) -> dict[str, dict[str, int]]:
    """Bytes for one open request, by state: all told, just written and an hour later, and by part.

    The parts are MEMORY USAGE of an hour later; what they lack of the whole are the server's tables of keys.
    """
    works, figures = OpenRequests(store, requests), dict[str, dict[str, int]]()
    await works.prepare()
    before = await store.memory_bytes()
    base = await _sizes(store, works)

    async def grown() -> int:
        return round((await store.memory_bytes() - before) / requests)

    for state, step in (("received", works.receive), ("offered", works.offer), ("accepted", works.accept)):
        await step()
        written = await grown()
        await works.an_hour_goes_by()
        sizes = await _sizes(store, works)
        parts = {part: round((size - base[part]) / requests) for part, size in sizes.items()}
        figures[state] = {"just_written": written, "an_hour_later": await grown()} | parts
    return figures


async def _sizes(store: Store, works: OpenRequests) -> dict[str, int]:
    found = {}
    for part, names in works.parts().items():
        asked = [("MEMORY", "USAGE", name, "SAMPLES", 0) for name in names]
        found[part] = sum(size or 0 for size in await store.reader.ask_all(asked))
    return found
