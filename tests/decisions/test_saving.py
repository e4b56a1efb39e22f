"""Every plan is saved with what it was made from, and what became of each match; it replays."""

from dataclasses import replace

import pytest

from benchmarks.generator import generate
from contracts.geo import Circle, Place
from contracts.tuning import Number, Tuning
from dispatcher.decisions.record import BATCH, IMMINENT, KEPT_FREE
from dispatcher.decisions.replay import _WORK, HOLDS, SAME, Replayed, _rival, replay
from dispatcher.matching.batch import run_batch
from dispatcher.matching.commits import Ownership
from dispatcher.matching.imminent import match_imminent
from dispatcher.matching.said_before import AGAIN_MS
from dispatcher.matching.solving import SolverPool
from solvers.assignment.result import Status
from solvers.assignment.solve import solve
from solvers.optimiser import Optimiser
from solvers.planning import Limits
from tests.decisions.conftest import Saved
from tests.matching.test_will_calls import full_day, will_call
from tests.solvers.town import CENTRE, trip, vendor


async def tuned(saved: Saved, **values: Number) -> None:
    await saved.town.market.stored.tuning.put(Tuning(version=1, values=values))


async def test_an_imminent_plan_is_saved_and_replays_byte_for_byte(saved: Saved, own: Ownership) -> None:
    town = saved.town
    await town.add_vendor(vendor("v1"))
    await town.submit(trip("soon", start_min=20), trip("late", start_min=25))
    await match_imminent(own, town.market, town.ids)
    found = (await saved.plans())[-1]
    assert found.header.kind == IMMINENT
    assert set(found.header.requests) == {"soon", "late"}
    assert found.header.became == ("offered", "offered")
    assert found.header.digest == (await town.record("soon")).offers[-1].snapshot
    assert replay(found).how == SAME


async def test_what_is_tried_in_vain_every_second_is_saved_every_few_minutes(
    saved: Saved, own: Ownership
) -> None:
    town = saved.town
    far = Place(position=(CENTRE[0] + 5.0, CENTRE[1]))
    await town.add_vendor(vendor("v1", service_area=(Circle(centre=CENTRE, radius_m=3_000),)))
    await town.submit(trip("vain", start_min=40, pickup=far, dropoff=far))
    for second in range(5):
        await match_imminent(own, town.market, town.ids)
        town.clock.ms += 1_000 * second
    assert len(await saved.plans()) == 1
    town.clock.ms += AGAIN_MS
    for _ in range(2):
        await match_imminent(own, town.market, town.ids)
    assert len(await saved.plans()) == 2
    await town.submit(trip("near", start_min=40))
    await match_imminent(own, town.market, ["vain", "near"])
    assert (await saved.plans())[-1].header.requests == ("vain", "near")


async def test_a_batch_that_finds_nobody_a_vendor_is_saved_every_few_minutes(
    saved: Saved, own: Ownership, solvers: SolverPool
) -> None:
    town = saved.town
    await town.submit(trip("vain", start_min=200))
    for _ in range(2):
        await run_batch(own, town.market, solvers)
        town.clock.ms += 30_000
    assert len(await saved.plans()) == 1
    town.clock.ms += AGAIN_MS
    await run_batch(own, town.market, solvers)
    assert [each.header.kind for each in await saved.plans()] == [BATCH, BATCH]


