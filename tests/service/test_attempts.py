"""Offers, reasons and timers: from what was read before, and what has gone stale falls out alone."""

from __future__ import annotations

import asyncio
from datetime import date

import pytest

from contracts.codes import OfferState, RequestState, TrackingStatus
from contracts.dispatches import StatusUpdate
from contracts.instants import HOUR_MS
from contracts.offers import Accept
from contracts.tuning import TuningUpdate
from contracts.unmatched import Unmatched
from dispatcher.domain.refusals import Invalid, NotFound, Stale
from dispatcher.domain.request_kind import REQUEST_KIND
from dispatcher.jobs.timers import Timers
from dispatcher.store.outcome import Status
from tests.domain import make
from tests.service.world import DAY, World


async def test_a_plan_for_a_request_that_moved_on_is_stale_and_changes_nothing(world: World) -> None:
    await world.open_with(make.vendor())
    await world.submit()
    record, request = await world.record(), make.trip()
    plan = make.proposal(record, make.vendor())
    await world.cancel(world.platform, "r1")
    outcome = await world.put(record, request, plan, world.fence)
    assert outcome.status is Status.STALE
    assert await world.booked() == 0
    again = await world.put(await world.record(), request, plan, world.fence)
    assert again is not None
    assert again.status is Status.STALE


async def test_no_more_is_offered_than_the_vendor_posted_however_many_plans_race(world: World) -> None:
    await world.open_with(make.vendor(), units=5)
    names = [f"r{n}" for n in range(32)]
    await world.submit(*map(make.trip, names))
    outcomes = await asyncio.gather(*map(world.offer, names))
    assert [outcome.status for outcome in outcomes].count(Status.OK) == 5
    assert {outcome.status for outcome in outcomes} == {Status.OK, Status.FULL}
    assert await world.booked() == 5


async def test_a_matcher_that_lost_its_market_commits_nothing(world: World) -> None:
    await world.open_with(make.vendor())
    await world.submit()
    assert (await world.offer(fence="0-before")).status is Status.FENCED
    reasons = Unmatched(vendors=1, last_rule="hours")
    record = await world.record()
    fenced = await world.explain(record, reasons, "0-before")
    assert fenced is not None
    assert fenced.status is Status.FENCED


async def test_reasons_are_kept_once_and_shown_to_the_platform(world: World) -> None:
    await world.open_with()
    await world.submit()
    reasons = Unmatched(vendors=3, last_rule="level_of_service")
    outcome = await world.explain(await world.record(), reasons, world.fence)
    assert outcome is not None
    assert outcome.ok
    record = await world.record()
    assert await world.explain(record, reasons, world.fence) is None
    view = await world.service.requests.view(world.platform, world.market, "r1")
    assert view.unmatched is not None
    assert view.unmatched.last_rule == "level_of_service"


async def test_timers_of_two_processes_at_once_have_each_effect_once(world: World) -> None:
    await world.open_with(make.vendor("v1"), make.vendor("v2", assumed=True), units=40)
    names = [f"r{n}" for n in range(20)]
    await world.submit(*map(make.trip, names))
    for n, name in enumerate(names):
        await world.offer(name, make.vendor("v2", assumed=True) if n % 2 else make.vendor("v1"))
    world.clock.ms += HOUR_MS
    timers = [Timers(world.service) for _ in range(4)]
    fired = await asyncio.gather(*(each.fire_due(world.market) for each in timers))
    assert sum(fired) == 20
    states = [(await world.record(name)).state for name in names]
    assert states == [RequestState.MATCHING, RequestState.ACCEPTED] * 10
    assert (await world.booked("v1"), await world.booked("v2")) == (0, 10)
    assert await timers[0].fire_due(world.market) == 0


async def test_left_alone_every_request_ends_and_is_forgotten_with_all_that_was_stored_of_it(
    world: World,
) -> None:
    await world.open_with(make.vendor())
    await world.submit(make.trip("r1"), make.trip("r2"), make.trip("r3"))
    await world.offer("r1")
    await world.accept(world.vendor(), "r1.1", Accept())
    await world.offer("r2")
    world.clock.ms += 2 * HOUR_MS
    await world.report(world.vendor(), "r1.1", StatusUpdate(status=TrackingStatus.COMPLETED))
    timers, stored = Timers(world.service), world.store.market(world.market)
    for _ in range(200):
        due = [await each.next_due_ms() for each in (stored.requests.records, stored.tasks.records)]
        if due == [None, None]:
            break
        world.clock.ms = max(world.clock.ms, min(each for each in due if each is not None))
        assert await timers.fire_due(world.market)
    assert due == [None, None], "a task that nobody ended goes with its request in the end"
    for name in ("r1", "r2", "r3"):
        assert await world.store.market(world.market).requests.records.get(name) is None
        assert await world.store.market(world.market).requests.body(name) is None
        assert await world.store.market(world.market).requests.patient(name) is None
    assert await world.booked() == 0
    assert (await world.heard(world.keys.matches)).count("dispatch.request.unmatched") == 2


