"""A vendor's scorecard moves the choice between vendors that are otherwise alike."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

from dispatcher.domain.scorecards import Outcome, month_of, months, shares
from dispatcher.matching.commits import Ownership
from dispatcher.matching.imminent import match_imminent
from dispatcher.store.keys import Keys
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


async def test_of_two_vendors_that_are_alike_the_one_with_the_better_scorecard_is_asked(
    town: Town, own: Ownership
) -> None:
    for each in ("v1", "v2"):
        await town.add_vendor(vendor(each))
    for name, well in (("v1", 10), ("v2", 39)):
        key = Keys(town.name).scorecards(month_of(town.clock.now_ms()))
        for outcome, count in ((Outcome.ON_TIME, well), (Outcome.LATE, 40 - well)):
            await town.store.reader.ask("HSET", key, f"{name}:{outcome}", count)
    await town.market.refresh()
    await town.submit(trip("r1", start_min=30))
    await match_imminent(own, town.market, ["r1"])
    offer = (await town.record("r1")).offers[-1]
    assert offer is not None
    assert offer.vendor_id == "v2"
    assert {term.rule: term.cost_cents for term in offer.terms}["scorecard"] == 25
