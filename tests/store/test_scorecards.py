"""Scorecards: what became of each vendor's work, counted in the commit of the step that it came with."""

import itertools
from datetime import datetime
from typing import Any

from msgspec.structs import replace
from redis.asyncio import Redis

from contracts.codes import DeclineCode
from contracts.instants import DAY_MS, to_ms
from dispatcher.domain.decision import Decision
from dispatcher.domain.scorecards import (
    LATE_MINUTES,
    Entry,
    Hard,
    Outcome,
    VendorLevel,
    WorkOutcome,
    taken_back,
    upheld,
)
from dispatcher.store.keys import Keys
from dispatcher.store.market import MarketStore
from dispatcher.store.outcome import Status
from tests.store.made import received, trip

MONTH, BEFORE = "2026-11", "2026-10"
DAY, DAY_BEFORE = "2026-11-29", "2026-10-31"
KEPT_MS = 100 * DAY_MS
_numbers = itertools.count()


def outcome(
    outcome: Outcome, vendor_id: str = "v1", day: str = DAY, level: str = "stretcher", **more: Any
) -> WorkOutcome:
    at_ms = to_ms(datetime.fromisoformat(f"{day}T12:00:00+00:00"))
    entry = Entry(at_ms=at_ms, start_ms=at_ms, level=level, **more)
    return WorkOutcome(vendor_id, f"r{next(_numbers)}.1", outcome, entry, KEPT_MS)


async def count(market: MarketStore, *outcomes: WorkOutcome) -> Decision:
    """Commit a step that has these outcomes."""
    name = f"r{next(_numbers)}"
    decision = replace(received(name), outcomes=outcomes)
    assert (await market.commit([decision], requests=[trip(name)])).ok
    return decision


async def test_each_outcome_is_counted_under_its_vendor_but_what_is_owed_for_work_taken_back(
    market: MarketStore,
) -> None:
    for each in Outcome:
        await count(market, outcome(each), outcome(each, "v2"))
    await count(market, outcome(Outcome.ON_TIME))
    cards = await market.scorecards.of([MONTH])
    counted = dict.fromkeys(set(Outcome) - {Outcome.CHARGED}, 1)
    assert cards == {"v1": counted | {Outcome.ON_TIME: 2}, "v2": counted}
    assert Outcome.CHARGED in {each.outcome for each in await market.scorecards.entries("v1", [DAY])}


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
        await count(market, outcome(Outcome.LATE, minutes=minutes))
    await count(market, outcome(Outcome.ON_TIME))
    assert (await market.scorecards.of([MONTH]))["v1"] == {"late": 2, LATE_MINUTES: 56, "on_time": 1}


async def test_months_are_added_up_and_only_those_asked_for(market: MarketStore) -> None:
    await count(market, outcome(Outcome.FAILED, day=DAY_BEFORE))
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


async def test_a_day_is_kept_for_as_long_as_it_is_to_be(market: MarketStore, raw: Redis, keys: Keys) -> None:
    await count(market, outcome(Outcome.ON_TIME))
    for key in (keys.scorecards(DAY), keys.outcomes("v1", DAY)):
        assert KEPT_MS - 60_000 < await raw.pttl(key) <= KEPT_MS


async def test_a_days_counts_are_by_vendor_and_level_and_say_what_was_hard(market: MarketStore) -> None:
    far_at_night = Hard.FAR | Hard.NIGHT
    await count(market, outcome(Outcome.ON_TIME, hard=far_at_night), outcome(Outcome.ON_TIME))
    await count(market, outcome(Outcome.LATE, level="wheelchair", minutes=20, hard=Hard.NIGHT))
    assert await market.scorecards.days([DAY_BEFORE, DAY]) == {
        DAY: {
            VendorLevel("v1", "stretcher"): {"on_time": 2, "on_time@far": 1, "on_time@night": 1},
            VendorLevel("v1", "wheelchair"): {"late": 1, LATE_MINUTES: 20, "late@night": 1},
        }
    }


