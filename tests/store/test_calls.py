"""Calls of will-calls are counted in the commit that they come with, by kind of day and hour, by month."""

from __future__ import annotations

from redis.asyncio import Redis

from dispatcher.domain.commands.activate import ActivateRequest
from dispatcher.domain.will_call import DayKind
from dispatcher.store.calls import KEPT_MS
from dispatcher.store.keys import Keys
from dispatcher.store.market import MarketStore
from dispatcher.store.store import Store
from tests.store.busy import PLATFORM, Busy
from tests.store.made import NOW_MS

MONTH = "2026-11"


async def test_a_call_is_counted_once_and_goes_with_its_time(
    store: Store, market: MarketStore, raw: Redis, keys: Keys
) -> None:
    busy = Busy(store, market)
    await busy.submit("called")
    assert await market.requests.will_calls(NOW_MS, 10) == ["called"]
    assert await market.requests.will_calls(NOW_MS - 12 * 3_600_000, 10) == [], (
        "its day has not begun by then"
    )
    for _ in range(2):
        await busy.give(PLATFORM, ActivateRequest(request_id="called"))
    assert await market.calls.of([MONTH, "2026-10"]) == {(DayKind.WEEKDAY, 12): 1}
    assert (await market.requests.uncalled(), await market.requests.will_calls(NOW_MS, 10)) == (0, [])
    assert KEPT_MS - 60_000 < await raw.pttl(keys.calls(MONTH)) <= KEPT_MS


async def test_counts_that_cannot_be_read_are_passed_over(
    market: MarketStore, raw: Redis, keys: Keys
) -> None:
    odd = {"weekday:7": "2", "weekday:25": "9", "weekday:8": "x", "fools_day:1": "3", "sunday": "1"}
    await raw.hset(keys.calls(MONTH), mapping=odd)
    await raw.set(keys.calls("2026-10"), "no hash")
    assert await market.calls.of(["2026-10", MONTH]) == {(DayKind.WEEKDAY, 7): 2}
