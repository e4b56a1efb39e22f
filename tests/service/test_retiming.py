"""A vendor whose work would start out of sequence is asked for another start, by the service itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from contracts.amendments import Amend, AmendmentOutcome
from contracts.codes import RequestState, TrackingStatus
from contracts.dispatches import StatusUpdate
from contracts.episodes import After
from contracts.geo import Window
from contracts.instants import HOUR_MS, MINUTE_MS, to_instant
from contracts.offers import Accept
from contracts.tasks import TaskKind, TaskQuery, TaskView
from dispatcher.audit.auditor import audit
from dispatcher.domain.commands.make_offer import MakeOffer
from dispatcher.domain.commands.release import ReleaseSequence
from dispatcher.jobs.timers import Timers
from dispatcher.matching.quotes import Quoter
from tests.domain import make
from tests.service.world import World
from tests.solvers.town import ALL_CREDENTIALS

OXYGEN, RIDE = "oxygen", "ride"
O = AmendmentOutcome  # noqa: E741
START = make.NOW + 4 * HOUR_MS


class Late:
    """Oxygen at noon, the ride half an hour later, each with its vendor; the ride may start until three."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.quoter = Quoter(world.store, world.clock, {world.market: ZoneInfo("UTC")})

    async def begin(self, until_min: int = 180, most_lag: int | None = None) -> None:
        world = self.world
        able = [replace(make.vendor(each), credentials=ALL_CREDENTIALS) for each in ("v1", "v2")]
        await world.open_with(*able, units=1)
        window = Window(earliest=to_instant(START), latest=to_instant(START + until_min * MINUTE_MS))
        after = (After(request=OXYGEN, most_lag_minutes=most_lag),)
        await world.submit(make.trip(RIDE, pickup_window=window, after=after), make.trip(OXYGEN))
        for name, minutes in ((OXYGEN, 0), (RIDE, 30)):
            await self.offer(name, minutes)
        await world.accept(world.vendor("v1"), f"{OXYGEN}.1", Accept())
        await world.accept(world.vendor("v2"), f"{RIDE}.1", Accept())

    async def offer(self, name: str, minutes: int) -> None:
        record = await self.world.record(name)
        to = make.vendor("v1" if name == OXYGEN else "v2")
        plan = make.proposal(record, to)
        start_ms = START + minutes * MINUTE_MS
        plan = replace(plan, start_ms=start_ms, end_ms=start_ms + 30 * MINUTE_MS)
        command = MakeOffer(request_id=name, request=await self.world.body(name), proposal=plan)
        world = self.world
        found = await world.service.executor.attempt(
            "matcher", world.market, command, record, fence=world.fence
        )
        assert found is not None and found.ok

    async def overdue(self, times: int = 1) -> None:
        """The oxygen's report is missed: it is late, and so would be what goes after it."""
        for _ in range(times):
            oxygen = await self.world.record(OXYGEN)
            self.world.clock.ms = oxygen.timer_ms
            await self.fire()

    async def fire(self) -> None:
        while await self.fire_once():
            pass

    async def fire_once(self) -> int:
        """By a process that has just begun, and puts nothing off."""
        return await Timers(self.world.service, retimer=self.quoter).fire_due(self.world.market)

    async def tasks(self) -> list[TaskView]:
        found, _ = await self.world.service.tasks.page(self.world.platform, self.world.market, TaskQuery())
        return [each for each in found if each.kind is not TaskKind.OVERDUE]

    async def sound(self) -> None:
        report = await audit(self.world.store.reader, self.world.market, streams=True)
        assert report["findings"] == []


@pytest.fixture
async def late(world: World) -> AsyncIterator[Late]:
    yield Late(world)


