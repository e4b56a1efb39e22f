"""Vendors that change between the matcher's look and its commit are not offered what they no longer take."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace as replaced

from contracts.codes import LevelOfService, RequestState, ServiceClass
from contracts.geo import Circle
from contracts.pools import Pool, Pools
from contracts.requests import Request
from contracts.unmatched import Unmatched
from contracts.vendors import RateCard
from dispatcher.matching.batch import run_batch
from dispatcher.matching.commits import Ownership
from dispatcher.matching.imminent import match_imminent
from dispatcher.matching.market import FEW_VENDORS
from dispatcher.matching.matcher import Matcher
from dispatcher.matching.progress import Progress
from dispatcher.matching.solvers import Solvers, Whose
from dispatcher.matching.solving import SolverPool
from dispatcher.matching.trying_again import read_changed, try_left
from dispatcher.store.keys import Keys
from solvers.planning import BatchPlan
from solvers.screening import Screening
from tests.matching.conftest import Town
from tests.matching.test_matching import matching
from tests.solvers.town import DAY, order, trip, vendor

NEAR, FAR = "v1", "v2"  # the first is cheaper, and chosen while it may be


class Interrupted:
    """The solvers, and something that happens while the first plan is made."""

    def __init__(self, solvers: Solvers, event: Callable[[], Awaitable[Any]]) -> None:
        self.solvers, self.event, self.plans = solvers, event, 0

    async def plan(
        self, screening: Screening, most_s: float = 3600.0, whose: Whose | None = None
    ) -> BatchPlan:
        found = await self.solvers.plan(screening, most_s)
        self.plans += 1
        if self.plans == 1:
            await self.event()
        return found

    async def relax(
        self, screening: Screening, vendors: Sequence[str], whys: Sequence[Unmatched]
    ) -> Sequence[Unmatched]:
        return await self.solvers.relax(screening, vendors, whys)


@pytest.fixture
async def two(town: Town) -> Town:
    """Two vendors, the first of them cheaper, as the matcher has seen them."""
    await town.add_vendor(vendor(NEAR))
    await town.add_vendor(vendor(FAR, rate_card=RateCard(delivery_cents=9_000)))
    await town.market.refresh()
    return town


def pausing_the_near_one(town: Town) -> Callable[[], Awaitable[Any]]:
    """What happens in between: the vendor that would be chosen is paused."""
    return lambda: town.store.market(town.name).vendors.put(vendor(NEAR, paused=True))


async def test_a_vendor_paused_after_the_snapshot_gets_no_offer_and_another_does_at_once(
    two: Town, own: Ownership
) -> None:
    await two.submit(order("r1", start_min=30))
    await pausing_the_near_one(two)()
    done = await match_imminent(own, two.market, ["r1"])
    assert (done.offered, done.outdated) == ({"r1"}, {"r1"})
    assert await two.vendors_of(["r1"]) == [FAR]
    assert await two.store.market(two.name).requests.offer_ids(NEAR) == []


async def test_who_has_no_vendor_keeps_nobody_waiting_for_a_reading_of_all(two: Town, own: Ownership) -> None:
    await two.submit(
        order("r1", start_min=30), trip("r2", start_min=30, level_of_service=LevelOfService.STRETCHER)
    )
    before, left = await two.market.refresh(), set[str]()
    done = await match_imminent(own, two.market, ["r1", "r2"], left=left)
    assert (done.offered, done.tried, left) == ({"r1"}, {"r1"}, {"r2"})
    assert two.market.reading is before
    assert done.plans == []  # why it has none is told once vendors were read anew
    done = await match_imminent(own, two.market, sorted(left), afresh=True)
    assert (done.offered, done.tried, len(done.plans)) == (set(), {"r2"}, 1)
    assert two.market.reading is not before


def posting(units: int, *names: str) -> Pools:

    serves = tuple(ServiceClass)
    return Pools(
        pools=tuple(Pool(id=each, serves=serves, units=(units,) * 24) for each in names or ("vans",))
    )


async def test_what_one_vendor_posts_is_read_by_itself_and_is_as_if_all_were_read(
    two: Town, own: Ownership
) -> None:
    """With what is booked of it; snapshots of before are as they were."""
    market, capacity = two.market, two.store.market(two.name).capacity
    await two.submit(order("r1", start_min=30))
    assert (await match_imminent(own, market, ["r1"])).offered == {"r1"}
    await capacity.put(NEAR, DAY, posting(5), at_ms=two.clock.now_ms())
    snapshot = await market.snapshot([])
    before = {name: array.copy() for name, array in snapshot.capacity.supply.arrays().items()}
    assert await market.renew([NEAR])
    renewed = market.reading
    whole = await market.refresh()
    assert renewed is not None
    assert renewed.versions == whole.versions
    assert renewed.changes.at_ms == whole.changes.at_ms
    for name, array in whole.capacity.supply.arrays().items():
        np.testing.assert_array_equal(renewed.capacity.supply.arrays()[name], array)
        np.testing.assert_array_equal(snapshot.capacity.supply.arrays()[name], before[name])
    assert renewed.capacity.supply.arrays()["left"].max() == 5


@pytest.mark.parametrize("what", ["vendor", "pools", "limits", "new", "nothing"])
async def test_where_more_than_a_posting_changed_all_are_to_be_read(two: Town, what: str) -> None:
    stored, name = two.store.market(two.name), NEAR
    if what == "vendor":
        await pausing_the_near_one(two)()
    elif what == "pools":
        await stored.capacity.put(NEAR, DAY, posting(2, "vans", "cars"))
    elif what == "limits":
        (pool,) = posting(2).pools
        await stored.capacity.put(NEAR, DAY, Pools(pools=(replaced(pool, max_stairs=2),)))
    elif what == "new":
        await two.add_vendor(vendor("v3"))
        name = "v3"
    before = two.market.reading
    assert await two.market.renew([name]) is (what == "nothing")
    assert (two.market.reading is before) is (what != "nothing")


async def test_a_vendor_that_cannot_be_read_any_more_leaves_the_others_to_be_asked(
    two: Town, own: Ownership
) -> None:
    """Whoever meets it, or hears of what is posted for it, does not end for that."""
    await two.store.reader.ask("SETRANGE", Keys(two.name).vendor(NEAR), 0, b"\0\0\0\x09" + b"\xc1" * 40)
    await two.submit(order("r1", start_min=30))
    left = set[str]()
    await match_imminent(own, two.market, ["r1"], left=left)
    assert left == {"r1"}
    assert not await two.market.renew([NEAR])
    assert (await match_imminent(own, two.market, ["r1"], afresh=True)).offered == {"r1"}
    assert await two.vendors_of(["r1"]) == [FAR]


async def test_where_many_vendors_changed_none_is_read_by_itself(two: Town) -> None:
    """All are read sooner than so many one after the other, for which imminent requests would wait."""
    ids = [NEAR, *(f"more{number}" for number in range(FEW_VENDORS))]
    for each in ids[1:]:
        await two.add_vendor(vendor(each))
    before = await two.market.refresh()
    assert not await two.market.renew(ids)
    assert two.market.reading is before
    assert await two.market.renew(ids[1:])


@contextlib.asynccontextmanager
async def beside(work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """The work goes on meanwhile."""
    running = asyncio.create_task(work)
    try:
        async with asyncio.timeout(20):  # only stops a test that would never end
            yield
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@pytest.mark.parametrize("waits", [False, True])
async def test_vendors_that_are_new_or_posted_are_known_before_the_next_batch(
    two: Town, own: Ownership, waits: bool
) -> None:
    """A batch begins if somebody may have a vendor now."""
    progress = Progress(own, two.market)
    before = two.market.reading
    progress.seen |= {"somebody"} if waits else set()
    async with beside(read_changed(progress)):
        await two.store.market(two.name).capacity.put(NEAR, DAY, posting(5))
        progress.changed.add(NEAR)
        progress.some_changed.set()
        while (posted := two.market.reading) is before:
            await asyncio.sleep(0.005)
        assert posted is not None
        assert posted.capacity.supply.arrays()["left"].max() == 5
        assert (progress.changed, progress.work.is_set()) == (set(), waits)
        await two.add_vendor(vendor("v3"))
        progress.changed.add("v3")
        progress.some_changed.set()
        while two.market.reading is posted:
            await asyncio.sleep(0.005)
        assert two.market.reading is not None
        assert "v3" in two.market.reading.vendor_ids
        await asyncio.sleep(0)
        assert progress.work.is_set()


@pytest.mark.parametrize("read_since", [True, False])
async def test_who_was_left_does_not_wait_for_another_reading_where_vendors_were_read_since(
    two: Town, own: Ownership, read_since: bool
) -> None:
    progress = Progress(own, two.market)
    await two.submit(trip("r1", start_min=30, level_of_service=LevelOfService.STRETCHER))
    await progress.match(["r1"])
    assert progress.left == {"r1"}
    levels = (LevelOfService.STRETCHER,)
    await two.add_vendor(vendor("v3", levels_of_service=levels))
    known = await two.market.refresh() if read_since else two.market.reading
    async with beside(try_left(progress)):
        await two.until("r1", RequestState.OFFERED)
    assert await two.vendors_of(["r1"]) == ["v3"]
    assert (two.market.reading is known) is read_since


async def test_who_is_left_is_tried_once_more_though_imminent_work_never_ends(
    two: Town, own: Ownership
) -> None:
    progress = Progress(own, two.market)
    await two.submit(trip("r1", start_min=30))
    progress.left |= {"r1"}
    progress.some_left.set()
    with two.market.at_hand():
        async with beside(try_left(progress)):
            await asyncio.sleep(0)
            assert progress.left == {"r1"}
            await progress.match([])
            await two.until("r1", RequestState.OFFERED)


async def test_who_is_left_is_tried_once_more_though_who_was_left_before_is_taken_up_meanwhile(
    two: Town, own: Ownership
) -> None:
    progress = Progress(own, two.market)
    await two.submit(trip("r1", start_min=30, level_of_service=LevelOfService.STRETCHER))
    progress.left |= {"r0"}
    matching = asyncio.create_task(progress.match(["r1"]))
    await asyncio.sleep(0)
    assert not two.market.no_imminent_work.is_set()
    progress.left.clear()
    await matching
    assert (progress.left, progress.some_left.is_set()) == ({"r1"}, True)


async def test_who_meets_a_vendor_that_posted_anew_is_offered_in_the_same_look(
    two: Town, own: Ownership
) -> None:
    await two.submit(order("r1", start_min=30))
    await two.store.market(two.name).capacity.put(NEAR, DAY, posting(3))
    left = set[str]()
    done = await match_imminent(own, two.market, ["r1"], left=left)
    assert (done.offered, left, done.changed) == ({"r1"}, set(), {NEAR})
    assert await two.vendors_of(["r1"]) == [NEAR]


async def test_who_was_offered_all_the_same_begins_no_batch(two: Town, own: Ownership) -> None:
    """Nobody is left for it; it would read all vendors."""
    await two.submit(order("r1", start_min=30), order("r2", start_min=30))
    progress = Progress(own, two.market)
    await two.store.market(two.name).capacity.put(NEAR, DAY, posting(3))
    await progress.match(["r1"])
    assert await two.vendors_of(["r1"]) == [NEAR]
    assert not progress.work.is_set()
    assert "r1" not in progress.seen, "it will be looked at when it comes back"
    await pausing_the_near_one(two)()
    await progress.match(["r2"])
    assert (progress.left, progress.work.is_set()) == ({"r2"}, False)  # it is tried once more at once


async def test_who_meets_a_vendor_that_changed_keeps_nobody_waiting_either(two: Town, own: Ownership) -> None:
    await two.submit(order("r1", start_min=30))
    await pausing_the_near_one(two)()
    left = set[str]()
    done = await match_imminent(own, two.market, ["r1"], left=left)
    assert (done.offered, done.tried, left) == (set(), set(), {"r1"})
    assert (await match_imminent(own, two.market, ["r1"], afresh=True)).offered == {"r1"}


async def test_who_was_planned_in_vain_is_planned_from_what_is_read_anew(two: Town, own: Ownership) -> None:
    await two.submit(order("r1", start_min=30))
    await pausing_the_near_one(two)()
    done = await match_imminent(own, two.market, ["r1"], afresh=True)
    assert (done.offered, done.outdated) == ({"r1"}, set())


@pytest.mark.parametrize(
    ("asked", "change"),
    [
        (trip("r1", start_min=30), {"levels_of_service": ()}),
        (order("r1", start_min=30), {"hcpcs": ()}),
        (order("r1", start_min=30), {"credentials": ()}),
        (trip("r1", start_min=30), {"service_area": (Circle(centre=(100.0, 10.0), radius_m=10_000),)}),
    ],
    ids=["level", "equipment", "credentials", "area"],
)
async def test_what_a_vendor_gave_up_after_the_snapshot_it_is_not_offered(
    two: Town, own: Ownership, asked: Request, change: dict[str, Any]
) -> None:
    await two.submit(asked)
    await two.store.market(two.name).vendors.put(vendor(NEAR, **change))
    await match_imminent(own, two.market, ["r1"])
    assert await two.vendors_of(["r1"]) == [FAR]


async def test_an_offer_carries_the_price_in_force_when_it_is_made(two: Town, own: Ownership) -> None:
    await two.submit(order("r1", start_min=30), order("r2", start_min=30))
    await match_imminent(own, two.market, ["r1"])
    card = RateCard(delivery_cents=vendor().rate_card.delivery_cents + 100)
    await two.store.market(two.name).vendors.put(vendor(NEAR, rate_card=card))
    await match_imminent(own, two.market, ["r2"])
    before, after = [(await two.record(each)).offers[-1] for each in ("r1", "r2")]
    assert before is not None
    assert after is not None
    assert (after.vendor_id, after.price_cents) == (NEAR, before.price_cents + 100)


async def test_of_a_batch_only_the_matches_with_the_paused_vendor_fall_out(
    two: Town, own: Ownership, solvers: SolverPool
) -> None:
    ids = [f"r{number}" for number in range(6)]
    await two.submit(*(order(each, start_min=300) for each in ids))
    interrupted = Interrupted(solvers, pausing_the_near_one(two))
    done = await run_batch(own, two.market, interrupted)
    states = [await two.record(each) for each in ids]
    left = {each.id for each in states if each.state is RequestState.RECEIVED}
    assert done.outdated == left
    assert done.offered == set(ids) - left
    assert left, "nobody was planned with the vendor that was paused"
    assert await two.store.market(two.name).requests.offer_ids(NEAR) == []
    await run_batch(own, two.market, interrupted)
    assert set(await two.vendors_of(ids)) == {FAR}


async def test_a_running_matcher_plans_a_batch_again_at_once_when_its_vendor_was_paused(
    two: Town, solvers: SolverPool
) -> None:
    interrupted = Interrupted(solvers, pausing_the_near_one(two))
    matcher = Matcher(two.market, two.service.executor, interrupted, "one")
    await two.submit(order("r1", start_min=300))
    async with matching(two, solvers, matcher=matcher):
        offer = (await two.until("r1", RequestState.OFFERED, timeout_s=20)).offers[-1]
    assert offer is not None
    assert offer.vendor_id == FAR


@pytest.mark.parametrize(
    "pool",
    [
        Pool(id="vans", serves=tuple(ServiceClass), units=(0,) * 24),
        Pool(id="vans", serves=tuple(ServiceClass), units=(9,) * 24, daily_cap=0),
        Pool(id="vans", serves=(ServiceClass.AMBULATORY,), units=(9,) * 24),
        Pool(id="cars", serves=(ServiceClass.AMBULATORY,), units=(9,) * 24),
    ],
    ids=["no units", "capped", "for others", "another pool"],
)
async def test_capacity_lowered_after_the_snapshot_is_not_offered_and_another_vendor_is_asked_at_once(
    two: Town, own: Ownership, pool: Pool
) -> None:
    await two.submit(order("r1", start_min=30))
    await two.store.market(two.name).capacity.put(NEAR, DAY, Pools(pools=(pool,)))
    assert (await match_imminent(own, two.market, ["r1"])).offered == {"r1"}
    assert await two.vendors_of(["r1"]) == [FAR]


async def test_units_that_another_took_after_the_snapshot_are_not_offered_twice(
    two: Town, own: Ownership
) -> None:
    await two.add_vendor(vendor(NEAR), daily_cap=1)
    read = await two.market.refresh()
    await two.submit(order("r1", start_min=30), order("r2", start_min=30))
    stale = replace(read, capacity=read.capacity.copy())
    await match_imminent(own, two.market, ["r1"])
    two.market.reading = stale  # as a refresh that began before the first offer
    done = await match_imminent(own, two.market, ["r2"])
    assert done.offered == {"r2"}
    assert sorted(str(each) for each in await two.vendors_of(["r1", "r2"])) == [NEAR, FAR]
