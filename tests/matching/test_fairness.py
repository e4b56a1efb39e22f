"""The fairness floor in matching: whose requests come first, and how the others are told."""

from __future__ import annotations

from contracts.codes import LevelOfService, Priority, RequestState
from contracts.instants import MINUTE_MS
from contracts.tuning import Tuning
from dispatcher.domain.fairness import Fared, GroupCount, group_of
from dispatcher.domain.requests import RequestRecord
from dispatcher.matching.batch import run_batch
from dispatcher.matching.commits import Ownership
from dispatcher.matching.explanations import explain
from dispatcher.matching.imminent import match_imminent
from dispatcher.matching.solving import SolverPool
from tests.matching.conftest import Town
from tests.solvers.town import trip, vendor

LEVELS = (LevelOfService.AMBULATORY, LevelOfService.WHEELCHAIR)
ONE, OTHER = (group_of(trip("r", level_of_service=each)) for each in LEVELS)


async def fared(town: Town, group: str, asked: int, unmatched: int = 0, minutes: int = 0) -> None:
    """So the requests of a group fared yesterday."""
    keys, day = town.market.stored.keys, GroupCount("2026-11-22", group).day
    told = {"asked": asked, "unmatched": unmatched, "waited_s": 60 * minutes * asked}
    for name, number in told.items():
        await town.store.reader.ask("HINCRBY", keys.fairness(day), f"{name}:{group}", number)


async def one_van_for_two(
    town: Town, start_min: float, priority: Priority = Priority.ROUTINE, **values: float
) -> None:
    """A walker (of this priority) and a wheelchair want one van at the same time; the walker came first."""
    await town.store.market(town.name).tuning.put(Tuning(version=1, values=values), 0)
    await town.add_vendor(vendor("v1", levels_of_service=tuple(LevelOfService)), units=1)
    asked = {"start_min": start_min, "width_min": 5}
    await town.submit(trip("walks", level_of_service=LEVELS[0], priority=priority, **asked))
    await town.submit(trip("rolls", level_of_service=LEVELS[1], **asked))


async def states(town: Town) -> dict[str, RequestState]:
    return {name: (await town.record(name)).state for name in ("walks", "rolls")}


async def test_of_two_that_want_one_van_it_has_it_whose_group_lies_behind(
    town: Town, own: Ownership, solvers: SolverPool
) -> None:
    await fared(town, ONE, 200)
    await fared(town, OTHER, 50, unmatched=30)
    await one_van_for_two(town, start_min=240)
    done = await run_batch(own, town.market, solvers)
    assert done.offered == {"rolls"}
    await explain(own, town.market, solvers, done)
    why = (await town.record("walks")).unmatched
    assert why is not None
    assert (why.competition, why.gave_way_to, why.group) == (True, "rolls", ONE)


async def test_one_that_is_more_pressing_has_it_however_far_a_group_lies_behind(
    town: Town, own: Ownership, solvers: SolverPool
) -> None:
    await fared(town, ONE, 200)
    await fared(town, OTHER, 50, unmatched=50)
    values = {"fairness_most": 20.0, "fairness_unmatched_cents": 1_000_000}
    await one_van_for_two(town, start_min=240, priority=Priority.URGENT, **values)
    assert (await run_batch(own, town.market, solvers)).offered == {"walks"}


async def test_who_gives_way_to_nobody_is_told_of_nobody(
    town: Town, own: Ownership, solvers: SolverPool
) -> None:
    await fared(town, ONE, 50, unmatched=30)
    await fared(town, OTHER, 50, unmatched=30)
    await one_van_for_two(town, start_min=240)
    done = await run_batch(own, town.market, solvers)
    assert len(done.offered) == 1
    await explain(own, town.market, solvers, done)
    (left,) = {"walks", "rolls"} - done.offered
    why = (await town.record(left)).unmatched
    assert why is not None
    assert (why.competition, why.gave_way_to) == (True, "")


async def test_imminent_ones_go_by_it_too_and_without_a_floor_as_they_came(
    town: Town, own: Ownership
) -> None:
    await fared(town, ONE, 200, minutes=5)
    await fared(town, OTHER, 50, minutes=90)
    await one_van_for_two(town, start_min=30)
    done = await match_imminent(own, town.market, ["walks", "rolls"])
    assert done.offered == {"rolls"}


async def test_what_the_floor_made_a_later_start_cost_stands_among_the_terms_of_the_match(
    town: Town, own: Ownership
) -> None:
    await fared(town, ONE, 200)
    await fared(town, OTHER, 50, unmatched=30)
    await town.add_vendor(vendor("v1", levels_of_service=tuple(LevelOfService)), units=1)
    for name in ("first", "second"):
        await town.submit(trip(name, start_min=30, width_min=240, level_of_service=LEVELS[1]))
        await match_imminent(own, town.market, [name])
    offer = (await town.record("second")).offers[-1]
    terms = {each.rule: each.cost_cents for each in offer.terms}
    late = (offer.start_ms - town.clock.now_ms()) // MINUTE_MS - 30
    assert late > 0
    assert terms["fairness"] == 40 * late


async def test_the_first_offer_counts_for_its_group_with_the_time_that_it_waited(
    town: Town, own: Ownership
) -> None:
    await town.submit(trip("walks", start_min=30, level_of_service=LevelOfService.AMBULATORY))
    await match_imminent(own, town.market, ["walks"])
    town.clock.ms += 4 * MINUTE_MS
    await town.add_vendor(vendor("v1", levels_of_service=tuple(LevelOfService)))
    await town.market.refresh()
    assert (await match_imminent(own, town.market, ["walks"])).offered == {"walks"}
    assert await town.market.stored.fairness.of(["2026-11-23"]) == {ONE: Fared(1, 0, 240)}


async def test_what_is_damaged_counts_nothing_and_stops_nothing(town: Town, own: Ownership) -> None:
    stored = town.market.stored
    await fared(town, ONE, 10)
    await town.store.reader.ask("HSET", stored.keys.fairness("2026-11-22"), f"asked:{OTHER}", "many")
    await town.store.reader.ask("SADD", stored.keys.fairness("2026-11-21"), "x")
    assert await stored.fairness.of(["2026-11-21", "2026-11-22"]) == {ONE: Fared(10, 0, 0)}
    await one_van_for_two(town, start_min=30)
    assert len((await match_imminent(own, town.market, ["walks", "rolls"])).offered) == 1


def test_the_record_stays_as_it_was() -> None:
    """What is counted of a group is no part of a request: old ones are read as they are."""
    assert "group" not in RequestRecord.__struct_fields__
