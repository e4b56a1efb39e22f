"""A move and an answer at the same time, and several commands in one commit: all of it or nothing."""

from __future__ import annotations

import asyncio

from contracts.codes import OfferState, RequestState
from contracts.instants import MINUTE_MS
from contracts.offers import Accept
from dispatcher.audit.auditor import audit
from dispatcher.domain.commands.make_offer import MakeOffer
from dispatcher.domain.commands.move_offer import MoveOffer
from dispatcher.domain.refusals import WrongState
from dispatcher.store.outcome import Outcome, Status
from tests.domain import make
from tests.service.world import World


async def offered(world: World, *names: str, units: int = 3) -> None:
    """Each is offered to v1; v2 is free."""
    await world.open_with(make.vendor("v1"), make.vendor("v2"), units=units)
    await world.submit(*map(make.trip, names))
    for name in names:
        assert (await world.offer(name)).ok
    world.clock.ms += 2 * MINUTE_MS


async def is_sound(world: World) -> None:
    assert (await audit(world.store.reader, world.market))["findings"] == []


async def test_a_move_gives_the_old_units_back_and_takes_the_new(world: World) -> None:
    await offered(world, "r1")
    outcome = await world.move("r1", make.vendor("v2"))
    assert outcome is not None
    assert outcome.ok
    assert (await world.booked("v1"), await world.booked("v2")) == (0, 1)
    assert await world.heard(world.keys.stream("v1")) == ["dispatch.offer.made", "dispatch.offer.closed"]
    assert await world.heard(world.keys.stream("v2")) == ["dispatch.offer.made"]
    await is_sound(world)


async def test_of_many_moves_and_acceptances_that_race_each_request_has_exactly_one(world: World) -> None:
    names = [f"r{n}" for n in range(12)]
    await offered(world, *names, units=12)
    accepting = [world.accept(world.vendor("v1"), f"{name}.1", Accept()) for name in names]
    moving = [world.move(name, make.vendor("v2")) for name in names]
    ended = await asyncio.gather(*accepting, *moving, return_exceptions=True)
    for name, accepted, outcome in zip(names, ended[:12], ended[12:], strict=True):
        record = await world.record(name)
        assert isinstance(outcome, Outcome)
        assert isinstance(accepted, WrongState) == outcome.ok
        assert record.state is (RequestState.OFFERED if outcome.ok else RequestState.ACCEPTED)
    assert await world.booked("v1") + await world.booked("v2") == 12
    await is_sound(world)


async def test_several_commands_are_stored_together_or_not_at_all(world: World) -> None:
    await offered(world, "r1", units=1)
    await world.submit(make.trip("r2"), key="second")
    stands, waits = await world.record("r1"), await world.record("r2")
    away = make.proposal(stands, make.vendor("v2"))
    room = make.proposal(waits, make.vendor("v1"))
    both = [
        (MoveOffer(offer_id="r1.1", request=make.trip("r1"), proposal=away), stands),
        (MakeOffer(request_id="r2", request=make.trip("r2"), proposal=room), waits),
    ]
    executor = world.service.executor
    full = await executor.attempt_all("matcher", world.market, both[1:], fence=world.fence)
    assert full is not None
    assert full.status is Status.FULL
    done = await executor.attempt_all("matcher", world.market, both, fence=world.fence)
    assert done is not None
    assert done.ok
    assert [(await world.record(name)).offers[-1].vendor_id for name in ("r1", "r2")] == ["v2", "v1"]
    await is_sound(world)


async def test_when_one_of_several_commands_comes_too_late_none_has_an_effect(world: World) -> None:
    await offered(world, "r1", units=1)
    await world.submit(make.trip("r2"), key="second")
    stands, waits = await world.record("r1"), await world.record("r2")
    await world.accept(world.vendor("v1"), "r1.1", Accept())
    both = [
        (
            MakeOffer(
                request_id="r2", request=make.trip("r2"), proposal=make.proposal(waits, make.vendor("v2"))
            ),
            waits,
        ),
        (
            MoveOffer(
                offer_id="r1.1", request=make.trip("r1"), proposal=make.proposal(stands, make.vendor("v2"))
            ),
            stands,
        ),
    ]
    outcome = await world.service.executor.attempt_all("matcher", world.market, both, fence=world.fence)
    assert outcome is not None
    assert (outcome.status, outcome.stale_id) == (Status.STALE, "r1")
    assert (await world.record("r2")).state is RequestState.RECEIVED
    assert (await world.record("r1")).offers[-1].state is OfferState.ACCEPTED
    await is_sound(world)
