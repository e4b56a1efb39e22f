"""By chance, all at once, to the end: commands, tasks, holds, moves, timers, tuning, a clock that jumps."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable

import pytest

from contracts.codes import DeclineCode, RequestState, Requirement, TrackingStatus
from contracts.dispatches import StatusUpdate
from contracts.instants import HOUR_MS, MINUTE_MS, to_instant
from contracts.offers import Accept, Decline
from contracts.tasks import TaskOutcome, TaskQuery
from contracts.tuning import TuningUpdate
from dispatcher.audit.auditor import audit
from dispatcher.domain.commands.activate import ActivateRequest
from dispatcher.domain.commands.on_hold import HoldRequest, ResumeRequest
from dispatcher.domain.commands.table import Command
from dispatcher.domain.commands.tasks import ClaimTask, FinishTask, ReleaseTask
from dispatcher.domain.offers import OfferRecord
from dispatcher.domain.refusals import Refusal
from dispatcher.domain.requests import RequestRecord, offer_id
from dispatcher.domain.states import TERMINAL
from dispatcher.jobs.timers import Timers
from dispatcher.security.principal import Principal
from tests.domain import make
from tests.service.world import World

VENDORS = (make.vendor("v1"), make.vendor("v2"), make.vendor("v3", assumed=True))
NAMES = [f"{'x' * 62}{n:02}" for n in range(10)]  # the longest ids
JUMPS_MS = (1_000, MINUTE_MS, 10 * MINUTE_MS, -5 * MINUTE_MS)
ODD = {  # each within its bounds, none of them wise
    "overdue_minutes": (1, 20),
    "overdue_limit": (0, 1, 6),
    "move_settle_s": (0, 60),
    "move_freeze_minutes": (0, 90),
    "move_limit": (0, 3, 20),
    "max_attempts": (1, 3, 12),
    "task_due_minutes": (1, 30),
    "task_retention_hours": (24,),
    "retention_hours": (24,),
    "return_after_no_show": (0, 1),
    "will_call_evening_hour": (9, 18),
}


class Storm:
    """One step of anybody's at a time, chosen by chance."""

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.chance = world, random.Random(seed)
        self.timers = Timers(world.service)

    async def step(self) -> None:
        """It may be refused: then it has no effect."""
        steps: list[Callable[[RequestRecord], Awaitable[object]]] = [
            self.offers,
            self.moves,
            self.asks_another,
        ]
        steps += [self.answers] * 3 + [self.reports] * 4 + [self.holds, self.resumes, self.cancels]
        steps += [self.calls] * 2
        steps += [self.works_on_a_task] * 3 + [self.fires] * 2 + [self.jumps, self.tunes]
        record = await self.record(self.chance.choice(NAMES))
        if record is not None:
            with contextlib.suppress(Refusal):
                await self.chance.choice(steps)(record)

    async def record(self, name: str) -> RequestRecord | None:
        return await self.world.store.market(self.world.market).requests.records.get(name)

    async def offers(self, record: RequestRecord) -> None:
        await self.world.offer(record.id, self.chance.choice(VENDORS))

    async def moves(self, record: RequestRecord) -> None:
        if record.offers:
            await self.world.move(record.id, self.chance.choice(VENDORS))

    async def asks_another(self, record: RequestRecord) -> None:
        """What the service does not do yet: a second offer beside the first."""
        if record.state is RequestState.OFFERED:
            another = make.also_asking(record, self.chance.choice(VENDORS), now_ms=self.world.clock.ms)
            await self.world.store.market(self.world.market).commit([another])

    async def answers(self, record: RequestRecord) -> None:
        if not record.offers:
            return
        offer = self.chance.choice(record.offers)
        who, name = self.someone(offer), offer_id(record, offer)
        if self.chance.random() < 0.7:
            await self.world.accept(who, name, Accept())
        else:
            await self.world.decline(who, name, Decline(code=self.chance.choice(list(DeclineCode))))

    async def reports(self, record: RequestRecord) -> None:
        if record.offers:
            offer = self.chance.choice(record.offers)
            at = to_instant(self.world.clock.ms + self.chance.randint(-HOUR_MS, HOUR_MS))
            update = StatusUpdate(status=self.chance.choice(list(TrackingStatus)), at=at)
            await self.world.report(self.someone(offer), offer_id(record, offer), update)

    async def holds(self, record: RequestRecord) -> None:
        what = self.chance.choice(list(Requirement))
        await self.execute(self.world.platform, HoldRequest(request_id=record.id, requirement=what))

    async def resumes(self, record: RequestRecord) -> None:
        what = self.chance.choice([None, *Requirement])
        who = self.chance.choice([self.world.platform, self.world.case_manager])
        await self.execute(who, ResumeRequest(request_id=record.id, requirement=what))

    async def calls(self, record: RequestRecord) -> None:
        await self.execute(self.world.platform, ActivateRequest(request_id=record.id))

    async def cancels(self, record: RequestRecord) -> None:
        if self.chance.random() < 0.1:
            await self.world.cancel(self.world.platform, record.id)

    async def works_on_a_task(self, record: RequestRecord) -> None:
        tasks = self.world.service.tasks
        found, _ = await tasks.page(self.world.ops, self.world.market, TaskQuery(limit=100))
        if not found:
            return
        name, by = self.chance.choice(found).id, self.chance.choice(["ann", "bob"])
        outcome = self.chance.choice([TaskOutcome.RESOLVED, TaskOutcome.NOT_NEEDED])
        steps = [ClaimTask(task_id=name, by=by), ReleaseTask(task_id=name, by=by)]
        step = self.chance.choice([*steps, FinishTask(task_id=name, by=by, outcome=outcome), None, None])
        if step is not None:
            await self.execute(self.world.ops, step)
        else:
            await tasks.comment(self.world.ops, self.world.market, name, by=by, text="x" * 1_000)

    async def fires(self, record: RequestRecord) -> None:
        await self.timers.fire_due(self.world.market)

    async def jumps(self, record: RequestRecord) -> None:
        self.world.clock.ms += self.chance.choice(JUMPS_MS)

    async def tunes(self, record: RequestRecord) -> None:
        values: dict[str, float] = {name: self.chance.choice(some) for name, some in ODD.items()}
        update = TuningUpdate(values=values)
        await self.world.service.tuning.put(self.world.ops, self.world.market, update, None)

    async def execute(self, who: Principal, command: Command) -> None:
        await self.world.service.execute(who, self.world.market, command)

    def someone(self, offer: OfferRecord) -> Principal:
        """Mostly whose offer it is."""
        return self.world.vendor(self.chance.choice([offer.vendor_id, offer.vendor_id, "v2"]))

    async def wait(self, hours: int) -> None:
        """Nobody does anything but the timers."""
        self.world.clock.ms += hours * HOUR_MS
        while await self.timers.fire_due(self.world.market):
            pass


