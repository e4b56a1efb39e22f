"""A shadow plans what was planned under a candidate tuning, and offers nothing: what it would change."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Callable
from typing import Any

import pytest

from contracts.codes import LevelOfService, RequestState
from contracts.instants import to_instant
from contracts.tuning_shadow import RECENT, Shadow, ShadowBatch, ShadowFound, ShadowHeld
from contracts.vendors import BaseFare, RateCard
from dispatcher.matching import effects, shadow_child
from dispatcher.matching import shadow as shadows
from dispatcher.matching.batch import run_batch
from dispatcher.matching.commits import Ownership
from dispatcher.matching.low_priority import Work, worked
from dispatcher.matching.shadow import Shadow as Running
from dispatcher.matching.solving import SolverPool
from dispatcher.tuning.shadow import with_batch
from tests.matching.conftest import Town
from tests.solvers.town import trip, vendor

NAMES = [f"r{number}" for number in range(6)]


def charging(name: str, cents: int) -> object:
    fare = BaseFare(level_of_service=LevelOfService.WHEELCHAIR, base_cents=cents)
    return vendor(name, rate_card=RateCard(fares=(fare,)))


async def here(
    work: Work, job: object, busy: Callable[[], bool], *, told: Callable[[float], None] = lambda share: None
) -> Any:
    """As `low_priority.worked`, in this process: on a busy machine the other comes last."""
    while busy():
        await asyncio.sleep(0.01)
    answers, line = multiprocessing.Pipe(duplex=False)
    with pytest.MonkeyPatch.context() as patched, answers, line:
        for each in (shadow_child, effects):
            patched.setattr(each, "give_way", lambda: None)
        at_work = asyncio.create_task(asyncio.to_thread(work, line, job))
        while isinstance(said := await asyncio.to_thread(answers.recv), float):
            told(said)
        await at_work
        return said


async def planted(town: Town, **values: float) -> Running:
    """The vendor that all prefer costs 10 dollars more: by default that is worth it."""
    await town.add_vendor(charging("dear", 5_000), units=50)  # type: ignore[arg-type]
    await town.add_vendor(charging("cheap", 4_000), units=50)  # type: ignore[arg-type]
    await town.submit(*(trip(each, start_min=300, preferred_vendors=("dear",)) for each in NAMES))
    held = ShadowHeld(shadow=Shadow(values=dict(values), by="ops", reason="a test", at=to_instant(0)))
    await town.store.market(town.name).tuning_shadow.put(held, 0)
    town.market.shadow = Running(town.store.market(town.name), town.clock, worker=here)
    return town.market.shadow


async def found(town: Town) -> ShadowFound:
    assert town.market.shadow is not None
    assert town.market.shadow.at_work is not None
    async with asyncio.timeout(60):
        await town.market.shadow.at_work
    return (await town.store.market(town.name).tuning_shadow_found.get()).value


async def test_a_planted_change_is_found_to_the_cent_and_nothing_of_it_is_offered(
    town: Town, own: Ownership, solvers: SolverPool
) -> None:
    await planted(town, preference_cents=0)
    done = await run_batch(own, town.market, solvers)
    assert done.offered == set(NAMES)
    told = await found(town)
    assert (told.batches, told.requests, told.moved, told.gained, told.lost) == (1, 6, 6, 0, 0)
    assert (told.cents, told.anyway, told.skipped, told.failed) == (-6 * 1_000, 0, 0, 0)
    (batch,) = told.recent
    assert {each.request_id for each in batch.rows} == set(NAMES)
    assert {
        (each.kind, each.instead_of, each.vendor, each.cents, each.minutes, each.reason)
        for each in batch.rows
    } == {("moved", "dear", "cheap", -1_000, 0, "price")}
    assert await town.vendors_of(NAMES) == ["dear"] * 6
    assert {(await town.record(each)).state for each in NAMES} == {RequestState.OFFERED}


async def test_a_candidate_without_effect_changes_nothing(
    town: Town, own: Ownership, solvers: SolverPool
) -> None:
    await planted(town, credentials_grace_days=1)
    await run_batch(own, town.market, solvers)
    told = await found(town)
    assert (told.batches, told.moved, told.gained, told.lost, told.cents) == (1, 0, 0, 0, 0)


async def test_who_would_lose_a_vendor_is_told_with_the_rule(
    town: Town, own: Ownership, solvers: SolverPool
) -> None:
    running = await planted(town, credentials_verified_only=1)
    await run_batch(own, town.market, solvers)
    told = await found(town)
    assert (told.lost, told.moved) == (6, 0)
    assert {(each.kind, each.vendor, each.reason) for each in told.recent[0].rows} == {
        ("lost", "", "credentials")
    }
    await running.aclose()


async def test_a_batch_that_comes_while_the_last_is_compared_is_passed_over_and_counted(
    town: Town, own: Ownership, solvers: SolverPool
) -> None:
    running = await planted(town, preference_cents=0)
    busy = True
    running.worker, running.steps = worked, 2_000
    running.busy = lambda: busy
    await run_batch(own, town.market, solvers)
    await town.submit(trip("late", start_min=310))
    await run_batch(own, town.market, solvers)
    assert running.skipped == 1
    assert running.at_work is not None
    assert not running.at_work.done(), "it waits while something that counts is solved"
    busy = False
    told = await found(town)
    assert (told.batches, told.skipped) == (1, 1)


async def test_what_fails_in_its_process_is_counted_and_hurts_no_batch(
    town: Town, own: Ownership, solvers: SolverPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    (await planted(town, price_weight=-1.0)).worker = worked
    monkeypatch.setattr(shadows, "work", int)  # which does not take what it is given
    assert (await run_batch(own, town.market, solvers)).offered == set(NAMES)
    told = await found(town)
    assert (told.batches, told.failed) == (0, 1)


async def test_without_a_candidate_or_with_one_that_cannot_be_read_nothing_is_planned_beside(
    town: Town, own: Ownership, solvers: SolverPool
) -> None:
    running = await planted(town, preference_cents=0)
    part = town.store.market(town.name).tuning_shadow
    await town.store.reader.ask("SETRANGE", part.key, 4, b"\xc1" * 40)
    assert (await run_batch(own, town.market, solvers)).offered == set(NAMES)
    assert running.at_work is None
    await town.store.reader.ask("DEL", part.key)
    assert await running.wanted() is None


def test_found_is_bounded_and_begins_anew_with_another_candidate() -> None:
    batch = ShadowBatch(
        at=to_instant(0), tuning_version=1, requests=2, moved=1, gained=0, lost=0, anyway=1, cents=-5
    )
    total = ShadowFound()
    for _ in range(RECENT + 5):
        total = with_batch(total, 1, batch, 0)
    assert (total.batches, total.moved, len(total.recent)) == (RECENT + 5, RECENT + 5, RECENT)
    again = with_batch(total, 2, batch, 3)
    assert (again.of, again.batches, again.skipped, len(again.recent)) == (2, 1, 3, 1)
