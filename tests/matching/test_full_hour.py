"""What moving gains at a full hour: walking passengers have the wheelchair vans when wheelchairs call."""

from __future__ import annotations

import random

from contracts.codes import LevelOfService
from contracts.tuning import Tuning
from contracts.vendors import ExplicitAnswer, RateCard
from dispatcher.audit.auditor import audit
from dispatcher.matching.batch import run_batch
from dispatcher.matching.commits import Ownership
from dispatcher.matching.solving import SolverPool
from tests.matching.conftest import Town
from tests.solvers.town import trip, vendor

DEARER = RateCard(included_miles=0)
ASKED = ExplicitAnswer(time_limit_s=7_200)
WALKING, WHEELCHAIR = LevelOfService.AMBULATORY, LevelOfService.WHEELCHAIR


async def full_hour(town: Town, own: Ownership, solvers: SolverPool, **values: float) -> int:
    """Twenty-four rides of one hour in two calls, two minutes apart; how many have an offer after both.

    Four vans and four cars with two vehicles each; cars cost more and take nobody in a wheelchair.
    """
    chance, stored = random.Random(7), town.store.market(town.name)
    await stored.tuning.put(Tuning(version=1, values={"solve_work_limit": 200_000} | values), 0)
    for number in range(4):
        car = vendor(f"car{number}", answer=ASKED, levels_of_service=(WALKING,), rate_card=DEARER)
        await town.add_vendor(vendor(f"van{number}", answer=ASKED), units=2)
        await town.add_vendor(car, units=2)
    for level in (WALKING, WHEELCHAIR):
        starts = [240 + 5 * chance.randrange(8) for _ in range(12)]
        rides = {f"{level.value}{number}": start for number, start in enumerate(starts)}
        await town.submit(
            *(trip(n, start_min=start, width_min=15, level_of_service=level) for n, start in rides.items())
        )
        await run_batch(own, town.market, solvers)
        town.clock.ms += 120_000
    assert (await audit(town.store.reader, town.name, town.ids))["findings"] == []
    return sum(each is not None for each in await town.vendors_of(town.ids))


async def test_eight_more_of_twenty_four_rides_are_matched_than_where_offers_stay(
    town: Town, own: Ownership, solvers: SolverPool
) -> None:
    assert await full_hour(town, own, solvers) == 21


async def test_where_offers_stay_twelve_or_thirteen_are(
    town: Town, own: Ownership, solvers: SolverPool
) -> None:
    """Of the first call's cheapest plans some leave a van free for one of the second, and some do not."""
    assert await full_hour(town, own, solvers, move_limit=0) in (12, 13)
