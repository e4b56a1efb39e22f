"""A vendor's scorecard moves the choice between vendors that are otherwise alike."""

from __future__ import annotations

from datetime import UTC, datetime

from dispatcher.domain.scorecards import month_of
from dispatcher.matching.commits import Ownership
from dispatcher.matching.imminent import match_imminent
from dispatcher.matching.scorecards import months, shares
from dispatcher.store.keys import Keys
from dispatcher.store.vendors import Marks
from tests.matching.conftest import Town
from tests.solvers.town import trip, vendor


def test_a_scorecard_is_unknown_until_there_is_work_enough_to_tell() -> None:
    marks = {"new": Marks(19, 0), "known": Marks(15, 5)}
    assert shares(marks, {}) == {"known": 0.75}
    assert shares(marks, {"scorecard_least_works": 10}) == {"new": 1.0, "known": 0.75}


def test_this_month_counts_and_the_one_before() -> None:
    new_year = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp() * 1000)
    assert months(new_year) == ("2025-12", "2026-01")
    assert months(new_year - 1) == ("2025-11", "2025-12")


async def test_of_two_vendors_that_are_alike_the_one_with_the_better_scorecard_is_asked(
    town: Town, own: Ownership
) -> None:
    for each in ("v1", "v2"):
        await town.add_vendor(vendor(each))
    for name, well in (("v1", 10), ("v2", 39)):
        key = Keys(town.name).marks(month_of(town.clock.now_ms()))
        for how, count in (("well", well), ("badly", 40 - well)):
            await town.store.reader.ask("HSET", key, f"{name}:{how}", count)
    await town.market.refresh()
    await town.submit(trip("r1", start_min=30))
    await match_imminent(own, town.market, ["r1"])
    offer = (await town.record("r1")).offer
    assert offer is not None
    assert offer.vendor_id == "v2"
    assert {term.rule: term.cost_cents for term in offer.terms}["scorecard"] == 25