async def test_its_vendor_is_asked_by_itself_and_the_task_closes_when_it_agrees(late: Late) -> None:
    await late.begin()
    await late.overdue()
    world, ride = late.world, await late.world.record(RIDE)
    assert (ride.state, ride.risk) == (RequestState.ACCEPTED, "predecessor_late")
    asked = ride.pending
    assert asked is not None and asked.placed is not None
    assert (asked.fields, asked.by) == (("start_at",), "service")
    assert asked.placed.start_ms == START + 50 * MINUTE_MS, "as soon as the oxygen is there"
    assert "dispatch.amendment.proposed" in await world.heard(world.keys.stream("v2"))
    seen = await world.service.offers.proposed(world.vendor("v2"), world.market, f"{RIDE}.1")
    assert seen.dispatch.offer.start_at == to_instant(asked.placed.start_ms)
    (task,) = await late.tasks()
    assert (task.kind, task.retiming) == (TaskKind.SEQUENCE_AT_RISK, "pending")
    assert task.could == ("releaseRequest", "cancelRequest")
    await late.fire()
    assert (await world.record(RIDE)).amendments == ride.amendments, "asked once"
    after = await world.answer_amendment(ride, agree=True)
    assert (after.risk, after.dispatch and after.dispatch.start_ms) == ("", asked.placed.start_ms)
    assert after.latest_ms == ride.latest_ms, "the request is what it was"
    assert await late.tasks() == []
    assert await world.booked("v2") == 1
    view = await world.service.requests.view(world.platform, world.market, RIDE)
    assert [each.outcome for each in view.amendments] == [O.AGREED]
    await late.sound()


async def test_of_one_that_has_begun_a_person_is_told_what_can_be_done_still(late: Late) -> None:
    await late.begin()
    for status in (TrackingStatus.AT_PICKUP, TrackingStatus.ON_BOARD):
        await late.world.report(late.world.vendor("v2"), f"{RIDE}.1", StatusUpdate(status=status))
    (task,) = await late.tasks()
    assert (task.code, task.could) == ("started_early", ("releaseRequest",))


@pytest.mark.parametrize("how", ["refused", "expired", "unfit"])
async def test_where_it_does_not_agree_it_keeps_its_work_and_the_task_says_so(late: Late, how: str) -> None:
    await late.begin(until_min=45 if how == "unfit" else 180)
    await late.overdue()
    world, ride = late.world, await late.world.record(RIDE)
    if how == "refused":
        await world.answer_amendment(ride, agree=False)
    elif how == "expired":
        assert ride.pending is not None
        world.clock.ms = ride.pending.expires_ms
        await late.fire()
    ride = await world.record(RIDE)
    assert (ride.state, ride.pending, ride.amendments[-1].outcome.value) == (RequestState.ACCEPTED, None, how)
    assert ride.amendments[-1].rules == (("sequence",) if how == "unfit" else ())
    assert ride.dispatch is not None and ride.dispatch.start_ms == START + 30 * MINUTE_MS
    (task,) = await late.tasks()
    assert (task.kind, task.retiming, task.could[0]) == (TaskKind.SEQUENCE_AT_RISK, how, "amendRequest")
    await late.fire()
    assert len((await world.record(RIDE)).amendments) == 1, "not asked again for the same"
    await late.sound()


async def test_it_is_asked_again_for_another_change_and_not_for_ever(late: Late) -> None:
    await late.begin()
    await late.overdue(6)
    asked = (await late.world.record(RIDE)).amendments
    assert 1 < len(asked) <= 4
    assert [each.outcome for each in asked[:-1]].count(O.PENDING) == 0
    await late.sound()


async def test_nobody_need_answer_once_the_sequence_stands_again(late: Late) -> None:
    await late.begin()
    await late.overdue()
    world = late.world
    await world.report(world.vendor("v1"), f"{OXYGEN}.1", StatusUpdate(status=TrackingStatus.COMPLETED))
    ride = await world.record(RIDE)
    assert (ride.pending, ride.amendments[-1].outcome, ride.risk) == (None, O.WITHDRAWN, "")
    assert "dispatch.amendment.withdrawn" in await world.heard(world.keys.stream("v2"))
    assert await late.tasks() == []
    await late.sound()


