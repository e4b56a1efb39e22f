"""What becomes of offers is counted in the quarter of an hour in which each was made, beside the commits."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import date

from contracts.codes import DeclineCode, Priority, TrackingStatus
from contracts.dispatches import StatusUpdate
from contracts.instants import HOUR_MS, MINUTE_MS
from contracts.offers import Accept, Decline
from dispatcher.domain.quarters import SLOT_MS, Cell, What, slot_of
from dispatcher.jobs import quarters as job
from dispatcher.jobs.timers import Timers
from dispatcher.store.aside import Item
from tests.domain import make
from tests.service.world import DAY, World

FIRST = slot_of(make.NOW)
SECOND = FIRST + SLOT_MS


async def counted(world: World) -> dict[Cell, int]:
    part = world.store.market(world.market).quarters
    await part.write(HOUR_MS)
    return {cell: count for cell, count in (await part.of([DAY])).items() if count}


async def test_offers_their_price_and_what_came_of_them_count_for_the_quarter_in_which_they_were_made(
    world: World,
) -> None:
    await world.open_with(make.vendor("v1"), make.vendor("v2"))
    await world.submit(make.trip("r1"), make.trip("r2", priority=Priority.URGENT))
    assert (await world.offer("r1")).ok
    assert (await world.offer("r2")).ok
    cents = (await world.record("r1")).offers[0].price_cents
    offered = {
        Cell(FIRST, What.OFFERED): 2,
        Cell(FIRST, What.CENTS): 2 * cents,
        Cell(FIRST, What.URGENT_OFFERED): 1,
    }
    assert await counted(world) == offered
    world.clock.ms += SLOT_MS - 5 * MINUTE_MS
    await world.decline(world.vendor("v1"), "r2.1", Decline(code=DeclineCode.NO_VEHICLES_AVAILABLE))
    await world.accept(world.vendor("v1"), "r1.1", Accept())
    world.clock.ms += 10 * MINUTE_MS
    assert (await world.offer("r2", make.vendor("v2"))).ok
    answered = offered | {Cell(FIRST, What.DECLINED): 1, Cell(FIRST, What.ACCEPTED): 1}
    again = {
        Cell(SECOND, What.OFFERED): 1,
        Cell(SECOND, What.CENTS): cents,
        Cell(SECOND, What.URGENT_OFFERED): 1,
    }
    assert await counted(world) == answered | again
    start_ms = (await world.record("r1")).offers[0].start_ms
    world.clock.ms = start_ms + 40 * MINUTE_MS
    await world.report(world.vendor("v1"), "r1.1", StatusUpdate(status=TrackingStatus.AT_PICKUP))
    await world.report(world.vendor("v1"), "r1.1", StatusUpdate(status=TrackingStatus.COMPLETED))
    assert (await counted(world))[Cell(FIRST, What.LATE)] == 1


async def test_an_offer_that_is_moved_counts_where_it_is_made_anew(world: World) -> None:
    await world.open_with(make.vendor("v1"), make.vendor("v2"))
    await world.submit(make.trip("r1"))
    world.clock.ms += 13 * MINUTE_MS
    assert (await world.offer("r1")).ok
    world.clock.ms += 5 * MINUTE_MS
    moved = await world.move("r1", make.vendor("v2"))
    assert moved is not None
    assert moved.ok
    found = Counter(await counted(world))
    assert {cell: count for cell, count in found.items() if cell.what is What.OFFERED} == {
        Cell(slot_of(world.clock.ms), What.OFFERED): 1
    }


async def test_an_urgent_request_without_a_vendor_counts_when_its_time_is_over_and_a_routine_one_does_not(
    world: World,
) -> None:
    await world.open_with()
    await world.submit(make.trip("r1"), make.trip("r2", priority=Priority.URGENT))
    world.clock.ms += 6 * HOUR_MS
    assert await Timers(world.service).fire_due(world.market) == 2
    assert await counted(world) == {Cell(slot_of(world.clock.ms), What.URGENT_UNMATCHED): 1}


async def test_what_is_submitted_alone_counts_nothing(world: World) -> None:
    await world.open_with()
    await world.submit(make.trip("r1"))
    assert not world.store.market(world.market).quarters.gathered


async def test_counts_that_cannot_be_written_stop_nothing_and_are_named(world: World) -> None:
    key = world.keys.quarters(DAY.isoformat())
    await world.store.reader.ask("LPUSH", key, "x")
    await world.accepted()
    assert await counted(world) == {}
    assert Item("quarter", DAY.isoformat()) in world.store.aside.known(world.market)


async def test_the_job_writes_what_was_gathered_also_at_its_end(world: World) -> None:
    await world.accepted()
    running = asyncio.create_task(job.keep_quarters(world.service, world.market))
    await asyncio.sleep(0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    part = world.store.market(world.market).quarters
    assert not part.gathered
    assert (await part.of([DAY]))[Cell(FIRST, What.ACCEPTED)] == 1
    assert await part.of([date(2026, 3, 1)]) == {}
