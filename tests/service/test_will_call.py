"""Will-calls and round trips over a real store: everybody at once, and said again."""

from __future__ import annotations

import asyncio
from zoneinfo import ZoneInfo

import pytest

from contracts.codes import OfferState, RequestState, TrackingStatus
from contracts.dispatches import StatusUpdate
from contracts.instants import HOUR_MS, MINUTE_MS
from contracts.offers import Accept
from contracts.tasks import TaskKind, TaskQuery
from contracts.tuning import TuningUpdate
from dispatcher.audit.auditor import audit
from dispatcher.domain.commands.activate import ActivateRequest
from dispatcher.domain.refusals import Invalid, WrongState
from dispatcher.domain.requests import RequestRecord
from dispatcher.jobs.timers import Timers
from dispatcher.service.service import Service
from dispatcher.store.idempotency import IdempotencyRecord
from tests.domain import make
from tests.service.world import World

S = RequestState


async def activate(
    world: World, name: str = "r1", key: str = "", ready_ms: int | None = None
) -> RequestRecord:
    command = ActivateRequest(request_id=name, ready_ms=ready_ms)
    kept = IdempotencyRecord.of("activate", key, b"") if key else None
    record: RequestRecord = await world.service.execute(world.platform, world.market, command, kept)
    return record


async def is_sound(world: World) -> None:
    assert (await audit(world.store.reader, world.market, streams=True))["findings"] == []


async def round_trip(world: World) -> None:
    """There in an hour, back in eight; both with a vendor that took them on."""
    await world.open_with(make.vendor())
    back = make.trip("back", ahead_ms=8 * HOUR_MS, return_of="there")
    await world.submit(make.trip("there", ahead_ms=HOUR_MS), back)
    for name in ("there", "back"):
        assert (await world.offer(name)).ok
        await world.accept(world.vendor(), f"{name}.1", Accept())


async def tasks(world: World) -> list[TaskKind]:
    found, _ = await world.service.tasks.page(world.ops, world.market, TaskQuery())
    return [each.kind for each in found]


async def test_called_by_two_at_once_it_is_called_once(world: World) -> None:
    await world.submit(make.will_call())
    first, second = await asyncio.gather(
        activate(world, key="a"), activate(world, key="b", ready_ms=make.NOW + 1)
    )
    assert first == second == await world.record()
    assert (await world.store.market(world.market).calls.of(["2026-03"])).total() == 1
    assert (await world.heard(world.keys.events)).count("dispatch.request.activated") == 1
    await is_sound(world)


async def test_a_retried_call_is_the_same_answer_also_after_the_ride_has_ended(world: World) -> None:
    await world.submit(make.will_call())
    assert (await activate(world, key="a")).state is S.RECEIVED
    await world.cancel(world.platform, "r1")
    assert (await activate(world, key="a")).state is S.CANCELLED, "it had its effect before"
    with pytest.raises(WrongState, match="is cancelled"):
        await activate(world, key="b")


async def test_called_and_cancelled_at_once_it_ends_cancelled(world: World) -> None:
    await world.submit(make.will_call())
    calls = [activate(world), world.cancel(world.platform, "r1"), activate(world)]
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert all(isinstance(each, RequestRecord | WrongState) for each in answers)
    assert (await world.record()).state is S.CANCELLED
    await is_sound(world)


async def test_nobody_calls_a_coordinator_is_asked_and_their_task_outlives_it(world: World) -> None:
    await world.submit(make.will_call())
    timers = Timers(world.service)
    for hours, state in ((9, S.ON_HOLD), (10, S.ON_HOLD), (16, S.CANCELLED), (40, S.CANCELLED)):
        world.clock.ms = make.NOW + hours * HOUR_MS
        while await timers.fire_due(world.market):
            pass
        assert ((await world.record()).state, await tasks(world)) == (
            state,
            [TaskKind.WILL_CALL] * (hours > 9),
        )
        await is_sound(world)


