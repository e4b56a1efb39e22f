"""A vendor's scorecard moves the choice between vendors that are otherwise alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime

from contracts.codes import LevelOfService
from contracts.instants import DAY_MS
from contracts.tuning import Tuning
from contracts.vendors import BaseFare, RateCard
from dispatcher.domain.scorecards import Outcome, day_of, month_of, months, shares
from dispatcher.matching.commits import Ownership
from dispatcher.matching.imminent import match_imminent
from dispatcher.service.damping import read
from dispatcher.store.keys import Keys
from dispatcher.store.scorecards import CHANGES
from solvers.screening import ALL_OTHERS
from tests.matching.conftest import Town
from tests.solvers.town import trip, vendor


def test_a_scorecard_is_unknown_until_there_is_work_enough_to_tell() -> None:
    cards = {
        "new": Counter({Outcome.ON_TIME: 19, Outcome.ACCEPTED: 30}),
        "known": Counter({Outcome.ON_TIME: 14, Outcome.NO_SHOW: 1, Outcome.LATE: 3, Outcome.EXPIRED: 2}),
    }
    assert shares(cards, {}) == {"known": 0.75}
    assert shares(cards, {"scorecard_least_works": 10}) == {"new": 1.0, "known": 0.75}


def test_a_decline_for_which_the_vendor_is_not_to_blame_counts_for_nobody() -> None:
    card = Counter({Outcome.ON_TIME: 3, Outcome.DECLINED: 2, "declined.BAD_WEATHER": 1, "declined.OTHER": 1})
    assert shares({"v": card}, {"scorecard_least_works": 1}) == {"v": 0.75}


def test_this_month_counts_and_the_one_before() -> None:
    new_year = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp() * 1000)
    assert months(new_year) == ("2025-12", "2026-01")
    assert months(new_year - 1) == ("2025-11", "2025-12")


async def count(town: Town, vendor_id: str, ago: int = 0, level: str = "wheelchair", **counts: int) -> None:
    """So much came of a vendor's work of a level so many days ago."""
    key = Keys(town.name).scorecards(day_of(town.clock.now_ms() - ago * DAY_MS))
    for name, number in counts.items():
        await town.store.reader.ask("HINCRBY", key, f"{vendor_id}:{level}:{name}", number)
    await town.store.reader.ask("HINCRBY", key, CHANGES, 1)


async def known(town: Town) -> Mapping[str, float]:
    return await read(town.market.stored, town.clock.now_ms(), {})


async def test_a_second_look_reads_vendors_and_what_is_left_and_no_scorecards(town: Town) -> None:
    await town.add_vendor(vendor("v1"))
    first = await town.market.refresh()
    await count(town, "v1", on_time=1, late=30)
    await town.add_vendor(vendor("v2"))
    light = await town.market.refresh(lightly=True)
    assert (light.vendor_ids, light.knowledge) == (("v1", "v2"), first.knowledge)
    tuning = Tuning(version=1, values={"scorecard_prior_works": 1})  # makes something else of the same work
    await town.store.market(town.name).tuning.put(tuning)
    assert (await town.market.refresh(lightly=True)).knowledge != first.knowledge
    await count(town, "v1", late=30)
    second = town.market.reading
    assert (await town.market.refresh()).knowledge != (second.knowledge if second else {})


async def test_of_two_vendors_that_are_alike_the_one_with_the_better_scorecard_is_asked(
    town: Town, own: Ownership
) -> None:
    for each in ("v1", "v2"):
        await town.add_vendor(vendor(each))
    await count(town, "v1", on_time=10, late=30)
    await count(town, "v2", on_time=39, late=1)
    await town.market.refresh()
    await town.submit(trip("r1", start_min=30))
    await match_imminent(own, town.market, ["r1"])
    offer = (await town.record("r1")).offers[-1]
    assert offer is not None
    assert offer.vendor_id == "v2"
    assert {term.rule: term.cost_cents for term in offer.terms}["scorecard"] == 125


async def test_a_vendor_of_whom_nothing_is_known_is_taken_for_the_markets_mean(
    town: Town, own: Ownership
) -> None:
    await town.add_vendor(vendor("new"))
    await count(town, "old", on_time=500, late=500)
    await town.market.refresh()
    await town.submit(trip("r1", start_min=30))
    await match_imminent(own, town.market, ["r1"])
    offer = (await town.record("r1")).offers[-1]
    assert {term.rule: term.cost_cents for term in offer.terms}["scorecard"] == 492


async def test_what_is_past_counts_less_and_what_is_counted_now_counts_at_once(town: Town) -> None:
    await count(town, "v1", ago=7, late=40)
    await count(town, "v2", on_time=500)
    before = await known(town)
    assert 0.4 < before["v1"] < before[ALL_OTHERS] < before["v2"]
    await count(town, "v1", on_time=20)
    after = await known(town)
    assert after["v1"] > before["v1"]
    await count(town, "v1", ago=7, late=-40)  # a dispute was upheld
    assert (await known(town))["v1"] > after["v1"] + 0.1
    town.clock.ms += 60 * DAY_MS
    assert await known(town) == {}


async def test_what_was_counted_by_month_before_days_were_counts_as_of_its_first_day(town: Town) -> None:
    key = Keys(town.name).scorecards(month_of(town.clock.now_ms()))
    await town.store.reader.ask("HSET", key, "v1:late", 400, "v2:on_time", 400)
    found = await known(town)
    assert found["v1"] < found[ALL_OTHERS] < found["v2"]


async def test_done_work_is_a_credit_by_what_made_it_hard(town: Town) -> None:
    await count(town, "others", on_time=500, late=50)
    for name, level in (("easy", "wheelchair"), ("hard", "stretcher"), ("wide", "bariatric_wheelchair")):
        await count(town, name, on_time=20, late=20, level=level)
    await count(town, "away", on_time=20, late=20, **{"late@far": 20, "on_time@night": 5})
    found = await known(town)
    assert found["easy"] < found["away"] < found["hard"] == found["wide"]


async def test_a_vendor_short_of_its_share_is_asked_though_it_is_dearer(town: Town, own: Ownership) -> None:
    fare = BaseFare(level_of_service=LevelOfService.WHEELCHAIR, base_cents=20_000)
    await town.store.market(town.name).tuning.put(
        Tuning(version=1, values={"share_floor": 0.5, "share_shortfall_cents": 100_000}), 0
    )
    await town.add_vendor(vendor("v1"))
    await town.add_vendor(vendor("v2", rate_card=RateCard(fares=(fare,))))
    await count(town, "v1", accepted=8, on_time=8, ago=1)
    await count(town, "v1", declined=2)
    await count(town, "v2", accepted=1, expired=1, ago=6)
    await count(town, "v2", accepted=99, ago=7)  # too long ago
    await town.market.refresh()
    await town.submit(trip("r0", start_min=30))
    await match_imminent(own, town.market, ["r0"])
    assert await town.vendors_of(["r0"]) == ["v2"]