@pytest.mark.parametrize(("work", "split", "how"), [(200_000, 12, SAME), (200_000, 10, SAME), (0, 12, HOLDS)])
async def test_a_batch_replays_by_its_kind_of_limit(
    saved: Saved, own: Ownership, solvers: SolverPool, work: int, split: int, how: str
) -> None:
    town = saved.town
    # where work ends it, time must not, however busy the machine is
    await tuned(saved, solve_work_limit=work, solve_time_limit_s=30.0 if work else 0.3, split_requests=split)
    for n in range(3):
        await town.add_vendor(vendor(f"v{n}"))
    await town.submit(*(trip(f"r{n}", start_min=200 + n) for n in range(12)))
    await run_batch(own, town.market, solvers)
    found = (await saved.plans())[-1]
    assert found.header.kind == BATCH
    assert found.plan.bound <= found.plan.cost
    assert found.header.tuning_version == 1
    assert (len(found.header.requests), found.header.parts) == (12, -(-12 // split))
    result = replay(found)
    assert (result.how, result.problems) == (how, ())


async def test_a_changed_choice_cost_or_bound_does_not_replay(
    saved: Saved, own: Ownership, solvers: SolverPool
) -> None:
    town = saved.town
    await tuned(saved, solve_time_limit_s=0.3)
    await town.add_vendor(vendor("v1"))
    await town.submit(*(trip(f"r{n}", start_min=200 + n) for n in range(3)))
    await run_batch(own, town.market, solvers)
    found = (await saved.plans())[-1]
    made = found.plan
    moved = replace(made.chosen, start_ms=made.chosen.start_ms + 60_000)
    for broken, words in (
        (replace(made, cost=made.cost - 1), "against a limit"),
        (replace(made, cents=made.cents + 1), "cents, not"),
        (replace(made, bound=made.cost + 1), "lies above its cost"),
        (replace(made, chosen=moved), "breaks a rule"),
    ):
        result = replay(replace(found, plan=broken))
        assert not result.ok
        assert words in result.problems[0]


def test_what_is_sought_against_a_bound_is_the_best_though_the_service_is_content_with_less() -> None:
    problem = generate(40, "normal", 4)
    service = Optimiser(Limits(time_limit_s=60.0, work_limit=_WORK))
    service(problem)
    best = solve(problem, time_limit_s=60.0, workers=1, work_limit=20_000_000)
    assert service.cost is not None
    assert best.status is Status.OPTIMAL
    assert _rival(problem, 2) == best.cost < service.cost


async def test_the_saved_capacity_is_that_before_the_matches_took_theirs(
    saved: Saved, own: Ownership
) -> None:
    town = saved.town
    await town.add_vendor(vendor("v1"), units=1)
    await town.submit(trip("soon", start_min=20))
    before = (await town.market.refresh()).capacity.supply.arrays()["left"].copy()
    await match_imminent(own, town.market, town.ids)
    (found,) = await saved.plans()
    left = found.screening.supply.arrays()["left"]  # of the days that its window reaches
    assert (left == before[:, :, : left.shape[2]]).all()
    after = (await town.market.refresh()).capacity.supply.arrays()["left"]
    assert (after < before).any()


async def test_all_decisions_of_a_day_replay_byte_for_byte_where_work_limits_the_solves(
    saved: Saved, own: Ownership, solvers: SolverPool
) -> None:
    """Batches, imminent rides, and room that neighbours made for one: what was decided is decided again."""
    town = saved.town
    await tuned(saved, solve_work_limit=100_000, move_offer_cents=0)
    await town.add_vendor(vendor("v1"), units=1)
    await town.add_vendor(vendor("v2", service_area=(Circle(centre=CENTRE, radius_m=2_000),)), units=1)
    for n in range(3):
        await town.submit(*(trip(f"r{n}-{k}", start_min=200 + 90 * n + 7 * k) for k in range(4)))
        await run_batch(own, town.market, solvers)
        town.clock.ms += 60_000
    await town.submit(trip("far", start_min=60, dropoff=Place(position=(-74.28, 40.7))))
    await town.submit(trip("soon", start_min=62, width_min=0))
    await match_imminent(own, town.market, ["far", "soon"])
    found = await saved.plans()
    assert {each.header.kind for each in found} >= {BATCH, IMMINENT}
    assert len(found) >= 4
    assert [replay(each) for each in found] == [Replayed(each.header.digest, SAME) for each in found]


async def test_the_room_that_is_kept_for_calls_is_saved_replays_and_is_no_decision_on_them(
    saved: Saved, own: Ownership, solvers: SolverPool
) -> None:
    town = await full_day(saved.town, own, solvers, share=1.0)
    kept, batch = await saved.plans()
    assert (kept.header.kind, batch.header.kind) == (KEPT_FREE, BATCH)
    assert (kept.header.requests, kept.header.became) == (("back",), ("kept_free",))
    assert replay(kept).how == SAME
    assert await town.market.stored.decisions.on("back", [kept.header.day]) == []


async def test_room_that_is_kept_as_it_was_is_saved_every_few_minutes_and_another_at_once(
    saved: Saved, own: Ownership, solvers: SolverPool
) -> None:
    town = await full_day(saved.town, own, solvers, share=1.0)

    async def kept_in_a_batch_after(ms: int, name: str) -> int:
        town.clock.ms += ms
        await town.submit(trip(name, start_min=400))  # nobody waits: there would be no batch
        await run_batch(own, town.market, solvers)
        return sum(each.header.kind == KEPT_FREE for each in await saved.plans())

    assert await kept_in_a_batch_after(30_000, "soon") == 1
    assert await kept_in_a_batch_after(AGAIN_MS, "later") == 2
    await town.submit(will_call("again"))
    assert await kept_in_a_batch_after(30_000, "with another") == 3