async def test_go_anyway_and_a_turn_back_end_the_question(late: Late) -> None:
    await late.begin()
    await late.overdue()
    world = late.world
    await world.service.execute(world.platform, world.market, ReleaseSequence(request_id=RIDE))
    ride = await world.record(RIDE)
    assert (ride.pending, ride.risk, await late.tasks()) == (None, "", [])
    await late.sound()


async def test_a_dispatch_that_is_turned_back_takes_the_question_with_it(late: Late) -> None:
    await late.begin()
    await late.overdue()
    world = late.world
    await world.report(world.vendor("v2"), f"{RIDE}.1", StatusUpdate(status=TrackingStatus.TURNED_BACK))
    ride = await world.record(RIDE)
    assert (ride.state, ride.pending, ride.retime_ms) == (RequestState.MATCHING, None, 0)
    assert await late.tasks() == []
    await late.sound()


async def test_a_persons_amendment_goes_before_it(late: Late) -> None:
    await late.begin()
    await late.overdue()
    world = late.world
    ride = await world.amend(RIDE, Amend(notes="at the back door"))
    assert ride.amendments[-1].outcome is O.MADE
    await late.fire()
    ride = await world.record(RIDE)
    assert [each.outcome for each in ride.amendments] == [O.REPLACED, O.MADE, O.PENDING]
    window = Window(earliest=to_instant(START + HOUR_MS), latest=to_instant(START + 3 * HOUR_MS))
    ride = await world.amend(RIDE, Amend(pickup_window=window))
    assert [each.outcome for each in ride.amendments][2:] == [O.REPLACED, O.PENDING]
    assert ride.pending is not None and not ride.pending.retimes
    await late.sound()


async def test_what_goes_before_is_amended_to_later_and_what_goes_after_is_asked_to_follow(
    late: Late,
) -> None:
    await late.begin()
    world = late.world
    window = Window(earliest=to_instant(START + HOUR_MS), latest=to_instant(START + 2 * HOUR_MS))
    oxygen = await world.amend(OXYGEN, Amend(pickup_window=window))
    assert oxygen.pending is not None, "its vendor is asked, and does not lose it to the ride's time"
    oxygen = await world.answer_amendment(oxygen, agree=True)
    assert (await world.record(RIDE)).risk == "predecessor_late"
    await late.fire()
    ride = await world.record(RIDE)
    assert ride.pending is not None and ride.pending.placed is not None
    assert oxygen.dispatch is not None
    assert ride.pending.placed.start_ms >= oxygen.dispatch.end_ms
    await world.answer_amendment(ride, agree=True)
    assert await late.tasks() == []
    await late.sound()


async def test_a_start_too_long_after_what_goes_before_it_is_asked_to_be_sooner(late: Late) -> None:
    await late.begin(most_lag=60)
    world = late.world
    world.clock.ms = START - 3 * HOUR_MS
    window = Window(earliest=to_instant(START - 80 * MINUTE_MS), latest=to_instant(START - 65 * MINUTE_MS))
    oxygen = await world.amend(OXYGEN, Amend(pickup_window=window))
    await world.answer_amendment(oxygen, agree=True)
    await late.fire()
    ride = await world.record(RIDE)
    assert (ride.risk, ride.pending is not None) == ("most_lag_exceeded", True)
    assert ride.pending is not None and ride.pending.placed is not None
    assert START <= ride.pending.placed.start_ms < START + 30 * MINUTE_MS
    await late.sound()


async def test_a_timer_that_died_before_it_had_asked_asks_once_when_it_comes_back(late: Late) -> None:
    await late.begin()
    world, oxygen = late.world, await late.world.record(OXYGEN)
    world.clock.ms = oxygen.timer_ms
    while not (ride := await world.record(RIDE)).retime_ms:
        assert await late.fire_once(), "late, and then it dies"
    assert ride.pending is None and 0 < ride.retime_ms <= world.clock.now_ms(), "which is stored, and due"
    again = Late(world)
    await again.fire()
    await late.fire()
    assert len((await world.record(RIDE)).amendments) == 1
    await late.sound()
