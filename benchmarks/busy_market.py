"""A busy market, made in seconds: 900 vendors, 10,000 requests under way, and what changes of them.

Straight through the store, by the decisions of the service: faster than it could be played, and the records,
lists, ledgers and events are the same. Nobody matches meanwhile.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from contracts.codes import (
    CredentialKind,
    LevelOfService,
    Priority,
    RequestState,
    ServiceClass,
    Skill,
    TrackingStatus,
)
from contracts.geo import Circle, Place, Position, Window
from contracts.instants import DAY_MS, MINUTE_MS, to_instant
from contracts.patients import Patient
from contracts.pools import Pool, Pools
from contracts.requests import EquipmentOrder, OrderLine, Request, TripRequest
from contracts.vendors import Credential, ExplicitAnswer, Signed, Vendor
from dispatcher.domain.booking import PoolBooking
from dispatcher.domain.commands.accept import AcceptOffer
from dispatcher.domain.commands.make_offer import MakeOffer
from dispatcher.domain.commands.report import ReportStatus
from dispatcher.domain.commands.submit import receive
from dispatcher.domain.commands.table import Command, decide
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Decision
from dispatcher.domain.proposal import Precondition, Proposal
from dispatcher.domain.requests import RequestRecord
from dispatcher.store.market import MarketStore

POOL = "vans"
CENTRE, SPREAD = (-73.95, 40.75), 0.18  # degrees; New York
AT_ONCE = 128
RIDES = (LevelOfService.WHEELCHAIR, LevelOfService.AMBULATORY, LevelOfService.STRETCHER)
EQUIPMENT_SHARE = 0.2
ANSWER_S = 86_400  # nobody matches and no timer fires: an offer waits until it is taken
STATES = (RequestState.RECEIVED, RequestState.OFFERED, RequestState.ACCEPTED, RequestState.IN_PROGRESS)


@dataclass
class BusyMarket:
    """Requests under way, each with what happens to it next; the oldest in its state first."""

    stored: MarketStore
    tz: ZoneInfo
    vendors: int = 900
    seed: int = 1
    seconds: float = 0.0  #: that filling it took

    def __post_init__(self) -> None:
        """Nothing is stored yet."""
        self.draw = random.Random(self.seed)
        self.under_way: deque[tuple[RequestRecord, Request]] = deque()
        self.number = 0
        self._vendor_documents: list[Vendor] = []

    async def open(self) -> None:
        """Vendors and what they posted for yesterday, today and the two days after."""
        today = to_instant(_now_ms()).astimezone(self.tz).date()
        pool = Pool(id=POOL, serves=tuple(ServiceClass), units=(400,) * 24)
        posted = Pools(pools=(pool,))
        self._vendor_documents = [self._vendor(each) for each in range(self.vendors)]

        async def one(vendor: Vendor) -> None:
            await self.stored.vendors.put(vendor)
            for days in range(-1, 3):
                await self.stored.capacity.put(vendor.id, today + timedelta(days=days), posted)

        await _bounded(one(each) for each in self._vendor_documents)

    async def fill(self, requests: int) -> None:
        """So many requests, a quarter each received, offered, taken by a vendor and begun."""
        chains = [self._new() for _ in range(requests)]
        await _bounded(self._received(*each) for each in chains)
        found = list(self.under_way)
        self.under_way.clear()
        await _bounded(self._advanced(*each, at % 4) for at, each in enumerate(found))
        self.draw.shuffle(self.under_way)

    async def change(self, times: int) -> None:
        """So many changes: a step of one that is under way; who has ended makes way for a new one."""
        steps = [self.under_way.popleft() for _ in range(min(times, len(self.under_way)))]
        await _bounded(self._step(*each) for each in steps)

    async def _advanced(self, record: RequestRecord, request: Request, steps: int) -> None:
        for _ in range(steps):
            record = await self._commit(record, self._following(record, request))
        self.under_way.append((record, request))

    async def _step(self, record: RequestRecord, request: Request) -> None:
        decision = self._following(record, request)
        after = await self._commit(record, decision)
        if after.state is RequestState.COMPLETED:
            await self._received(*self._new())
        else:
            self.under_way.append((after, request))

    async def _received(self, request: Request, decision: Decision) -> None:
        outcome = await self.stored.commit([decision], requests=[request])
        if not outcome.ok:
            raise RuntimeError(f"{request.id}: {outcome}")
        self.under_way.append((decision.after, request))

    async def _commit(self, record: RequestRecord, decision: Decision) -> RequestRecord:
        outcome = await self.stored.commit([decision])
        if not outcome.ok:
            raise RuntimeError(f"{record.id}: {outcome}")
        after: RequestRecord = decision.after
        return after

    def _following(self, record: RequestRecord, request: Request) -> Decision:
        """What happens next to a request in this state."""
        if record.state is RequestState.RECEIVED:
            return self._decided(record, self._offer(record, request), "matcher")
        offer = record.offers[-1]
        name = f"{record.id}.{offer.attempt}"
        if record.state is RequestState.OFFERED:
            return self._decided(record, AcceptOffer(offer_id=name), "vendor", offer.vendor_id)
        begun = record.state is RequestState.IN_PROGRESS
        status = TrackingStatus.COMPLETED if begun else TrackingStatus.EN_ROUTE
        late_ms = max(_now_ms(), offer.start_ms)  # a report may not come before its work
        return self._decided(
            record, ReportStatus(offer_id=name, status=status), "vendor", offer.vendor_id, late_ms
        )

    def _decided(
        self, record: RequestRecord, command: Command, by: str, vendor_id: str = "", now_ms: int = 0
    ) -> Decision:
        context = Context(now_ms=now_ms or _now_ms(), by=by, vendor_id=vendor_id, tz=self.tz)
        decision = decide(record, command, context)
        if decision is None:
            raise RuntimeError(f"{command.named}: nothing to do")
        return decision

    def _offer(self, record: RequestRecord, request: Request) -> MakeOffer:
        vendor = self.draw.choice(self._vendor_documents)
        start_ms = record.earliest_ms
        local = to_instant(start_ms).astimezone(self.tz)
        first = (local.hour * 60 + local.minute) // 5
        booking = PoolBooking(vendor.id, POOL, local.date().isoformat(), first, min(9, 288 - first), 1)
        return MakeOffer(
            request_id=record.id,
            request=request,
            proposal=Proposal(
                vendor=vendor,
                pool_id=POOL,
                start_ms=start_ms,
                end_ms=start_ms + 42 * MINUTE_MS,
                units=1,
                bookings=(booking,),
                price_cents=self.draw.randrange(3_500, 9_000),
                distance_m=self.draw.randrange(1_000, 20_000),
                preconditions=(Precondition(vendor.id, "", 1),),
            ),
        )

    def _new(self) -> tuple[Request, Decision]:
        self.number += 1
        request = self._request(f"busy-{self.number:07d}")
        context = Context(now_ms=_now_ms(), by="platform", tz=self.tz)
        return request, receive(request, context)

    def _request(self, name: str) -> Request:
        opens_ms = _now_ms() + self.draw.randrange(5 * MINUTE_MS, DAY_MS)
        window = Window(earliest=to_instant(opens_ms), latest=to_instant(opens_ms + 45 * MINUTE_MS))
        priority = self.draw.choices(tuple(Priority), weights=range(len(Priority), 0, -1))[0]
        patient = Patient(name="Example Person", phone="+1 555 0100")
        if self.draw.random() < EQUIPMENT_SHARE:
            lines, place = (OrderLine(hcpcs="E1390"),), Place(position=self._door())
            return EquipmentOrder(
                id=name, priority=priority, patient=patient, place=place, window=window, lines=lines
            )
        return TripRequest(
            id=name,
            priority=priority,
            patient=patient,
            pickup=Place(position=self._door()),
            dropoff=Place(position=self._door()),
            level_of_service=self.draw.choice(RIDES),
            pickup_window=window,
        )

    def _door(self) -> Position:
        lon, lat = (round(self.draw.gauss(each, SPREAD / 2), 5) for each in CENTRE)
        return lon, lat

    def _vendor(self, number: int) -> Vendor:
        return vendor_document(number, self._door(), self.draw.randrange(4_000, 16_000))


def vendor_document(number: int, centre: Position, radius_m: int) -> Vendor:
    """A vendor that may do anything within its circle, and answers when it likes."""
    return Vendor(
        id=f"vendor-{number:04d}",
        name=f"Vendor {number}",
        service_area=(Circle(centre=centre, radius_m=radius_m),),
        levels_of_service=RIDES,
        skills=tuple(Skill),
        max_oxygen_l_min=15,
        max_stairs=20,
        max_weight_kg=200,
        max_escorts=3,
        credentials=_credentials(),
        answer=ExplicitAnswer(time_limit_s=ANSWER_S),
    )


def _credentials() -> tuple[Credential, ...]:
    """All that there are, verified, for a year."""
    now = to_instant(_now_ms())
    verified = Signed(by="ops", at=now)
    until = (now + timedelta(days=365)).date()
    return tuple(Credential(kind=each, expires_on=until, verified=verified) for each in CredentialKind)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


async def _bounded(works: Iterable[object]) -> None:
    """All of them, so many at a time; the first error ends them."""
    waiting = iter(works)

    async def runner() -> None:
        for work in waiting:
            await work  # type: ignore[misc]

    await asyncio.gather(*(runner() for _ in range(AT_ONCE)))
