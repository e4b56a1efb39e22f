"""A whole service over a real server, with a clock that a test moves."""

from __future__ import annotations

from datetime import date
from functools import partial
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from contracts.amendments import Amend
from contracts.codes import Role, ServiceClass
from contracts.counters import Counter
from contracts.dispatches import StatusUpdate
from contracts.offer_modes import OfferMode
from contracts.offers import Accept, Decline
from contracts.pools import Pool, Pools
from contracts.requests import Request, TripRequest
from contracts.unmatched import Unmatched
from contracts.vendors import Vendor
from dispatcher.domain.commands.accept import AcceptOffer
from dispatcher.domain.commands.amend import AmendRequest
from dispatcher.domain.commands.answer_amendment import AgreeToAmendment, RefuseAmendment
from dispatcher.domain.commands.answer_counter import RefuseCounter, TakeCounter
from dispatcher.domain.commands.cancel import CancelRequest
from dispatcher.domain.commands.counter import CounterOffer
from dispatcher.domain.commands.decline import DeclineOffer
from dispatcher.domain.commands.make_offer import MakeOffer
from dispatcher.domain.commands.move_offer import MoveOffer
from dispatcher.domain.commands.report import ReportStatus
from dispatcher.domain.commands.unmatched import ExplainUnmatched
from dispatcher.domain.proposal import Precondition, Proposal
from dispatcher.domain.refusals import NotFound
from dispatcher.domain.requests import RequestRecord, offer_id
from dispatcher.matching.quotes import Quoter
from dispatcher.security.principal import Principal
from dispatcher.service.service import Service
from dispatcher.store.events import unpack_event
from dispatcher.store.idempotency import IdempotencyRecord
from dispatcher.store.keys import Keys
from dispatcher.store.ledger import LedgerKey
from dispatcher.store.outcome import Outcome
from dispatcher.store.store import Store
from dispatcher.tuning.registry import Registry
from tests.clock import ManualClock
from tests.domain import make

DAY = date(2026, 3, 2)
REGISTRY = Registry.found()
Found = TypeVar("Found")


def there(name: str, found: Found | None) -> Found:
    """What was found. Raises NotFound where a fail-over lost it, or it has been forgotten."""
    if found is None:
        raise NotFound(f"there is no {name}")
    return found


