"""Requests in: durable, once, all or none, and the same answer to the same call."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from msgspec.structs import replace

from contracts.codes import RequestState, Role
from contracts.instants import HOUR_MS, to_instant
from contracts.patients import Patient
from dispatcher.domain.refusals import Invalid, NotFound, Reused
from dispatcher.security.principal import Principal
from dispatcher.store.idempotency import IdempotencyRecord
from solvers.arrays import Floats
from solvers.travel import Travel
from tests.domain import make
from tests.service.world import World


async def test_what_was_answered_is_stored_with_its_timer_its_patient_sealed_and_its_event(
    world: World,
) -> None:
    assert await world.submit() == ("r1",)
    record = await world.record()
    assert record.state is RequestState.RECEIVED
    assert await world.store.market(world.market).requests.records.next_due_ms() == record.timer_ms
    assert await world.store.market(world.market).requests.body("r1") == replace(make.trip(), patient=None)
    assert await world.store.market(world.market).requests.patient("r1") == make.patient()
    assert await world.heard(world.keys.events) == ["dispatch.request.received"]


async def test_the_same_call_again_has_the_same_answer_and_no_second_effect(world: World) -> None:
    first = await world.submit()
    assert await world.submit() == first
    assert await world.heard(world.keys.events) == ["dispatch.request.received"]


async def test_thirty_two_racing_repeats_of_one_call_have_one_effect(world: World) -> None:
    answers = await asyncio.gather(*(world.submit() for _ in range(32)))
    assert set(answers) == {("r1",)}
    assert await world.heard(world.keys.events) == ["dispatch.request.received"]


async def test_racing_calls_with_keys_of_their_own_store_one_request_once(world: World) -> None:
    answers = await asyncio.gather(*(world.submit(key=f"k{n}") for n in range(16)))
    assert set(answers) == {("r1",)}
    assert await world.heard(world.keys.events) == ["dispatch.request.received"]


async def test_a_repeat_is_answered_even_when_the_window_has_passed_meanwhile(world: World) -> None:
    first = await world.submit()
    world.clock.ms += 24 * HOUR_MS
    assert await world.submit() == first
    with pytest.raises(Invalid):
        await world.submit(key="a new call")


async def test_a_key_with_another_body_is_refused(world: World) -> None:
    await world.submit()
    with pytest.raises(Reused):
        await world.submit(make.trip("r2"), body=b"another body")
    assert await world.store.market(world.market).requests.records.get("r2") is None


@pytest.mark.parametrize(
    "changed",
    [
        make.trip(service_minutes=11),
        make.trip(patient=None),
        make.trip(patient=Patient(name="Someone Else")),
        make.trip(match_by=to_instant(make.NOW + HOUR_MS)),
    ],
)
async def test_an_id_with_another_body_is_refused_and_nothing_of_its_batch_is_stored(
    world: World, changed: object
) -> None:
    await world.submit()
    with pytest.raises(Reused, match="r1") as refused:
        await world.submit(changed, make.trip("r2"), key="k2")  # type: ignore[arg-type]
    assert refused.value.facts == {"request_ids": ["r1"]}
    assert await world.store.market(world.market).requests.records.get("r2") is None
    assert "Someone" not in refused.value.detail


async def test_a_batch_stores_what_is_missing_of_it(world: World) -> None:
    await world.submit()
    batch = [make.trip("r1"), make.trip("r2"), make.trip("r3")]
    assert await world.submit(*batch, key="k2") == ("r1", "r2", "r3")
    assert (await world.store.market(world.market).requests.counts())[RequestState.RECEIVED] == 3


async def test_a_thousand_requests_are_one_commit_and_one_bad_one_refuses_all(world: World) -> None:
    batch = [make.trip(f"r{n}") for n in range(1_000)]
    with pytest.raises(Invalid, match="late"):
        await world.submit(*batch[1:], make.trip("late", ahead_ms=-HOUR_MS))
    assert await world.store.market(world.market).requests.open_ids(10) == []
    assert len(await world.submit(*batch)) == 1_000
    assert len(await world.store.market(world.market).requests.open_ids(2_000)) == 1_000


async def test_an_id_that_stands_twice_in_a_batch_is_refused(world: World) -> None:
    with pytest.raises(Reused, match="r1 stands in the call more than once"):
        await world.submit(make.trip(), make.trip())


async def test_a_ride_to_an_appointment_is_due_before_it_by_the_ride_itself(world: World) -> None:
    appointment = make.NOW + 5 * HOUR_MS
    ride = make.trip(pickup_window=None, appointment_at=to_instant(appointment), service_minutes=5)
    await world.submit(ride)
    record = await world.record()
    ride_ms = appointment - record.latest_ms - 10 * 60_000
    assert ride_ms % 60_000 == 0
    assert 8 * 60_000 < ride_ms < 20 * 60_000  # 4.3 km as the crow flies, by road in the city


async def test_an_appointment_is_reached_by_the_travel_times_that_the_market_has(world: World) -> None:
    class AnHour:
        def between(self, origins: Floats, destinations: Floats, departure_hour: object) -> Travel:
            return Travel(np.full(len(origins), 3_600.0), np.full(len(origins), 10_000.0))

    world.service.requests.travel_of = lambda values: AnHour()
    appointment = make.NOW + 5 * HOUR_MS
    await world.submit(
        make.trip(pickup_window=None, appointment_at=to_instant(appointment), service_minutes=5)
    )
    assert (await world.record()).latest_ms == appointment - HOUR_MS - 10 * 60_000


@pytest.mark.parametrize("markets", [frozenset({"another"}), frozenset[str]()])
async def test_a_market_that_is_not_the_tokens_is_as_unknown_as_one_that_is_not_served(
    world: World, markets: frozenset[str]
) -> None:
    stranger = Principal.of(Role.PLATFORM, markets=markets)
    for market in (world.market, "another"):
        with pytest.raises(NotFound, match=f"there is no market {market}") as refused:
            await world.service.requests.submit(
                stranger, market, [make.trip()], IdempotencyRecord.of("", "k", b"")
            )
        assert world.market not in refused.value.facts["markets"]


async def test_a_vendor_submits_nothing(world: World) -> None:
    with pytest.raises(NotFound):
        await world.service.requests.submit(
            world.vendor(), world.market, [make.trip()], IdempotencyRecord.of("", "k", b"")
        )
