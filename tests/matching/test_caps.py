"""What a payer's caps leave is what a plan gives a vendor; where plans ask for more, commits do not."""

from __future__ import annotations

import asyncio
from collections import Counter

from msgspec.structs import replace

from contracts.caps import Cap, CapPeriod, Caps
from contracts.codes import LevelOfService, Role
from contracts.vendors import BaseFare, RateCard
from dispatcher.matching.batch import run_batch
from dispatcher.matching.commits import Ownership
from dispatcher.matching.explanations import explain
from dispatcher.matching.imminent import match_imminent
from dispatcher.matching.solving import SolverPool
from dispatcher.security.principal import Principal
from tests.matching.conftest import Town
from tests.solvers.town import trip, vendor

OPS = Principal.of(Role.OPS, markets=None)
CHEAP = RateCard(fares=(BaseFare(level_of_service=LevelOfService.WHEELCHAIR, base_cents=100),))


async def capped(town: Town, trips: int, vendor_id: str = "v1", version: int = 0) -> None:
    most = Caps(caps=(Cap(payer="medicaid", period=CapPeriod.MONTH, trips=trips),))
    await town.service.caps.put(OPS, town.name, vendor_id, most, version)


async def used(town: Town) -> int:
    return (await town.service.caps.get(OPS, town.name, "v1")).caps[0].used_trips


async def submit(town: Town, *names: str, start_min: float = 300, payer: str = "medicaid") -> None:
    await town.submit(*(replace(trip(each, start_min=start_min), payer=payer) for each in names))


async def test_a_batch_gives_a_vendor_no_more_than_its_cap_and_the_rest_to_others(
    town: Town, own: Ownership, solvers: SolverPool
) -> None:
    await town.add_vendor(vendor("v1", rate_card=CHEAP), units=20)
    await town.add_vendor(vendor("v2"), units=20)
    await capped(town, 2)
    names = [f"r{number}" for number in range(6)]
    await submit(town, *names)
    for _ in range(3):
        await run_batch(own, town.market, solvers)
    assert Counter(await town.vendors_of(names)) == {"v1": 2, "v2": 4}
    assert await used(town) == 2


async def test_at_a_full_cap_nobody_is_left_and_a_freed_one_is_found_at_once(
    town: Town, own: Ownership, solvers: SolverPool
) -> None:
    await town.add_vendor(vendor("v1"), units=20)
    await capped(town, 0)
    await submit(town, "r1", start_min=30)
    done = await match_imminent(own, town.market, ["r1"])
    await explain(own, town.market, solvers, done)
    why = (await town.record("r1")).unmatched
    assert why is not None
    assert (why.last_rule, why.nobody_left) == ("cap", False), "what is given back lets it through"
    await capped(town, 1, version=1)
    assert (await match_imminent(own, town.market, ["r1"])).offered == {"r1"}


async def test_two_matchers_that_have_read_the_same_never_go_over_together(
    town: Town, own: Ownership
) -> None:
    await town.add_vendor(vendor("v1"), units=20)
    await capped(town, 3)
    names = [f"r{number}" for number in range(10)]
    await submit(town, *names, start_min=30)
    await town.market.refresh()
    found = await asyncio.gather(*(match_imminent(own, town.market, [each]) for each in names))
    assert sum(len(each.offered) for each in found) == await used(town) == 3


async def test_an_offer_at_a_capped_vendor_is_not_moved(
    town: Town, own: Ownership, solvers: SolverPool
) -> None:
    await town.add_vendor(vendor("v1", rate_card=CHEAP), units=1)
    await town.add_vendor(vendor("v2"), units=1)
    await capped(town, 1)
    await submit(town, "r1")
    await run_batch(own, town.market, solvers)
    town.clock.ms += 600_000
    await submit(town, "r2")
    await run_batch(own, town.market, solvers)
    assert await town.vendors_of(["r1", "r2"]) == ["v1", "v2"]
