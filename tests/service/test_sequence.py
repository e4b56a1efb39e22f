"""Requests in sequence over a real store: taken in together, planned on what stands, followed to the end."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from contracts.codes import RequestState, TrackingStatus
from contracts.dispatches import StatusUpdate
from contracts.episodes import After, Edge, EpisodeDraft
from contracts.instants import HOUR_MS, MINUTE_MS
from contracts.offers import Accept
from dispatcher.audit.auditor import audit
from dispatcher.domain.commands.make_offer import MakeOffer
from dispatcher.domain.refusals import Invalid
from dispatcher.store.outcome import Outcome, Status
from tests.domain import make
from tests.service.world import World

OXYGEN, RIDE = "oxygen", "ride"


async def discharge(world: World, **changes: Any) -> None:
    await world.open_with(make.vendor("v1"), make.vendor("v2"))
    ride = make.trip(RIDE, ahead_ms=4 * HOUR_MS, after=(After(request=OXYGEN),), **changes)
    await world.submit(ride, make.trip(OXYGEN, **changes))


async def offer(world: World, name: str, minutes: int, *, read: object = None) -> Outcome | None:
    """As the matcher does, of what it read."""
    record = read or await world.record(name)
    plan = make.proposal(record, make.vendor("v1"))
    start_ms = record.earliest_ms + minutes * MINUTE_MS
    plan = replace(plan, start_ms=start_ms, end_ms=start_ms + 30 * MINUTE_MS)
    command = MakeOffer(request_id=name, request=await world.body(name), proposal=plan)
    return await world.service.executor.attempt("matcher", world.market, command, record, fence=world.fence)


async def sound(world: World) -> None:
    report = await audit(world.store.reader, world.market, streams=True)
    assert report["findings"] == []


async def test_those_that_come_together_know_of_each_other(world: World) -> None:
    await discharge(world)
    view = await world.service.requests.view(world.platform, world.market, RIDE)
    assert [(each.request, each.done) for each in view.after] == [(OXYGEN, False)]
    assert (await world.record(OXYGEN)).before == (RIDE,)
    bed = make.trip("bed", after=(After(request=OXYGEN),))
    await world.submit(bed, key="k2", body=b"bed")
    await world.submit(bed, key="k2", body=b"bed")
    assert (await world.record(OXYGEN)).before == (RIDE, "bed")
    await sound(world)


async def test_what_is_named_must_be_there(world: World) -> None:
    with pytest.raises(Invalid, match="after request oxygen, which is not there"):
        await world.submit(make.trip(RIDE, after=(After(request=OXYGEN),)))


async def test_no_offer_rests_on_what_has_changed_since(world: World) -> None:
    await discharge(world)
    refused = await offer(world, RIDE, 30)
    assert refused is not None and refused.status is Status.STALE
    assert (await offer(world, OXYGEN, 0)).ok
    assert (await offer(world, RIDE, 30)).ok
    await sound(world)


async def test_a_cancelled_predecessor_holds_what_goes_after_it(world: World) -> None:
    await discharge(world)
    assert (await offer(world, OXYGEN, 0)).ok
    assert (await offer(world, RIDE, 30)).ok
    await world.cancel(world.platform, OXYGEN)
    ride = await world.record(RIDE)
    assert (ride.state, ride.risk) == (RequestState.ON_HOLD, "predecessor_cancelled")
    assert await world.booked() == 0
    assert "dispatch.sequence.at_risk" in await world.heard(world.keys.events)
    await sound(world)


async def test_completed_predecessors_free_their_successors(world: World) -> None:
    await discharge(world)
    assert (await offer(world, OXYGEN, 0)).ok
    await world.accept(world.vendor(), f"{OXYGEN}.1", Accept())
    world.clock.ms = (await world.record(OXYGEN)).earliest_ms
    done = StatusUpdate(status=TrackingStatus.COMPLETED)
    await world.report(world.vendor(), f"{OXYGEN}.1", done)
    assert (await world.record(RIDE)).after[0].done_ms == world.clock.now_ms()
    assert (await offer(world, RIDE, 0)).ok
    await sound(world)


async def test_a_lag_that_is_taken_back_settles_the_task_about_it(world: World) -> None:
    await discharge(world, patient=None)
    for name, minutes in ((OXYGEN, 0), (RIDE, 30)):
        assert (await offer(world, name, minutes)).ok
        await world.accept(world.vendor(), f"{name}.1", Accept())
    for lag, undone in ((25, 1), (0, 0)):
        edge = Edge(before=OXYGEN, after=RIDE, least_lag_minutes=lag)
        draft = EpisodeDraft(requests=(OXYGEN, RIDE), sequence=(edge,))
        await world.service.episodes.put(world.platform, world.market, "home", draft, None)
        view = await world.service.episodes.view(world.platform, world.market, "home")
        assert (len(view.at_risk), len(view.tasks)) == (undone, undone)
    await sound(world)
