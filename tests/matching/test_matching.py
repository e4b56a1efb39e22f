"""What the matcher promises, on a real server."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from contracts.codes import DeclineCode, OfferState, RequestState, Requirement, Role
from contracts.offers import Decline
from contracts.tuning import Tuning
from contracts.vendors import RateCard
from dispatcher.domain.commands.on_hold import ResumeRequest
from dispatcher.domain.commands.table import decide
from dispatcher.domain.context import Context
from dispatcher.domain.prices import rates_of
from dispatcher.domain.views import request_view
from dispatcher.matching.batch import run_batch
from dispatcher.matching.commits import Ownership
from dispatcher.matching.explanations import explain
from dispatcher.matching.faults import FenceLost
from dispatcher.matching.imminent import match_imminent
from dispatcher.matching.matcher import Matcher
from dispatcher.matching.solving import SolverPool
from tests.matching.conftest import Town
from tests.solvers.town import order, trip, vendor

DECLINE = Decline(code=DeclineCode.NO_VEHICLES_AVAILABLE)


@contextlib.asynccontextmanager
async def matching(
    town: Town, solvers: SolverPool, owner: str = "one", matcher: Matcher | None = None
) -> AsyncIterator[Matcher]:
    matcher = matcher or Matcher(town.market, town.service.executor, solvers, owner)
    task = asyncio.create_task(matcher.run())
    try:
        yield matcher
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_an_imminent_request_is_offered_at_once(town: Town, own: Ownership) -> None:
    await town.add_vendor(vendor("v1"))
    await town.submit(trip("r1", start_min=30))
    assert (await match_imminent(own, town.market, ["r1"])).offered == {"r1"}
    record = await town.record("r1")
    assert record.state is RequestState.OFFERED
    assert record.offers[-1] is not None
    assert record.offers[-1].vendor_id == "v1"
    assert record.offers[-1].price_cents > 0
    assert sum(each.cents for each in record.offers[-1].price_lines) == record.offers[-1].price_cents
    assert record.offers[-1].rates == rates_of(RateCard())
    assert record.offers[-1].snapshot
    assert record.offers[-1].bookings


async def test_a_request_for_later_waits_for_the_batch(
    town: Town, own: Ownership, solvers: SolverPool
) -> None:
    await town.add_vendor(vendor("v1"))
    await town.submit(trip("r1", start_min=300))
    assert (await match_imminent(own, town.market, ["r1"])).deferred == 1
    assert (await town.record("r1")).state is RequestState.RECEIVED
    await run_batch(own, town.market, solvers)
    assert (await town.record("r1")).state is RequestState.OFFERED


async def test_a_matcher_that_is_told_to_end_leaves_its_market_to_the_next_at_once(
    town: Town, solvers: SolverPool
) -> None:
    await town.submit(*(trip(f"r{n}", start_min=300) for n in range(40)))
    async with matching(town, solvers):
        while await town.store.market(town.name).lease.owner() is None:
            await asyncio.sleep(0.005)
    assert await town.store.market(town.name).lease.owner() is None


async def test_a_request_on_hold_is_offered_when_it_is_resumed_and_not_before(
    town: Town, own: Ownership
) -> None:
    await town.add_vendor(vendor("v1"))
    await town.submit(trip("r1", start_min=30, hold=Requirement.AUTHORIZATION))
    assert await town.market.requests.open_ids() == []
    by = Role.CASE_MANAGER
    context = Context(now_ms=town.clock.now_ms(), by=by.value, roles=frozenset({by}))
    resumed = decide(await town.record("r1"), ResumeRequest(request_id="r1"), context)
    assert resumed is not None
    await town.store.market(town.name).commit([resumed])
    assert (await match_imminent(own, town.market, await town.market.requests.open_ids())).offered == {"r1"}


async def test_a_running_matcher_offers_what_is_submitted(town: Town, solvers: SolverPool) -> None:
    await town.add_vendor(vendor("v1"))
    async with matching(town, solvers):
        await town.submit(trip("soon", start_min=20), trip("later", start_min=400), order("box"))
        for each in town.ids:
            await town.until(each, RequestState.OFFERED)


async def test_a_declined_vendor_is_never_offered_the_request_again(town: Town, solvers: SolverPool) -> None:
    for each in ("v1", "v2", "v3"):
        await town.add_vendor(vendor(each))
    await town.add_vendor(vendor("cots", levels_of_service=("stretcher",)))  # no reason: nobody meant it
    async with matching(town, solvers):
        await town.submit(trip("r1", start_min=30))
        asked = []
        for _ in range(3):
            offer = (await town.until("r1", RequestState.OFFERED)).offers[-1]
            assert offer is not None
            asked.append(offer.vendor_id)
            await town.decline("r1", DECLINE)
            async with asyncio.timeout(10):  # the next offer, or the reasons once nobody is left
                while (record := await town.record("r1")).state is not RequestState.OFFERED:
                    if record.unmatched:
                        break
                    await asyncio.sleep(0.005)
    assert sorted(asked) == ["v1", "v2", "v3"]
    assert record.unmatched is not None
    assert record.unmatched.last_rule == "declined"
    assert [(each.vendor_id, each.state) for each in record.unmatched.asked] == [
        (each, "rejected") for each in asked
    ]
    assert request_view(record).owner == "care_coordinator"
    task = await town.store.market(town.name).tasks.records.get(record.tasks[-1])
    assert task is not None
    assert (task.state, task.code) == ("open", "declined")


async def test_who_is_excluded_is_told_apart_from_who_was_asked_and_a_full_vendor_leaves_somebody_to_ask(
    town: Town, own: Ownership, solvers: SolverPool
) -> None:
    for each in ("v1", "v2"):
        await town.add_vendor(vendor(each))
    await town.add_vendor(vendor("v3"), units=0)
    barred = trip("r1", start_min=30, excluded_vendors=("v2",))
    full = trip("r2", start_min=30, excluded_vendors=("v1", "v2"))
    await town.submit(barred, full)
    await match_imminent(own, town.market, ["r1"])
    await town.decline("r1", DECLINE)
    await explain(own, town.market, solvers, await match_imminent(own, town.market, ["r1", "r2"]))
    why = (await town.record("r1")).unmatched
    assert why is not None
    assert {each.rule: each.vendors for each in why.removed} == {
        "declined": 1,
        "exclusions": 1,
        "capacity": 1,
    }
    assert ([each.vendor_id for each in why.asked], why.nobody_left) == (["v1"], False)
    lonely = (await town.record("r2")).unmatched
    assert lonely is not None
    assert (lonely.asked, lonely.nobody_left) == ((), False)


async def test_what_cannot_be_matched_says_which_rule_removed_the_last_vendor(
    town: Town, own: Ownership, solvers: SolverPool
) -> None:
    await town.add_vendor(vendor("v1", paused=True))
    await town.add_vendor(vendor("v2", credentials=()))
    await town.submit(trip("r1", start_min=30), trip("r2", start_min=300))
    await explain(own, town.market, solvers, await match_imminent(own, town.market, ["r1"]))
    await explain(own, town.market, solvers, await run_batch(own, town.market, solvers))
    for each in ("r1", "r2"):
        why = (await town.record(each)).unmatched
        assert why is not None
        assert {count.rule: count.vendors for count in why.removed} == {"paused": 1, "credentials": 1}
        assert why.last_rule == "credentials"


async def test_a_day_for_which_nobody_posted_capacity_is_explained_and_stops_nothing(
    town: Town, own: Ownership, solvers: SolverPool
) -> None:
    await town.store.market(town.name).vendors.put(vendor("v1"))
    await town.submit(trip("r1", start_min=300))
    await explain(own, town.market, solvers, await run_batch(own, town.market, solvers))
    why = (await town.record("r1")).unmatched
    assert why is not None
    assert why.last_rule == "pools"


async def test_unchanged_reasons_are_not_written_again(
    town: Town, own: Ownership, solvers: SolverPool
) -> None:
    await town.submit(trip("r1", start_min=300))
    assert await explain(own, town.market, solvers, await run_batch(own, town.market, solvers)) == 1
    before = await town.record("r1")
    for _ in range(3):
        assert await explain(own, town.market, solvers, await run_batch(own, town.market, solvers)) == 0
    assert (await town.record("r1")).version == before.version


async def test_that_the_window_went_by_does_not_hide_why_nobody_came(
    town: Town, own: Ownership, solvers: SolverPool
) -> None:
    await town.submit(trip("r1", start_min=30))
    await explain(own, town.market, solvers, await match_imminent(own, town.market, ["r1"]))
    before = (await town.record("r1")).unmatched
    town.clock.ms += 3 * 3_600_000
    await town.add_vendor(vendor("v1"))
    await explain(own, town.market, solvers, await run_batch(own, town.market, solvers))
    assert before is not None
    assert (await town.record("r1")).unmatched == before


async def test_capacity_is_shared_out_and_the_rest_is_told_so(
    town: Town, own: Ownership, solvers: SolverPool
) -> None:
    await town.add_vendor(vendor("v1"), units=1)
    await town.submit(*(trip(f"r{n}", start_min=300, width_min=0) for n in range(3)))
    await explain(own, town.market, solvers, await run_batch(own, town.market, solvers))
    records = [await town.record(each) for each in town.ids]
    assert sorted(each.state for each in records) == ["matching", "matching", "offered"]
    told = [each.unmatched for each in records if each.unmatched]
    assert [each.competition for each in told] == [True, True]
    await explain(own, town.market, solvers, await run_batch(own, town.market, solvers))
    again = (await town.record(next(each.id for each in records if each.unmatched))).unmatched
    assert again is not None
    assert again.last_rule == "capacity"


async def test_a_daily_cap_over_several_pools_and_days_is_kept(
    town: Town, own: Ownership, solvers: SolverPool
) -> None:
    await town.add_vendor(vendor("v1"), units=5, daily_cap=2)
    await town.submit(*(trip(f"r{n}", start_min=300 + 10 * n) for n in range(4)))
    await run_batch(own, town.market, solvers)
    assert (await town.vendors_of(town.ids)).count("v1") == 2


async def test_a_matcher_that_lost_its_market_is_fenced_out(
    town: Town, own: Ownership, solvers: SolverPool
) -> None:
    await town.add_vendor(vendor("v1"))
    await town.submit(trip("r1", start_min=30), trip("r2", start_min=300))
    await town.store.market(town.name).lease.release("test")
    assert await town.store.market(town.name).lease.acquire("another", 60_000) != own.fence
    with pytest.raises(FenceLost):
        await match_imminent(own, town.market, ["r1"])
    with pytest.raises(FenceLost):
        await run_batch(own, town.market, solvers)
    assert await town.vendors_of(["r1", "r2"]) == [None, None]


async def test_two_matchers_make_one_offer_each_request(town: Town, solvers: SolverPool) -> None:
    await town.add_vendor(vendor("v1"), units=9)
    async with matching(town, solvers, "one"), matching(town, solvers, "two"):
        await town.submit(*(trip(f"r{n}", start_min=30) for n in range(6)))
        for each in town.ids:
            record = await town.until(each, RequestState.OFFERED)
            assert [offer.state for offer in record.offers] == [OfferState.REQUESTED]


async def test_the_same_snapshot_gives_the_same_matches(
    town: Town, own: Ownership, solvers: SolverPool
) -> None:
    values = {"solve_work_limit": 100_000}
    await town.store.market(town.name).tuning.put(Tuning(version=1, values=values), 0)
    for each in ("v1", "v2", "v3"):
        await town.add_vendor(vendor(each), units=1)
    await town.submit(*(trip(f"r{n}", start_min=300 + n) for n in range(5)))
    await town.market.refresh()
    snapshot = await town.market.snapshot(await town.market.waiting(town.ids))
    first, second = [await solvers.plan(snapshot.screening()) for _ in range(2)]
    assert first.digest == second.digest
    assert first.chosen.vendor.tolist() == second.chosen.vendor.tolist()
    assert first.chosen.start_ms.tolist() == second.chosen.start_ms.tolist()


async def test_a_request_whose_vendors_are_full_learns_what_would_match_it(
    town: Town, own: Ownership, solvers: SolverPool
) -> None:
    await town.add_vendor(vendor("v1"), units=1)
    await town.submit(*(trip(f"r{n}", start_min=30, width_min=0) for n in range(2)))
    await explain(own, town.market, solvers, await match_imminent(own, town.market, ["r0", "r1"]))
    unmatched = [found for each in ("r0", "r1") if (found := (await town.record(each)).unmatched) is not None]
    (why,) = unmatched
    units = next(each for each in why.relaxations if each.changes[0].kind == "units")
    assert (units.vendor_id, units.changes[0].amount, units.changes[0].start_at) == ("v1", 1, units.start_at)
    window = next(each for each in why.relaxations if each.changes[0].rule == "time_window")
    assert window.changes[0].unit == "minutes"
    assert window.changes[0].amount > 0


async def test_an_imminent_request_without_a_vendor_is_matched_once_there_is_one(
    town: Town, solvers: SolverPool
) -> None:
    async with matching(town, solvers):
        await town.submit(trip("r1", start_min=30))
        async with asyncio.timeout(20):
            while (await town.record("r1")).unmatched is None:
                await asyncio.sleep(0.005)
        await town.add_vendor(vendor("v1"))
        assert (await town.until("r1", RequestState.OFFERED)).unmatched is None


async def test_hints_name_who_waits_and_one_that_comes_back_is_offered_again_at_once(
    town: Town, solvers: SolverPool
) -> None:
    for each in ("v1", "v2"):
        await town.add_vendor(vendor(each))
    async with matching(town, solvers):
        await town.submit(trip("r1", start_min=30))
        first = (await town.until("r1", RequestState.OFFERED)).offers[-1]
        await town.decline("r1", DECLINE)
        second = (await town.until("r1", RequestState.OFFERED)).offers[-1]
        assert first is not None
        assert second is not None
        assert {first.vendor_id, second.vendor_id} == {"v1", "v2"}
