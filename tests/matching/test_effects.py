"""What a parameter does is seen in the batches that were saved: each is planned with it nudged."""

from __future__ import annotations

import asyncio
from datetime import date

from contracts.instants import DAY_MS, to_instant
from contracts.tuning_parameters import Effects, MeasureState, Measuring
from dispatcher.blobs.folder import Memory
from dispatcher.decisions.saver import Saver
from dispatcher.decisions.store import DecisionStore
from dispatcher.matching.batch import run_batch
from dispatcher.matching.commits import Ownership
from dispatcher.matching.effects import Measurer
from dispatcher.matching.solving import SolverPool
from dispatcher.tuning.nudges import nudges
from dispatcher.tuning.registry import Registry
from tests.matching.conftest import Town
from tests.matching.test_shadow import NAMES, charging, here
from tests.solvers.town import DAY, TZ, trip

REGISTRY = Registry.found()
PICKED = {
    name: REGISTRY.parameters[name] for name in ("preference_cents", "price_weight", "credentials_grace_days")
}


async def told(*words: object) -> None:
    """A trouble, or its end: none is awaited here."""


async def test_a_nudge_that_tips_the_balance_is_told_with_its_cents_and_one_that_does_not_with_none(
    town: Town, own: Ownership, solvers: SolverPool
) -> None:
    """The preferred vendor costs 14 dollars more: 15 are worth it, 12 are not, nor at 1.25 a cent."""
    await town.add_vendor(charging("dear", 5_400), units=50)  # type: ignore[arg-type]
    await town.add_vendor(charging("cheap", 4_000), units=50)  # type: ignore[arg-type]
    await town.submit(*(trip(each, start_min=300, preferred_vendors=("dear",)) for each in NAMES))
    stored, decisions = town.store.market(town.name), DecisionStore(Memory(), town.store.vault)
    saver = Saver(stored, decisions, TZ, town.clock, told, told)
    town.market.saver = saver
    writing = asyncio.create_task(saver.run())
    await run_batch(own, town.market, solvers)
    await saver.written()
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)
    measurer = Measurer(stored, decisions, PICKED, TZ, town.clock, "test", worker=here)
    assert not await measurer.measure(), "the day is not over"
    await now(measurer, DAY)
    town.clock.ms += DAY_MS
    await stored.tuning_effects.put(Effects(), 2)
    assert await measurer.measure()
    assert not await measurer.measure(), "once a day"
    found: Effects = (await stored.tuning_effects.get()).value
    assert (found.day, found.batches, found.requests) == (DAY, 1, len(NAMES))
    effects = {each.name: each for each in found.effects}
    preference, price, grace = (
        effects[each] for each in ("preference_cents", "price_weight", "credentials_grace_days")
    )
    assert preference.down is not None
    assert preference.up is not None
    assert (preference.down.value, preference.down.moved, preference.down.cents) == (1_200, 6, -6 * 1_400)
    assert (preference.up.value, preference.up.moved) == (1_875, 0)
    assert price.up is not None
    assert (price.up.value, price.up.moved) == (1.25, 6)
    assert grace.down is None, "it is at its least"
    assert grace.up is not None
    assert (grace.up.value, grace.up.moved, grace.up.gained, grace.up.lost) == (1, 0, 0, 0)


async def now(measurer: Measurer, day: date) -> None:
    """Asked for, the day that is not over is measured, as often as it is asked."""
    stored = measurer.stored
    asked = Measuring(state=MeasureState.QUEUED, by="ops", asked_at=to_instant(1))
    for _ in range(2):
        held = await stored.tuning_measuring.get()
        await stored.tuning_measuring.put(asked, held.version)
        waiting = await measurer._asked()
        assert waiting is not None
        await measurer.measure_now(waiting)
        found, effects = await stored.tuning_measuring.get(), await stored.tuning_effects.get()
        assert (found.value.state, found.value.progress, found.value.by) == (MeasureState.DONE, 1.0, "ops")
        assert (measurer.share, effects.value.day) == (1.0, day)
    assert await measurer._asked() is None


async def test_what_a_matcher_that_is_gone_had_begun_is_begun_anew_and_nothing_to_measure_is_said(
    town: Town,
) -> None:
    stored, decisions = town.store.market(town.name), DecisionStore(Memory(), town.store.vault)
    measurer = Measurer(stored, decisions, PICKED, TZ, town.clock, "test", worker=here)
    assert await measurer._asked() is None
    begun = Measuring(state=MeasureState.RUNNING, progress=0.4, runner="gone", asked_at=to_instant(1))
    await stored.tuning_measuring.put(begun, 0)
    waiting = await measurer._asked()
    assert waiting is not None
    await measurer.measure_now(waiting)
    found = (await stored.tuning_measuring.get()).value
    assert (found.state, found.progress) == (MeasureState.FAILED, 0.0)
    assert found.detail.startswith("no batch is saved")


def test_every_nudge_is_within_bounds_whole_where_it_must_be_and_another_value() -> None:
    for values in ({}, {"price_weight": 0.0, "lateness_cents_per_minute": 1_000, "bucket_minutes": 60}):
        found = nudges(REGISTRY.parameters.values(), values)
        assert len(found) > 30
        for each in found:
            parameter = REGISTRY.parameters[each.name]
            assert parameter.problem(each.value) is None
            assert each.value != values.get(each.name, parameter.default)
            assert each.up == (each.value > values.get(each.name, parameter.default))
