"""Scorecards: what became of each vendor's work, counted in the commit of the step that it came with."""

import itertools
from typing import Any

from msgspec.structs import replace
from redis.asyncio import Redis

from contracts.codes import DeclineCode
from dispatcher.domain.decision import Decision
from dispatcher.domain.scorecards import Outcome, WorkOutcome
from dispatcher.store.keys import Keys
from dispatcher.store.market import MarketStore
from dispatcher.store.outcome import Status
from dispatcher.store.scorecards import KEPT_MS, LATE_MINUTES
from tests.store.made import received, trip

MONTH, BEFORE = "2026-11", "2026-10"
_numbers = itertools.count()


def outcome(outcome: Outcome, vendor_id: str = "v1", month: str = MONTH, **more: Any) -> WorkOutcome:
    return WorkOutcome(vendor_id, month, outcome, **more)


async def count(market: MarketStore, *outcomes: WorkOutcome) -> Decision:
    """Commit a step that has these outcomes."""
    name = f"r{next(_numbers)}"
    decision = replace(received(name), outcomes=outcomes)
    assert (await market.commit([decision], requests=[trip(name)])).ok
    return decision


async def test_each_outcome_is_counted_under_its_vendor(market: MarketStore) -> None:
    for each in Outcome:
        await count(market, outcome(each), outcome(each, "v2"))
    await count(market, outcome(Outcome.ON_TIME))
    cards = await market.scorecards.of([MONTH])
    assert cards == {
        "v1": {each: 2 if each is Outcome.ON_TIME else 1 for each in Outcome},
        "v2": dict.fromkeys(Outcome, 1),
    }


async def test_declines_are_counted_by_code_too(market: MarketStore) -> None:
    codes = (DeclineCode.BAD_WEATHER, DeclineCode.OTHER, DeclineCode.OTHER)
    for code in codes:
        await count(market, outcome(Outcome.DECLINED, code=code))
    assert (await market.scorecards.of([MONTH]))["v1"] == {
        "declined": 3,
        "declined.BAD_WEATHER": 1,
        "declined.OTHER": 2,
    }


async def test_the_code_of_another_outcome_is_not_counted(market: MarketStore) -> None:
    await count(market, outcome(Outcome.EXPIRED, code="expired"))
    assert (await market.scorecards.of([MONTH]))["v1"] == {"expired": 1}


async def test_late_minutes_are_summed(market: MarketStore) -> None:
    for minutes in (16, 40):
        await count(market, outcome(Outcome.LATE, late_minutes=minutes))
    await count(market, outcome(Outcome.ON_TIME))
    assert (await market.scorecards.of([MONTH]))["v1"] == {"late": 2, LATE_MINUTES: 56, "on_time": 1}


async def test_months_are_added_up_and_only_those_asked_for(market: MarketStore) -> None:
    await count(market, outcome(Outcome.FAILED, month=BEFORE))
    await count(market, outcome(Outcome.FAILED), outcome(Outcome.NO_SHOW, "v2"))
    assert await market.scorecards.of([BEFORE]) == {"v1": {"failed": 1}}
    assert await market.scorecards.of([BEFORE, MONTH]) == {"v1": {"failed": 2}, "v2": {"no_show": 1}}
    assert await market.scorecards.of(["2026-09"]) == {}


async def test_what_was_marked_before_outcomes_were_is_read_with_them(
    market: MarketStore, raw: Redis, keys: Keys
) -> None:
    await raw.hset(keys.scorecards(MONTH), mapping={"v1:well": "7", "v1:badly": "2", "v2:badly": "1"})
    await count(market, outcome(Outcome.ON_TIME), outcome(Outcome.DECLINED, "v2", code="OTHER"))
    assert await market.scorecards.of([MONTH]) == {
        "v1": {"on_time": 8, "late": 2},
        "v2": {"late": 1, "declined": 1, "declined.OTHER": 1},
    }


async def test_a_step_that_is_not_committed_counts_nothing(market: MarketStore) -> None:
    decision = await count(market, outcome(Outcome.ON_TIME))
    again = await market.commit([decision], requests=[trip(decision.after.id)])
    assert again.status is Status.STALE
    assert (await market.scorecards.of([MONTH]))["v1"] == {"on_time": 1}


async def test_a_month_is_kept_for_as_long_as_the_matcher_may_read_it(
    market: MarketStore, raw: Redis, keys: Keys
) -> None:
    await count(market, outcome(Outcome.ON_TIME))
    assert KEPT_MS - 60_000 < await raw.pttl(keys.scorecards(MONTH)) <= KEPT_MS
    assert KEPT_MS > 2 * 31 * 86_400_000, "this month and the one before"