async def test_a_day_is_read_again_once_something_was_counted_on_it(
    market: MarketStore, raw: Redis, keys: Keys
) -> None:
    await count(market, outcome(Outcome.FAILED, day=DAY_BEFORE), outcome(Outcome.FAILED))
    first = await market.scorecards.days([DAY_BEFORE, DAY])
    assert await market.scorecards.of([BEFORE, MONTH]) == {"v1": {"failed": 2}}
    await count(market, outcome(Outcome.FAILED))
    again = await market.scorecards.days([DAY_BEFORE, DAY])
    assert again[DAY_BEFORE] is first[DAY_BEFORE]
    assert again[DAY] == {VendorLevel("v1", "stretcher"): {"failed": 2}}
    assert await market.scorecards.of([BEFORE, MONTH]) == {"v1": {"failed": 3}}
    await raw.delete(keys.scorecards(DAY))
    assert list(await market.scorecards.days([DAY_BEFORE, DAY])) == [DAY_BEFORE]


async def test_what_cannot_be_read_is_passed_over(market: MarketStore, raw: Redis, keys: Keys) -> None:
    late = outcome(Outcome.LATE, minutes=30)
    await count(market, late, outcome(Outcome.LATE, day=DAY_BEFORE, minutes=30))
    await raw.hset(keys.outcomes("v1", DAY), mapping={"r9.1/late": b"\xc1", "r9.1/slow": b"\x90"})
    await raw.set(keys.outcomes("v1", DAY_BEFORE), b"x")
    assert [each.offer_id for each in await market.scorecards.entries("v1", [DAY_BEFORE, DAY])] == [
        late.offer_id
    ]
    for name in ("r9.1", "r8.1"):
        assert await market.scorecards.entry("v1", name, Outcome.LATE, [DAY_BEFORE, DAY]) is None
    await raw.delete(keys.scorecards(DAY_BEFORE))
    await raw.set(keys.scorecards(DAY_BEFORE), b"x")
    await raw.hset(keys.scorecards(DAY), "v1:stretcher:failed", "many")
    found = await market.scorecards.days([DAY_BEFORE, DAY])
    assert found == {DAY: {VendorLevel("v1", "stretcher"): {"late": 1, LATE_MINUTES: 30}}}


async def test_each_count_has_its_entry_until_it_counts_no_more(market: MarketStore) -> None:
    late, missing = outcome(Outcome.LATE, minutes=30, area="1.5,2.5"), outcome(Outcome.PROOF_MISSING)
    await count(market, late, missing)
    scorecards = market.scorecards
    assert await scorecards.entries("v1", [DAY_BEFORE, DAY]) == [
        replace(each, kept_ms=0) for each in (late, missing)
    ]
    assert await scorecards.entries("v2", [DAY]) == []
    assert await scorecards.entry("v1", late.offer_id, Outcome.LATE, [DAY_BEFORE, DAY]) == late.entry
    assert await scorecards.entry("v1", late.offer_id, Outcome.FAILED, [DAY]) is None
    await count(market, upheld(late), taken_back(missing))
    assert [each.entry for each in await scorecards.entries("v1", [DAY])] == [upheld(late).entry]
    assert not any((await scorecards.of([MONTH]))["v1"].values())


async def test_how_late_each_vendor_was_is_read_once_and_again_where_it_changed(market: MarketStore) -> None:
    late = outcome(Outcome.LATE, minutes=17)
    await count(market, late, outcome(Outcome.ON_TIME, minutes=-3), outcome(Outcome.LATE, "v2", minutes=40))
    await count(
        market, outcome(Outcome.DECLINED, "v3"), outcome(Outcome.ON_TIME, "v2", DAY_BEFORE, minutes=2)
    )
    days, asked = (DAY_BEFORE, DAY), list[int]()
    ask_each = market.scorecards.reader.ask_each

    async def counted(commands: Any) -> Any:
        asked.append(sum(each[0] == "HGETALL" for each in commands))
        return await ask_each(commands)

    market.scorecards.reader.ask_each = counted  # type: ignore[method-assign]
    try:
        found = await market.scorecards.lateness(days)
        assert {name: sorted(each) for name, each in found.items()} == {"v1": [0, 17], "v2": [2, 40]}
        asked.clear()
        assert await market.scorecards.lateness(days) == found
        assert sum(asked) == 0
        await count(market, upheld(late))
        assert (await market.scorecards.lateness(days))["v1"] == [0]
        assert (await market.scorecards.lateness(days))["v2"] == found["v2"]
    finally:
        del market.scorecards.reader.ask_each  # type: ignore[attr-defined]