async def test_a_will_call_is_called_by_the_clock_of_its_market(world: World) -> None:
    west = World(world.store, f"{world.market}w", world.clock)
    west.service = Service(
        world.store,
        world.clock,
        {west.market: ZoneInfo("America/Los_Angeles")},
        world.service.tuning.registry,
    )
    await west.submit(make.will_call())
    assert (await west.record()).earliest_ms == make.NOW, "midnight there"


async def test_a_leg_that_is_stored_knows_its_way_back_however_often_that_is_submitted(world: World) -> None:
    await world.submit(make.trip("there", ahead_ms=HOUR_MS))
    back = make.will_call("back", return_of="there")
    for key in ("k2", "k2", "k3"):
        assert await world.submit(back, key=key) == ("back",)
    there = await world.record("there")
    assert (there.before, there.version) == (("back",), 2)
    with pytest.raises(Invalid, match="has its return: back"):
        await world.submit(make.will_call("other", return_of="there"), key="k4")
    with pytest.raises(Invalid, match="is to go after request nowhere, which is not there"):
        await world.submit(make.will_call("other", return_of="nowhere"), key="k5")
    await is_sound(world)


async def test_two_ways_back_at_once_of_one_leg_one_is_refused(world: World) -> None:
    await world.submit(make.trip("there", ahead_ms=HOUR_MS))
    legs = [make.will_call(each, return_of="there", patient=None) for each in ("b1", "b2")]
    both = [world.submit(each, key=each.id) for each in legs]
    answers = await asyncio.gather(*both, return_exceptions=True)
    assert sorted(type(each).__name__ for each in answers) == ["Invalid", "tuple"]


async def test_a_way_back_cannot_start_before_the_ride_there_is_over(world: World) -> None:
    there = make.trip("there", ahead_ms=HOUR_MS)  # from 9:00 on, 20 minutes at doors, some 10 on the road
    with pytest.raises(Invalid, match=r"it may start until 2026-03-02T09:15.*and request there ends at 2026"):
        await world.submit(there, make.trip("back", ahead_ms=45 * MINUTE_MS, return_of="there"), key="k2")
    await world.submit(there, make.trip("back", ahead_ms=90 * MINUTE_MS, return_of="there"), key="k3")


async def test_a_no_show_there_frees_the_vendor_of_the_way_back(world: World) -> None:
    await round_trip(world)
    world.clock.ms = make.NOW + HOUR_MS
    await world.report(world.vendor(), "there.1", StatusUpdate(status=TrackingStatus.NO_SHOW))
    back = await world.record("back")
    assert (back.state, back.history[-1].code) == (S.CANCELLED, "outbound_no_show")
    assert await world.booked() == 1, "the vendor was there, once"
    assert "dispatch.offer.closed" in await world.heard(world.keys.stream("v1"))
    assert await tasks(world) == [TaskKind.NO_SHOW]
    await is_sound(world)


async def test_by_tuning_the_way_back_is_held_for_a_coordinator(world: World) -> None:
    await round_trip(world)
    hold = TuningUpdate(values={"return_after_no_show": 1})
    await world.service.tuning.put(world.ops, world.market, hold, None)
    await world.cancel(world.platform, "there")
    back = await world.record("back")
    assert (back.state, back.offers[0].state) == (S.ON_HOLD, OfferState.CANCELLED)
    assert await tasks(world) == [TaskKind.PREDECESSOR_MISSING]
    assert await world.booked() == 0
    await is_sound(world)


async def test_a_way_back_that_is_taken_on_meanwhile_is_given_up_all_the_same(world: World) -> None:
    await world.open_with(make.vendor())
    back = make.trip("back", ahead_ms=8 * HOUR_MS, return_of="there")
    await world.submit(make.trip("there", ahead_ms=HOUR_MS), back)
    assert (await world.offer("there")).ok
    assert (await world.offer("back")).ok
    taken = world.accept(world.vendor(), "back.1", Accept())
    await asyncio.gather(world.cancel(world.platform, "there"), taken, return_exceptions=True)
    assert (await world.record("back")).state is S.CANCELLED
    assert await world.booked() == 0
    await is_sound(world)
