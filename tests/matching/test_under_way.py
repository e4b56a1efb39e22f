"""While the store writes an offer, the next request is planned beside what that takes."""

import asyncio
from dataclasses import dataclass, field

import pytest

from contracts.codes import RequestState
from contracts.vendors import RateCard
from dispatcher.domain.commands.cancel import CancelRequest
from dispatcher.domain.commands.table import Command
from dispatcher.domain.requests import RequestRecord
from dispatcher.matching.commits import Done, Ownership
from dispatcher.matching.faults import FenceLost
from dispatcher.matching.imminent import match_imminent
from dispatcher.matching.looking import Looking
from dispatcher.matching.progress import Progress
from dispatcher.store.outcome import Outcome, Status
from tests.matching.conftest import Town
from tests.matching.test_apart import apart, do, ride, submit
from tests.solvers.town import trip, vendor

NEAR, FAR = "v1", "v2"  # the first is cheaper, and chosen while it may be


@dataclass(frozen=True)
class Slow(Ownership):
    """Of a store that writes nothing until it is told to; `instead`: what it answers then, unasked."""

    writes: asyncio.Event = field(default_factory=asyncio.Event)
    instead: list[Outcome] = field(default_factory=list)

    async def attempt(self, market: str, *decided_on: tuple[Command, RequestRecord]) -> Outcome | None:
        await self.writes.wait()
        outcome = await super().attempt(market, *decided_on)
        return self.instead.pop() if self.instead else outcome


@pytest.fixture
async def one_each(town: Town) -> Town:
    """Two vendors with one unit each, the first of them cheaper, as the matcher has seen them."""
    await town.add_vendor(vendor(NEAR), units=1)
    await town.add_vendor(vendor(FAR, rate_card=RateCard(included_miles=0)), units=1)
    await town.market.refresh()
    return town


async def planned(town: Town, own: Ownership, name: str) -> asyncio.Task[Done]:
    """A request that is being matched, once what it takes is taken."""
    await town.submit(trip(name, start_min=30, width_min=0))
    return await begun(town, own, name, set())


async def begun(town: Town, own: Ownership, name: str, left: set[str]) -> asyncio.Task[Done]:
    under_way = asyncio.Event()
    matching = asyncio.create_task(
        match_imminent(own, town.market, [name], left=left, under_way=under_way.set)
    )
    await under_way.wait()
    return matching


async def test_who_comes_meanwhile_is_planned_beside_what_is_not_written_yet(
    one_each: Town, own: Ownership
) -> None:
    slow = Slow(own.executor, own.fence)
    first = await planned(one_each, slow, "r1")
    second = await planned(one_each, slow, "r2")
    assert not first.done()
    slow.writes.set()
    found = [await first, await second]
    assert [(each.offered, each.fell_out) for each in found] == [({"r1"}, 0), ({"r2"}, 0)]
    assert await one_each.vendors_of(["r1", "r2"]) == [NEAR, FAR]


async def test_who_is_planned_beside_a_ride_of_its_patient_that_is_not_written_yet_is_read_anew_at_once(
    one_each: Town, own: Ownership
) -> None:
    one, other, left = Slow(own.executor, own.fence), Slow(own.executor, own.fence), set[str]()
    await submit(one_each, ride("r1", 30, 120))
    await submit(one_each, ride("r2", 45, 120, not_duplicate_of=("r1",)))
    first = await begun(one_each, one, "r1", left)
    second = await begun(one_each, other, "r2", left)
    one.writes.set()
    assert (await first).offered == {"r1"}
    other.writes.set()
    assert ((await second).tried, left) == (set(), {"r2"})
    assert (await match_imminent(own, one_each.market, ["r2"])).offered == {"r2"}
    assert await apart(one_each, "r1", "r2")


async def test_what_was_not_written_is_taken_no_longer(one_each: Town, own: Ownership) -> None:
    slow = Slow(own.executor, own.fence)
    (await planned(one_each, slow, "r1")).cancel()
    await asyncio.sleep(0)
    slow.writes.set()
    assert (await (await planned(one_each, slow, "r2"))).offered == {"r2"}
    assert await one_each.vendors_of(["r2"]) == [NEAR]


async def test_who_is_being_offered_is_not_looked_at_once_more_beside_it(
    one_each: Town, own: Ownership
) -> None:
    slow = Slow(own.executor, own.fence)
    progress = Progress(slow, one_each.market)
    watching = asyncio.create_task(Looking(progress).watch())
    await progress.more.wait()
    await one_each.submit(trip("r1", start_min=30, width_min=0))
    async with asyncio.timeout(20):
        while not one_each.market._under_way:
            await asyncio.sleep(0.005)
        await Looking(progress).look(afresh=False)  # it would wait for its turn
    slow.writes.set()
    await one_each.until("r1", RequestState.OFFERED)
    async with asyncio.timeout(20):
        while progress.begun:
            await asyncio.sleep(0.005)
    watching.cancel()


async def test_the_matcher_begins_the_next_before_the_last_is_written_and_loses_its_market_with_one_of_them(
    one_each: Town, own: Ownership
) -> None:
    slow = Slow(own.executor, own.fence, instead=[Outcome(Status.FENCED)])
    progress = Progress(slow, one_each.market)
    watching = asyncio.create_task(Looking(progress).watch())
    await progress.more.wait()  # it hears
    for name, vendor_id in (("r1", NEAR), ("r2", FAR)):
        await one_each.submit(trip(name, start_min=30, width_min=0))
        async with asyncio.timeout(20):
            while vendor_id not in {taken.vendor_id for some in one_each.market._under_way for taken in some}:
                await asyncio.sleep(0.005)
    slow.writes.set()
    with pytest.raises(FenceLost):
        await watching


async def test_what_a_hint_brought_is_planned_as_it_came_and_committed_under_its_version(
    one_each: Town, own: Ownership
) -> None:
    """A request that was cancelled since is planned as it was, falls out, and is read the next time."""
    async with one_each.store.market(one_each.name).wake() as wake:
        await one_each.submit(trip("r1", start_min=30, width_min=0))
        hint = await wake.wait(5.0)
    await do(one_each, CancelRequest(request_id="r1"))
    one_each.market.requests.are_new(hint.ids, hint.come)
    first = await match_imminent(own, one_each.market, hint.ids)
    again = await match_imminent(own, one_each.market, hint.ids)
    assert (first.became, first.offered) == ({"r1": Status.STALE.value}, set())
    assert (again.became, again.tried) == ({}, set())
