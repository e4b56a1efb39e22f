"""Why a vendor gets no offers: each request that is decided counts once, by the rule that it was lost to."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from contracts.codes import LevelOfService, Role, ServiceClass, Skill
from contracts.needs import PassengerNeeds
from contracts.pools import Pool, Pools
from contracts.why_vendor import VendorWhy
from dispatcher.jobs.quarters import _write
from dispatcher.matching.batch import run_batch
from dispatcher.matching.commits import Ownership
from dispatcher.matching.explanations import explain
from dispatcher.matching.imminent import match_imminent
from dispatcher.matching.solving import SolverPool
from dispatcher.security.principal import Principal
from dispatcher.store.losses import MOST_FIELDS
from tests.matching.conftest import Town
from tests.matching.test_caps import CHEAP, capped
from tests.solvers.town import DAY, trip, vendor

OPS = Principal.of(Role.OPS, markets=None)


async def why(town: Town, vendor_id: str = "v1", days: int = 7) -> VendorWhy:
    await _write(town.service, town.name)
    return await town.service.why_vendor.of(OPS, town.name, vendor_id, days)


def lost(found: VendorWhy) -> dict[str, int]:
    return {each.rule: each.requests for each in found.lost}


async def decide(town: Town, own: Ownership, *names: str, **asked: Any) -> None:
    await town.submit(*(trip(each, start_min=30, **asked) for each in names))
    await match_imminent(own, town.market, names)


async def test_each_request_counts_once_however_often_it_is_planned(
    town: Town, own: Ownership, solvers: SolverPool
) -> None:
    await town.add_vendor(vendor("v1", levels_of_service=(LevelOfService.AMBULATORY,)))
    await town.submit(trip("r1", start_min=300), trip("r2", start_min=300))
    for _ in range(3):
        done = await run_batch(own, town.market, solvers)
        await explain(own, town.market, solvers, done)
        town.clock.ms += 60_000
    found = await why(town)
    assert lost(found) == {"level_of_service": 2}
    assert (found.decided, found.offered, found.others) == (2, 0, 0)
    (rule,) = found.lost
    assert rule.services == {ServiceClass.WHEELCHAIR: 2}
    assert rule.remedies[0].says.startswith("serve wheelchair")


async def test_who_is_offered_it_and_who_could_have_had_it_is_told_apart(town: Town, own: Ownership) -> None:
    await town.add_vendor(vendor("v1", rate_card=CHEAP))
    await town.add_vendor(vendor("v2"))
    await town.add_vendor(vendor("v3", paused=True))
    await decide(town, own, "r1")
    cheap, dear, away = [await why(town, each) for each in ("v1", "v2", "v3")]
    assert (cheap.decided, cheap.offered, cheap.others, cheap.lost) == (1, 1, 0, ())
    assert (dear.decided, dear.offered, dear.others, dear.lost) == (1, 0, 1, ())
    assert (away.decided, lost(away)) == (1, {"paused": 1})


async def test_limits_are_told_in_steps_with_what_each_would_have_let_through(
    town: Town, own: Ownership
) -> None:
    await town.add_vendor(vendor("v1", max_weight_kg=100, max_stairs=2))
    for name, needs in {
        "r1": PassengerNeeds(weight_kg=121),
        "r2": PassengerNeeds(weight_kg=129),
        "r3": PassengerNeeds(weight_kg=171),
        "r4": PassengerNeeds(stairs=5),
    }.items():
        await decide(town, own, name, needs=needs)
    (rule,) = (await why(town)).lost
    assert (rule.rule, rule.requests) == ("needs", 4)
    assert [(each.says, each.requests) for each in rule.remedies] == [
        ("set max_weight_kg to \u2265 180", 3),
        ("set max_weight_kg to \u2265 130", 2),
        ("set max_stairs to \u2265 5", 1),
    ], "nobody's weight to the kilogram"
    await town.market.stored.vendors.put(vendor("v1", max_weight_kg=150, max_stairs=5))
    (rule,) = (await why(town)).lost
    assert [each.says for each in rule.remedies] == ["set max_weight_kg to \u2265 180"], (
        "what it carries by now is no news"
    )


async def test_a_pool_that_carries_too_little_is_named(town: Town, own: Ownership) -> None:
    await town.add_vendor(vendor("v1", max_weight_kg=150))
    small = Pool(id="small", serves=tuple(ServiceClass), units=(2,) * 24, max_weight_kg=100)
    large = replace(small, id="large", max_weight_kg=140)
    await town.market.stored.capacity.put("v1", DAY, Pools(pools=(small, large)))
    await decide(town, own, "r1", needs=PassengerNeeds(weight_kg=145))
    (rule,) = (await why(town)).lost
    assert rule.rule == "pool_limits"
    assert {each.says for each in rule.remedies} == {
        "set max_weight_kg of pool small to \u2265 150",
        "set max_weight_kg of pool large to \u2265 150",
    }


async def test_skills_caps_and_capacity_say_what_to_do(town: Town, own: Ownership) -> None:
    await town.add_vendor(vendor("v1", skills=()), units=1)
    await capped(town, 0)
    await decide(town, own, "r1", needs=PassengerNeeds(attendants=1))
    await decide(town, own, "r2", payer="medicaid")
    await decide(town, own, "r3")
    await decide(town, own, "r4")
    found = await why(town)
    assert (lost(found), found.offered) == ({"skills": 1, "cap": 1, "capacity": 1}, 1)
    says = {each.rule: each.remedies[0].says for each in found.lost}
    assert says["skills"] == f"have a crew with {Skill.ATTENDANT.value} (`skills`)"
    assert "GET \u2026/caps" in says["cap"]
    assert "post more units" in says["capacity"]


async def test_days_are_those_asked_for_and_what_cannot_be_read_counts_nothing(
    town: Town, own: Ownership
) -> None:
    await town.add_vendor(vendor("v1", paused=True))
    await decide(town, own, "r1")
    assert (await why(town)).decided == 1
    town.clock.ms += 2 * 24 * 3_600_000
    assert (await why(town, days=2)).decided == 0
    assert (await why(town, days=3)).decided == 1
    key = town.market.stored.keys.losses("v1", DAY.isoformat())
    await town.store.reader.ask("DEL", key)
    await town.store.reader.ask("SET", key, "x")
    assert (await why(town, days=3)).decided == 0


async def test_what_is_counted_of_a_day_is_bounded_and_the_rules_count_on(town: Town) -> None:
    losses, day = town.market.stored.losses, DAY.isoformat()
    losses.note({(day, f"needs::max_stairs::{n}"): {"v1": 1} for n in range(MOST_FIELDS)})
    await losses.write()
    losses.note({(day, "needs::max_stairs::9999"): {"v1": 1}, (day, "needs:wheelchair"): {"v1": 3}})
    await losses.write()
    found = await losses.of("v1", [DAY])
    assert len(found) == MOST_FIELDS + 1
    assert (found["needs:wheelchair"], found["needs::max_stairs::9999"]) == (3, 0)
    assert not losses.gathered
