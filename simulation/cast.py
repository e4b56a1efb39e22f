"""Who plays: a platform, people at their desks, and vendors, reached in turn in each way that the day has."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Self

from client.care import CareClient
from client.ops import OpsClient
from client.platform import PlatformClient
from client.standing_orders import StandingOrderClient
from client.streams import MatchStream, VendorStream
from client.vendor import VendorClient
from contracts.codes import Role
from contracts.instants import MINUTE_MS
from contracts.tuning import TuningView, parted
from simulation.agenda import Agenda
from simulation.clock import Clock
from simulation.coordinator import SimulatedCoordinator
from simulation.counters import SimulatedCounters
from simulation.day import Day, Reach
from simulation.links import HttpLink, Link, StreamLink
from simulation.phone import PageClient, PhoneLink
from simulation.platform import SimulatedPlatform
from simulation.prices import SimulatedDisputes
from simulation.proofs import SimulatedProofDesk
from simulation.tally import Tally
from simulation.vendors import Agendas, Habits, SimulatedVendor
from simulation.webhooks import WebhookLink, WebhookServer

AT_ONCE = 8
TokenOf = Callable[[Role, str], str]  #: the bearer token of a role and, for a vendor, its id
ReplyKeyOf = Callable[[str], str]  #: what a vendor signs its replies over Redis with


class Cast:
    """The players and their connections. Use as `async with`."""

    def __init__(
        self,
        url: str,
        redis_url: str,
        token_of: TokenOf,
        reply_key_of: ReplyKeyOf,
        day: Day,
        *,
        clock: Clock,
        seed: int,
    ) -> None:
        self.url, self.redis_url, self.day, self.clock = url, redis_url, day, clock
        self.token_of, self.reply_key_of = token_of, reply_key_of
        self.tally = Tally(planned=len(day.requests))
        self.agenda, self.crews = Agenda(clock), Agenda(clock)
        self.client = PlatformClient(url, token_of(Role.PLATFORM, ""), day.market)
        self.ops = OpsClient(url, token_of(Role.OPS, ""), day.market)
        self.matches = MatchStream(redis_url, day.market)
        self.desk = CareClient(url, token_of(Role.COORDINATOR, ""), day.market)
        self.orders = StandingOrderClient(url, token_of(Role.COORDINATOR, ""), day.market)
        self.coordinator = SimulatedCoordinator(day.episodes, self.desk, self.orders, self.agenda, self.tally)
        self.hooks = WebhookServer(self.tally, seed)
        agendas, habits = Agendas(self.agenda, self.crews), Habits(seed, day.counter_share, day.proves)
        self.vendors = [
            SimulatedVendor(vendor, self._link(vendor.id, number), agendas, self.tally, habits)
            for number, vendor in enumerate(day.vendors)
        ]
        clerks = (
            SimulatedDisputes(self.client, self.ops, self.agenda, self.tally, seed),
            SimulatedCounters(self.desk, self.agenda, self.tally),
            SimulatedProofDesk(self.vendors, self.agenda),
        )
        self.platform = SimulatedPlatform(day, self.client, self.agenda, self.tally, seed, clerks=clerks)

    async def register(self) -> None:
        """Ops registers every vendor and its capacity; and learns what counts as imminent here."""
        if Reach.WEBHOOK in self.day.reached:
            await self.hooks.start()
        free = asyncio.Semaphore(AT_ONCE)
        await asyncio.gather(*(self._register(vendor, free) for vendor in self.vendors))
        if self.day.tuning:
            await self.ops.put_tuning(self.day.tuning, reason="the demo's day")
        tuning = await self.ops.call("GET", "/tuning", TuningView)
        leads, _ = parted({each.name: each.value for each in tuning.parameters})
        self.platform.imminent_within_ms = int(leads["imminent_lead_minutes"] * MINUTE_MS)

    async def act(self) -> None:
        """Everybody listens and acts until cancelled; a failure of one ends it for all."""
        self.platform.plan()
        self.coordinator.plan()
        async with asyncio.TaskGroup() as group:
            for vendor in self.vendors:
                group.create_task(vendor.listen())
            group.create_task(self.platform.listen())
            if self.day.episodes:
                group.create_task(self.coordinator.listen())
            group.create_task(self.platform.listen_for_matches(self.matches))
            group.create_task(self.agenda.run())
            group.create_task(self.crews.run())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        links = [vendor.link.close() for vendor in self.vendors]
        clients = (self.client, self.ops, self.desk, self.orders, self.matches)
        await asyncio.gather(*(each.close() for each in clients), *links)
        await self.hooks.close()

    async def _register(self, vendor: SimulatedVendor, free: asyncio.Semaphore) -> None:
        async with free:
            await self.ops.put_vendor(vendor.vendor)
            for (vendor_id, day), capacity in self.day.capacity.items():
                if vendor_id == vendor.vendor.id:
                    await self.ops.put_capacity(vendor_id, day, capacity)
            await vendor.link.open()

    def _link(self, vendor_id: str, number: int) -> Link:
        client = VendorClient(self.url, self.token_of(Role.VENDOR, vendor_id), self.day.market)
        match self.day.reached[number % len(self.day.reached)]:
            case Reach.REDIS:
                key = self.reply_key_of(vendor_id)
                stream = VendorStream(self.redis_url, self.day.market, vendor_id, reply_key=key)
                return StreamLink(stream, self.clock, client)
            case Reach.WEBHOOK:
                return WebhookLink(client, vendor_id, self.hooks)
            case Reach.PHONE:
                return PhoneLink(PageClient(self.url, self.day.market), vendor_id, self.ops)
            case Reach.SSE:
                return HttpLink(client)