class World:
    """One market: the service, its store, and shortcuts for what most tests begin with."""

    def __init__(self, store: Store, market: str, clock: ManualClock | None = None) -> None:
        self.store = store
        self.market = market
        self.keys = Keys(market)
        self.clock = clock or ManualClock(make.NOW)
        self.service = Service(store, self.clock, {market: ZoneInfo("UTC")}, REGISTRY)
        self.platform = self.someone(Role.PLATFORM)
        self.ops = self.someone(Role.OPS)
        self.case_manager = self.someone(Role.CASE_MANAGER)
        self.quoter = Quoter(store, self.clock, {market: ZoneInfo("UTC")})
        self.fence = ""

    def someone(self, role: Role, vendor_id: str = "") -> Principal:
        return Principal.of(role, markets=frozenset({self.market}), vendor_id=vendor_id)

    def vendor(self, name: str = "v1") -> Principal:
        return self.someone(Role.VENDOR, name)

    async def open_with(self, *vendors: Vendor, units: int = 3) -> None:
        """Vendors with `units` of one pool all day, and a fence to offer under."""
        pool = Pool(id="vans", serves=(ServiceClass.WHEELCHAIR,), units=(units,))
        for each in vendors:
            await self.service.vendors.put(self.ops, self.market, each, 0)
            await self.service.capacity.put(
                self.ops, self.market, each.id, DAY, Pools(pools=(pool,)), expected_version=0
            )
        self.fence = await self.store.market(self.market).lease.acquire("test", 60_000) or ""

    async def submit(self, *requests: TripRequest, key: str = "k1", body: bytes = b"body") -> tuple[str, ...]:
        return await self.service.requests.submit(
            self.platform,
            self.market,
            requests or (make.trip(),),
            IdempotencyRecord.of("requests", key, body),
        )

    async def offer(self, name: str = "r1", to: Vendor | None = None, **changes: Any) -> Outcome:
        """As the matcher does: from what it has read."""
        record, request = await self.record(name), await self.body(name)
        vendor = to or make.vendor()
        plan = replace(make.proposal(record, vendor), preconditions=await self.grounds(vendor.id))
        fence = changes.get("fence", self.fence)
        outcome = await self.put(record, request, plan, fence)
        assert outcome is not None
        return outcome

    async def ask(self, name: str, mode: OfferMode, *to: Vendor) -> Outcome | None:
        """Several vendors at once, or down a chain, as the matcher does."""
        record, request = await self.record(name), await self.body(name)
        first, *others = [
            replace(make.proposal(record, each), preconditions=await self.grounds(each.id)) for each in to
        ]
        command = MakeOffer(request_id=name, request=request, proposal=first, mode=mode, others=tuple(others))
        return await self.service.executor.attempt("matcher", self.market, command, record, fence=self.fence)

    async def put(
        self, record: RequestRecord, request: Request, plan: Proposal, fence: str
    ) -> Outcome | None:
        """A plan's offer, decided on what was read before."""
        command = MakeOffer(request_id=record.id, request=request, proposal=plan)
        return await self.service.executor.attempt("matcher", self.market, command, record, fence=fence)

    async def move(self, name: str, to: Vendor) -> Outcome | None:
        """The request's unanswered offer withdrawn, and made to another vendor, as the matcher does."""
        record, request = await self.record(name), await self.body(name)
        plan = replace(make.proposal(record, to), preconditions=await self.grounds(to.id))
        offer = offer_id(record, there(f"offer of {name}", next(reversed(record.offers), None)))
        command = MoveOffer(offer_id=offer, request=request, proposal=plan)
        return await self.service.executor.attempt("matcher", self.market, command, record, fence=self.fence)

    async def explain(self, record: RequestRecord, why: Unmatched, fence: str) -> Outcome | None:
        """Reasons, as the matcher keeps them."""
        command = ExplainUnmatched(request_id=record.id, unmatched=why)
        return await self.service.executor.attempt("matcher", self.market, command, record, fence=fence)

    async def accept(
        self, who: Principal, name: str, answer: Accept, key: IdempotencyRecord | None = None
    ) -> RequestRecord:
        command = AcceptOffer(offer_id=name, reference=answer.reference)
        return await self.service.execute(who, self.market, command, key)

    async def decline(
        self, who: Principal, name: str, answer: Decline, key: IdempotencyRecord | None = None
    ) -> RequestRecord:
        return await self.service.execute(
            who, self.market, DeclineOffer(offer_id=name, code=answer.code), key
        )

    async def report(
        self, who: Principal, name: str, update: StatusUpdate, key: IdempotencyRecord | None = None
    ) -> RequestRecord:
        command = ReportStatus(offer_id=name, status=update.status, at=update.at, code=update.code)
        return await self.service.execute(who, self.market, command, key)

    async def cancel(
        self, who: Principal, name: str, *, code: str = "", key: IdempotencyRecord | None = None
    ) -> RequestRecord:
        return await self.service.execute(who, self.market, CancelRequest(request_id=name, code=code), key)

    async def amend(self, name: str, patch: Amend, key: IdempotencyRecord | None = None) -> RequestRecord:
        """As over HTTP."""

        async def prepare(record: RequestRecord, command: AmendRequest) -> AmendRequest:
            return await self.quoter.amended(self.market, record, command)

        command = AmendRequest(request_id=name, patch=patch)
        found: RequestRecord = await self.service.execute(
            self.platform, self.market, command, key, prepare=prepare
        )
        return found

    async def counter(self, name: str, said: Counter, who: Principal) -> RequestRecord:
        """By the vendor that was asked, over HTTP."""
        prepare = partial(self.quoter.countered, self.market)
        found: RequestRecord = await self.service.execute(
            who, self.market, CounterOffer.of(name, said), prepare=prepare
        )
        return found

    async def answer_counter(self, name: str, number: int, *, take: bool) -> RequestRecord:
        """By ops, over HTTP."""
        prepare = partial(self.quoter.counter_taken, self.market) if take else None
        command = (TakeCounter if take else RefuseCounter)(offer_id=name, number=number)
        found: RequestRecord = await self.service.execute(self.ops, self.market, command, prepare=prepare)
        return found

    async def answer_amendment(self, record: RequestRecord, *, agree: bool) -> RequestRecord:
        """By the vendor that is asked."""
        pending = there("amendment", record.pending)
        offer = next(each for each in record.offers if each.attempt == pending.attempt)
        facts = {"offer_id": offer_id(record, offer), "number": len(record.amendments)}
        command = AgreeToAmendment(**facts) if agree else RefuseAmendment(**facts)
        found: RequestRecord = await self.service.execute(self.vendor(offer.vendor_id), self.market, command)
        return found

    async def grounds(self, vendor_id: str) -> tuple[Precondition, ...]:
        """The vendor as it is now: an offer of it rests on that."""
        found = await self.store.market(self.market).vendors.get(vendor_id)
        return (Precondition(vendor_id, "", found.version),) if found else ()

    async def accepted(self, name: str = "r1") -> RequestRecord:
        """A request that its first vendor has accepted."""
        await self.open_with(make.vendor())
        await self.submit(make.trip(name))
        assert (await self.offer(name)).ok
        return await self.accept(self.vendor(), f"{name}.1", Accept())

    async def record(self, name: str = "r1") -> RequestRecord:
        """As it is stored. Raises NotFound."""
        return there(name, await self.store.market(self.market).requests.records.get(name))

    async def body(self, name: str) -> Request:
        """As it came. Raises NotFound."""
        return there(name, await self.store.market(self.market).requests.body(name))

    async def booked(self, vendor_id: str = "v1") -> int:
        """Dispatches and offers that count against the vendor's day."""
        key = LedgerKey(vendor_id, "vans", DAY.isoformat())
        found = await self.store.market(self.market).capacity.ledger([key])
        return int.from_bytes(found[key].used[:2], "big")

    async def heard(self, stream: str) -> list[str]:
        """The types of all events of a stream, in order."""
        return [unpack_event(entry.event).type for entry in await self.store.streams.read(stream)]
