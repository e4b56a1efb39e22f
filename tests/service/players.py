"""Everybody at once: a platform, a matcher, vendors over both ways, timers; by chance, under faults."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

import msgpack

from contracts.amendments import Amend
from contracts.codes import DeclineCode, RequestState, TrackingStatus
from contracts.counters import Counter
from contracts.dispatches import StatusUpdate
from contracts.geo import Place, Window
from contracts.instants import HOUR_MS, MINUTE_MS, to_instant
from contracts.offer_modes import OfferMode
from contracts.offers import Accept, Decline
from contracts.tuning import Tuning
from contracts.unmatched import Unmatched
from dispatcher.delivery.replies import Replies
from dispatcher.domain.commands.activate import ActivateRequest
from dispatcher.domain.commands.move_offer import movable_offer
from dispatcher.domain.refusals import (
    DoesNotFit,
    Invalid,
    NotFound,
    PossibleDuplicate,
    Refusal,
    Unavailable,
    WrongState,
)
from dispatcher.domain.requests import RequestRecord
from dispatcher.domain.states import OPEN, TERMINAL
from dispatcher.jobs.timers import Timers
from dispatcher.security.principal import Principal
from dispatcher.store.events import FIELD
from dispatcher.store.idempotency import IdempotencyRecord
from tests.domain import make
from tests.service.care import VALUES, Care
from tests.service.world import World

VENDORS = tuple(make.vendor(f"v{n}", assumed=n == 0) for n in range(4))
RESTLESS = {"move_freeze_minutes": 0, "move_settle_s": 0, "move_limit": 20}
CARE = (
    *("discharge", "discharge", "single", "arrange", "authorize", "standing_order", "standing_order"),
    *("offer", "offer", "accept", "hold", "task", "speak", "ask"),
)
REPORTS = (*TrackingStatus, TrackingStatus.COMPLETED, TrackingStatus.COMPLETED)


class Players:
    """Each does something at random, again and again, until stopped."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.chance = random.Random(seed)
        self.care = Care(world, self.chance)
        self.acknowledged = self.care.acknowledged
        self.submitted = 0
        self.replied = 0
        self.interrupted = 0
        self.effects = 0
        self.stopping = False

    async def play(self) -> None:
        """Until `stopping`. What the store could not take is asked again later; what moved on is let go."""
        tuning = self.world.store.market(self.world.market).tuning
        collects = {"broadcast_collect_s": 90 * self.chance.randint(0, 1)}
        await tuning.put(Tuning(version=1, values=RESTLESS | VALUES | collects), 0)
        replies = Replies(
            self.world.service,
            self._verify,
            "players",
            idle_ms=200,
            wait_s=0.05,
            countered=self.world.quoter.countered,
        )
        consuming = asyncio.create_task(replies.run(self.world.market))
        parts = [self._submits, self._cancels, self._reports, self._writes_a_reply, self._time_passes]
        parts += [self._counters, self._amends, self._calls, self._cares, self._cares]
        parts += [self._offers] * 4 + [self._moves] * 2 + [self._answers] * 2 + [self._vendors_change]
        await asyncio.gather(*(self._again(part) for part in parts))
        consuming.cancel()
        await asyncio.gather(consuming, return_exceptions=True)

    async def more(self, effects: int) -> None:
        """Until so many more commands had their effect."""
        wanted = self.effects + effects
        async with asyncio.timeout(90):  # only a player that has failed makes this wait so long
            while self.effects < wanted:
                await asyncio.sleep(0.005)

    async def settle(self) -> list[RequestRecord]:
        """Left alone with the clock, until every request has ended; the records."""
        await Replies(
            self.world.service, self._verify, "settler", idle_ms=0, countered=self.world.quoter.countered
        ).take_over(self.world.market)
        timers = Timers(self.world.service)
        while True:
            records = await self.world.store.market(self.world.market).requests.records.get_all(
                self.acknowledged
            )
            going = [each.timer_ms for each in records.values() if each.state not in TERMINAL]
            if not going:
                return list(records.values())
            self.world.clock.ms = max(self.world.clock.ms, min(going))
            await timers.fire_due(self.world.market)

    async def _again(self, part: Callable[[], Awaitable[object]]) -> None:
        while not self.stopping:
            try:
                await part()
                self.effects += 1
            except Unavailable:
                self.interrupted += 1
            except (WrongState, NotFound, Invalid):
                pass  # somebody else was quicker, or the work cannot have ended yet
            await asyncio.sleep(self.chance.uniform(0, 0.002))

    async def _submits(self) -> None:
        number = self.submitted  # the same again until it is acknowledged, and the same legs
        is_early = self.world.clock.ms < make.NOW + 12 * HOUR_MS  # later nobody can be called back that day
        name = f"r{number}" if is_early else f"late{number}"
        ahead_ms = self.world.clock.ms - make.NOW + self.chance.randint(30, 300) * MINUTE_MS
        legs = [make.trip(name, ahead_ms=ahead_ms)]
        if is_early and number % 3 == 0:
            legs.append(make.will_call(f"{name}-back", return_of=name))
        await self.world.submit(*legs, key=name, body=b"the same")
        self.acknowledged += [each.id for each in legs]
        self.submitted += 1

    async def _vendors_change(self) -> None:
        if self.chance.random() < 0.1:
            await self.world.store.market(self.world.market).vendors.put(self.chance.choice(VENDORS))

    async def _cancels(self) -> None:
        if self.acknowledged and self.chance.random() < 0.1:
            name = self.chance.choice(self.acknowledged)
            await self.world.cancel(self.world.platform, name)

    async def _calls(self) -> None:
        if not (names := [each for each in self.acknowledged if each.endswith("-back")]):
            raise NotFound("nobody waits to be called")
        command = ActivateRequest(request_id=self.chance.choice(names))
        await self.world.service.execute(self.world.platform, self.world.market, command)

    async def _cares(self) -> None:
        """Whatever is done about episodes, bundles, authorizations, standing orders, tasks and threads."""
        deed = self.chance.choice(CARE)
        try:
            await self.care.deeds[deed]()
        except Unavailable:
            raise
        except Refusal as refusal:
            raise NotFound(f"it cannot be done now\n{refusal.detail}") from None

    async def _offers(self) -> None:
        for name in await self.world.store.market(self.world.market).requests.open_ids(3):
            record = await self.world.record(name)
            if record.bundle_until_ms > self.world.clock.ms:
                continue  # of a bundle all is offered, or nothing
            if record.state in OPEN and self.chance.random() < 0.3:
                mode = self.chance.choice((OfferMode.BROADCAST, OfferMode.CASCADE))
                await self.world.ask(name, mode, *self.chance.sample(VENDORS, self.chance.randint(2, 3)))
            elif record.state in OPEN and self.chance.random() < 0.9:
                await self.world.offer(name, self.chance.choice(VENDORS))
            else:
                reasons = Unmatched(vendors=4, last_rule=self.chance.choice(("hours", "capacity")))
                await self.world.explain(record, reasons, self.world.fence)

    async def _moves(self) -> None:
        stored = self.world.store.market(self.world.market).requests
        records = await stored.records.get_all(await stored.ids_in(RequestState.OFFERED, 100))
        movable = [each.id for each in records.values() if movable_offer(each, self.world.clock.ms, RESTLESS)]
        if not movable:
            raise NotFound("nothing may move")
        await self.world.move(self.chance.choice(movable), self.chance.choice(VENDORS))

    async def _answers(self) -> None:
        name, who = await self._an_offer()
        if self.chance.random() < 0.7:
            await self.world.accept(who, name, Accept(), self._command(name))
        else:
            answer = Decline(code=DeclineCode.OTHER)
            await self.world.decline(who, name, answer)

    async def _counters(self) -> None:
        name, who = await self._an_offer()
        record = await self.world.record(name.rpartition(".")[0])
        offer = record.offer_named(name)
        try:
            if offer.counter is not None and self.chance.random() < 0.5:
                await self.world.answer_counter(name, offer.counter.number, take=self.chance.random() < 0.6)
                return
            at = to_instant(offer.start_ms + self.chance.choice((5, 15, 45)) * MINUTE_MS)
            cents = offer.price_cents + self.chance.choice((0, 100))
            await self.world.counter(name, Counter(start_at=at, price_cents=cents), who)
        except (DoesNotFit, PossibleDuplicate) as refusal:
            raise WrongState(refusal.detail) from None

    async def _amends(self) -> None:
        stored = self.world.store.market(self.world.market).requests
        found = await stored.records.get_all(self.acknowledged[-40:])
        going = [each for each in found.values() if each.state not in TERMINAL]
        if not going:
            raise NotFound("there is nothing to amend")
        record = self.chance.choice(going)
        name = record.id
        if record.pending is not None:
            await self.world.answer_amendment(record, agree=self.chance.random() < 0.6)
            return
        door = (-73.97 + self.chance.random() / 50, 40.78)
        later = Window(
            earliest=to_instant(record.earliest_ms + 5 * MINUTE_MS),
            latest=to_instant(record.latest_ms + 5 * MINUTE_MS),
        )
        patches = (Amend(dropoff=Place(position=door)), Amend(pickup_window=later), Amend(notes=str(door)))
        await self.world.amend(name, self.chance.choice(patches), self._command(name))

    async def _reports(self) -> None:
        name, who = await self._an_offer()
        update = StatusUpdate(status=self.chance.choice(REPORTS))
        await self.world.report(who, name, update, self._command(name))

    async def _writes_a_reply(self) -> None:
        name, who = await self._an_offer()
        self.replied += 1
        kind, more = self.chance.choice(
            [("accept", {}), ("decline", {"code": "OTHER"}), ("status", {"status": "completed"})]
        )
        event = {
            "id": f"reply{self.replied}",
            "source": "/vendors",
            "type": f"dispatch.reply.{kind}",
            "subject": name,
            "time": to_instant(make.NOW).isoformat(),
            "data": {"offer_id": name, **more},
            "dispatchtoken": who.vendor_id,
        }
        for _ in range(self.chance.choice((1, 1, 3))):  # a vendor whose answer was lost writes it again
            await self.world.store.reader.ask(
                "XADD", self.world.keys.replies(who.vendor_id), "*", FIELD, msgpack.packb(event)
            )

    async def _time_passes(self) -> None:
        self.world.clock.ms += self.chance.choice((1, 2, 10)) * MINUTE_MS
        await Timers(self.world.service, batch=8).fire_due(self.world.market)

    async def _an_offer(self) -> tuple[str, Principal]:
        vendor_id = self.chance.choice(VENDORS).id
        names = await self.world.store.market(self.world.market).requests.offer_ids(vendor_id, 20)
        if not names:
            raise NotFound("nothing is offered")
        return self.chance.choice(names), self.world.vendor(vendor_id)

    def _command(self, name: str) -> IdempotencyRecord | None:
        return (
            None
            if self.chance.random() < 0.5
            else IdempotencyRecord.of("players", f"{name}{self.chance.random()}", b"")
        )

    def _verify(self, token: str, now_ms: int) -> Principal:
        return self.world.vendor(token)


def ended(records: list[RequestRecord]) -> set[RequestState]:
    """The states that a round has led to."""
    return {record.state for record in records}