async def test_an_id_that_was_forgotten_is_a_new_request_with_tasks_of_its_own(world: World) -> None:
    stored, timers = world.store.market(world.market), Timers(world.service)
    for number in range(2):
        await world.open_with()
        ahead_ms = world.clock.ms - make.NOW + HOUR_MS
        await world.submit(make.trip("r1", ahead_ms=ahead_ms), key=f"k{number}")
        world.clock.ms = (await world.record()).timer_ms
        assert await timers.fire_due(world.market)
        assert (await world.record()).state is RequestState.UNMATCHED
        task = await stored.tasks.records.get("r1.unmatched")
        assert task is not None
        assert task.version == 1
        world.clock.ms += 31 * 24 * HOUR_MS
        while await timers.fire_due(world.market):
            pass
        assert await stored.requests.records.get("r1") is None
        assert await stored.tasks.records.get("r1.unmatched") is None


async def test_running_timers_fire_by_themselves_and_stop_when_told(world: World) -> None:
    await world.open_with(make.vendor())
    await world.submit()
    await world.offer()
    running = asyncio.create_task(Timers(world.service).run(world.market, REQUEST_KIND))
    world.clock.ms += HOUR_MS
    async with asyncio.timeout(20):
        while (await world.record()).state is not RequestState.MATCHING:
            await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.wait([running], timeout=20)
    assert running.done()
    assert (await world.record()).offers[0].state is OfferState.EXPIRED


async def test_tuning_is_checked_versioned_and_in_force_at_once(world: World) -> None:
    view = await world.service.tuning.put(
        world.ops, world.market, TuningUpdate(values={"max_attempts": 1}, reason="storm"), 0
    )
    assert (view.version, view.by, view.reason) == (1, "ops", "storm")
    assert {each.name: each.value for each in view.parameters}["max_attempts"] == 1
    assert (await world.service.markets.tuning(world.market)).values == {"max_attempts": 1}
    with pytest.raises(Stale):
        await world.service.tuning.put(world.ops, world.market, TuningUpdate(values={}), 0)
    with pytest.raises(Invalid, match=r"max_attempts 99 is outside 1\.\.50 offers") as refused:
        await world.service.tuning.put(
            world.ops, world.market, TuningUpdate(values={"max_attempts": 99, "nonsense": 1}), 1
        )
    assert len(refused.value.facts["problems"]) == 2
    assert (await world.service.tuning.get(world.ops, world.market)).version == 1


async def test_capacity_is_posted_for_vendors_that_exist_and_read_by_its_own(world: World) -> None:
    await world.open_with(make.vendor("v1"), make.vendor("v2"))
    posted = await world.service.capacity.get(world.vendor("v1"), world.market, "v1", DAY)
    assert posted.version == 1
    with pytest.raises(NotFound):
        await world.service.capacity.get(world.vendor("v2"), world.market, "v1", DAY)
    with pytest.raises(NotFound):
        await world.service.capacity.put(
            world.ops, world.market, "v9", DAY, posted.value, expected_version=None
        )
    assert [each.id for each in await world.service.vendors.get_all(world.vendor("v2"), world.market)] == [
        "v2"
    ]
    assert len(await world.service.vendors.get_all(world.ops, world.market)) == 2


async def test_capacity_is_taken_from_yesterday_to_the_last_day_a_window_may_be_on_and_for_no_other(
    world: World,
) -> None:
    await world.open_with(make.vendor("v1"))
    posted = await world.service.capacity.get(world.vendor("v1"), world.market, "v1", DAY)

    async def put(day: date) -> int:
        market, capacity = world.market, posted.value
        return await world.service.capacity.put(world.ops, market, "v1", day, capacity, expected_version=None)

    for day in (date(2026, 3, 1), date(2101, 1, 1)):  # of an instant of 2100, in some zone
        assert await put(day) == 1
    for day in (date.min, date(2025, 3, 2), date(2026, 2, 28), date(2101, 1, 2), date.max):
        with pytest.raises(Invalid, match=f"day is {day}; .* it is 2026-03-02 in this market .UTC."):
            await put(day)
