"""Asked for twice: refused by the other's name; of two at once one is stored; forgotten with its requests."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from contracts.codes import RequestState
from contracts.duplicates import Duplicate
from contracts.instants import HOUR_MS
from contracts.requests import TripRequest
from dispatcher.domain.patients import PATIENT_KIND
from dispatcher.domain.refusals import PossibleDuplicate
from dispatcher.jobs.timers import Timers
from dispatcher.security.key_files import PatientKeyFile
from dispatcher.store.store import Store
from tests.domain import make
from tests.service.world import World


def ride(name: str, *not_duplicate_of: str, after_ms: int = 0) -> TripRequest:
    """All of one patient."""
    return make.trip(
        name,
        patient=make.patient("one"),
        ahead_ms=4 * HOUR_MS + after_ms,
        not_duplicate_of=not_duplicate_of,
    )


async def test_a_second_request_is_refused_by_the_name_of_the_first_and_nothing_is_stored(
    world: World,
) -> None:
    await world.submit(ride("r1"))
    with pytest.raises(PossibleDuplicate, match="r2 may be r1") as refused:
        await world.submit(ride("r2"), make.trip("other"), key="k2")
    assert refused.value.facts == {
        "duplicate_of": ["r1"],
        "duplicates": [Duplicate(request_id="r2", duplicate_of=("r1",))],
    }
    assert await world.store.market(world.market).requests.open_ids(9) == ["r1"]
    said = f"{refused.value} {refused.value.facts}"
    assert not [secret for secret in (make.PATIENT.name, "MRN", "one") if secret in said]


async def test_what_names_the_other_is_stored_and_so_is_what_comes_later_or_after_a_cancellation(
    world: World,
) -> None:
    await world.submit(ride("r1"))
    await world.submit(ride("r2", "r1"), key="k2")
    await world.submit(ride("back", after_ms=3 * HOUR_MS), key="k3")
    for each in ("r1", "r2"):
        await world.cancel(world.platform, each)
    assert await world.submit(ride("r4"), key="k4") == ("r4",)


async def test_in_a_batch_each_is_told_also_of_the_others_in_it(world: World) -> None:
    await world.submit(ride("r1"))
    with pytest.raises(PossibleDuplicate) as refused:
        await world.submit(ride("r2"), make.trip("other"), ride("r3", "r1"), key="k2")
    assert refused.value.facts["duplicates"] == [
        Duplicate(request_id="r2", duplicate_of=("r1",)),
        Duplicate(request_id="r3", duplicate_of=("r2",)),
    ]


async def test_of_many_at_the_same_moment_exactly_one_is_stored(world: World) -> None:
    calls = [world.submit(ride(f"r{each}"), key=f"k{each}") for each in range(12)]
    ended = await asyncio.gather(*calls, return_exceptions=True)
    assert sum(isinstance(each, tuple) for each in ended) == 1
    assert sum(isinstance(each, PossibleDuplicate) for each in ended) == 11
    assert len(await world.store.market(world.market).requests.open_ids(20)) == 1


async def test_the_same_request_again_is_no_duplicate_of_itself_under_any_key(world: World) -> None:
    await world.submit(ride("r1"))
    await world.submit(ride("r2", "r1"), key="k2")
    assert await world.submit(ride("r1")) == ("r1",)
    assert await world.submit(ride("r1"), key="another") == ("r1",)
    both = (ride("r1"), ride("r3", after_ms=6 * HOUR_MS))
    assert await world.submit(*both, key="both") == ("r1", "r3")


async def test_what_was_asked_for_under_the_old_key_is_found_under_the_new_one(world: World) -> None:
    await world.submit(ride("r1"))
    ring = world.store.vault.ring
    between = PatientKeyFile("b", ring.keys | {"b": bytes(32)})
    async with Store(world.store.url, between) as store:
        later = World(store, world.market)
        with pytest.raises(PossibleDuplicate):
            await later.submit(ride("r2"), key="k2")
        await later.submit(ride("r3", after_ms=5 * HOUR_MS), key="k3")
    async with Store(world.store.url, PatientKeyFile("b", {"b": bytes(32)})) as store:
        last = World(store, world.market)
        with pytest.raises(PossibleDuplicate, match="r4 may be r3"):
            await last.submit(ride("r4", after_ms=5 * HOUR_MS), key="k4")


async def test_an_index_is_there_no_longer_than_its_requests(world: World) -> None:
    await world.submit(ride("r1"))
    await world.cancel(world.platform, "r1")
    patients = world.store.market(world.market).records(PATIENT_KIND)
    timers = Timers(world.service)
    for _ in range(9):
        due_ms = await patients.next_due_ms()
        if due_ms is None:
            break
        world.clock.ms = max(due_ms, world.clock.ms)
        while await timers.fire_due(world.market):
            pass
    assert await patients.next_due_ms() is None


async def test_a_request_without_a_patient_is_neither_looked_up_nor_filed(world: World) -> None:
    await world.submit(make.trip("r1", patient=None), make.trip("r2", patient=None))
    await world.submit(make.trip("r3", patient=replace(make.PATIENT, phone="")), key="k2")
    assert await world.store.market(world.market).records(PATIENT_KIND).next_due_ms() is None
    assert (await world.record("r3")).state is RequestState.RECEIVED
