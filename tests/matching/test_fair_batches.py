"""More requests than a batch takes: each has its turn, and who cannot be matched keeps nobody waiting."""

from __future__ import annotations

import asyncio
import math
import time

import pytest

from contracts.codes import RequestState
from contracts.geo import Place
from contracts.requests import TripRequest
from contracts.tuning import Tuning
from dispatcher.matching.batch import run_batch
from dispatcher.matching.commits import Ownership
from dispatcher.matching.imminent import match_imminent
from dispatcher.matching.solving import SolverPool
from dispatcher.runtime.rounds import FEW, FEWER
from tests.matching.conftest import Town
from tests.matching.test_matching import matching
from tests.solvers.town import trip, vendor

LIMIT = 10
NOWHERE = Place(position=(-70.0, 45.0))  # in no vendor's area


def stuck(number: int) -> TripRequest:
    return trip(f"a{number:03}", start_min=300, pickup=NOWHERE)


async def limited(town: Town, **values: float) -> None:
    tuning = Tuning(version=1, values={"batch_limit": LIMIT} | values)
    await town.store.market(town.name).tuning.put(tuning, 0)
    await town.add_vendor(vendor("v1"), units=50)


async def test_what_was_tried_waits_behind_what_was_not(
    town: Town, own: Ownership, solvers: SolverPool
) -> None:
    await limited(town)
    await town.submit(*map(stuck, range(2 * LIMIT)))
    town.clock.ms += 1
    await town.submit(trip("last", start_min=300))
    tried = [(await run_batch(own, town.market, solvers)).tried for _ in range(4)]
    assert tried[0] == {f"a{number:03}" for number in range(LIMIT)}
    assert tried[1] == {f"a{number:03}" for number in range(LIMIT, 2 * LIMIT)}
    assert tried[2] == {"last"} | {f"a{number:03}" for number in range(LIMIT - 1)}
    assert tried[3] == {"a009"} | {f"a{number:03}" for number in range(LIMIT, 2 * LIMIT - 1)}
    assert (await town.record("last")).state is RequestState.OFFERED


async def test_a_batch_is_read_in_parts_between_which_who_is_in_a_hurry_goes_first(town: Town) -> None:
    number = FEW + FEWER + 1
    market, ids, read = town.market, [f"a{each:03}" for each in range(number)], list[int]()
    await town.submit(*map(stuck, range(number)))
    reading, travel = await market.refresh(), await market.travel()

    async def pass_by() -> int:
        """An imminent one comes before the second part."""
        market.imminent_s = time.monotonic() if read else -math.inf
        read.append(len(market.requests.bodies))
        return await market.let_pass()

    found = await market.requests.next_batch(ids, reading, travel, town.clock.now_ms(), pass_by)
    assert [record.id for record, _ in found] == ids
    assert read == [0, FEW, FEW + FEWER]


async def test_a_batch_stands_still_while_imminent_requests_are_matched(
    town: Town, own: Ownership, solvers: SolverPool
) -> None:
    await limited(town)
    await town.submit(trip("later", start_min=300), trip("now", start_min=30))
    await town.market.refresh()
    town.market.no_imminent_work.clear()
    batch = asyncio.create_task(run_batch(own, town.market, solvers))
    done = await match_imminent(own, town.market, ["now"])
    assert (done.offered, batch.done(), town.market.requests.bodies.keys()) == ({"now"}, False, {"now"})
    town.market.no_imminent_work.set()
    assert (await batch).offered == {"later"}


async def test_one_that_comes_in_does_not_wait_for_a_whole_turn(
    town: Town, own: Ownership, solvers: SolverPool
) -> None:
    await limited(town)
    await town.submit(*map(stuck, range(3 * LIMIT)))
    for _ in range(3):
        await run_batch(own, town.market, solvers)
    await town.submit(trip("z", start_min=300))
    assert (await run_batch(own, town.market, solvers)).offered == {"z"}


async def test_what_may_not_be_offered_takes_nobodys_place(
    town: Town, own: Ownership, solvers: SolverPool
) -> None:
    await limited(town, horizon_hours=6)
    await town.submit(*(trip(f"far{number}", start_min=600) for number in range(3 * LIMIT)))
    town.clock.ms += 1
    await town.submit(*(trip(f"near{number}", start_min=300) for number in range(LIMIT)))
    done = await run_batch(own, town.market, solvers)
    assert done.offered == {f"near{number}" for number in range(LIMIT)}
    assert town.market.requests.untried is False


async def test_all_that_is_imminent_is_looked_at_however_many_there_are(town: Town, own: Ownership) -> None:
    await limited(town)
    names = [f"r{number:02}" for number in range(3 * LIMIT)]
    await town.submit(*(trip(each, start_min=30) for each in names))
    assert (await match_imminent(own, town.market, names)).offered == set(names)


@pytest.mark.parametrize("many", [5 * LIMIT])
async def test_a_running_matcher_gets_to_the_last_at_once(town: Town, solvers: SolverPool, many: int) -> None:
    await limited(town, batch_interval_s=3_600, batch_gap_s=0.0)
    await town.submit(*map(stuck, range(many)))
    town.clock.ms += 1
    await town.submit(trip("last", start_min=300))
    async with matching(town, solvers):
        await town.until("last", RequestState.OFFERED)