async def is_sound(world: World) -> None:
    assert (await audit(world.store.reader, world.market, streams=True))["findings"] == []


@pytest.mark.parametrize("seed", range(2))
async def test_whatever_happens_each_request_ends_and_goes_with_all_that_was_its_own(
    world: World, seed: int
) -> None:
    storm = Storm(world, seed)
    await world.open_with(*VENDORS, units=4)
    there, back, later = NAMES[:3]
    await world.submit(make.trip(there), make.will_call(later), *map(make.trip, NAMES[3:]))
    await world.submit(make.will_call(back, return_of=there), key="k2")
    for _ in range(40):
        await asyncio.gather(*(storm.step() for _ in range(storm.chance.choice([1, 4, 12]))))
        await is_sound(world)
    for hours in [1] * 12 + [25] * 2:
        await storm.wait(hours)
    left = [record for name in NAMES if (record := await storm.record(name)) is not None]
    assert {record.state for record in left} <= TERMINAL
    await is_sound(world)
    for _ in range(34):  # a task that nobody ends keeps its request for `task_retention_hours`, 30 days
        await storm.wait(24)
    await storm.wait(731 * 24)  # who changed what by hand is kept for two years
    kept = ("r:", "b:", "t:", "i:", "o:", "tasks:", "timers")
    keys = [key.decode().removeprefix(world.keys.prefix) for key in await everything(world)]
    assert [key for key in keys if key.startswith(kept)] == []
    assert [await world.booked(each.id) for each in VENDORS] == [0, 0, 0]


async def everything(world: World) -> list[bytes]:
    found: list[bytes] = await world.store.reader.ask("KEYS", f"{world.keys.prefix}*")
    return found
