"""Listings page through everything once; vendors, tuning and leases are versioned and exclusive."""

import asyncio

import pytest
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from contracts.codes import RequestState
from contracts.tuning import Tuning
from dispatcher.domain.fairness import Fared
from dispatcher.domain.refusals import Invalid, Stale
from dispatcher.store.aside import Item
from dispatcher.store.keys import Keys
from dispatcher.store.market import MarketStore
from dispatcher.store.store import Store
from tests.store.made import DAY, decided, moved, pools, received, trip, vendor


async def submit(market: MarketStore, *ids: str, received_ms: int = 1) -> None:
    decisions = [received(each, received_ms=received_ms) for each in ids]
    assert (await market.commit(decisions, requests=[trip(each) for each in ids])).ok


async def every_page(market: MarketStore, state: RequestState | None, limit: int) -> list[str]:
    ids, cursor = list[str](), None
    while True:
        page = await market.requests.page(state, cursor, limit)
        assert len(page.records) <= limit
        ids += [each.id for each in page.records]
        cursor = page.cursor
        if cursor is None:
            return ids


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
async def test_pages_show_each_request_once_in_the_order_received(market: MarketStore, limit: int) -> None:
    await submit(market, *[f"b{number}" for number in range(7)], received_ms=20)
    await submit(market, "a", received_ms=10)
    await submit(market, "z", received_ms=30)
    before = received("b3", received_ms=20).after
    cancelled = decided(before, moved(before, RequestState.CANCELLED))
    await market.commit([cancelled])
    expected = ["a", *[f"b{number}" for number in range(7)], "z"]
    assert await every_page(market, None, limit) == expected
    assert await every_page(market, RequestState.CANCELLED, limit) == ["b3"]
    assert await every_page(market, RequestState.RECEIVED, limit) == [e for e in expected if e != "b3"]


async def test_a_page_of_an_empty_market_is_empty(market: MarketStore) -> None:
    assert await market.requests.page(None, None, 10) == ((), None)


async def test_a_malformed_cursor_is_refused(market: MarketStore) -> None:
    for text in ("x", "12", "12.", ".a", "-1.a"):
        with pytest.raises(Invalid, match="is no cursor"):
            await market.requests.page(None, text, 10)


async def test_open_work_comes_longest_waiting_first(market: MarketStore) -> None:
    await submit(market, "late", received_ms=3)
    await submit(market, "early", received_ms=1)
    await submit(market, "matching", received_ms=2)
    before = received("matching", received_ms=2).after
    await market.commit([decided(before, moved(before, RequestState.MATCHING))])
    assert await market.requests.open_ids(10) == ["early", "matching", "late"]
    assert await market.requests.open_ids(2) == ["early", "matching"]


async def test_markets_do_not_see_each_other(store: Store, market: MarketStore) -> None:
    await submit(market, "a")
    other = store.market(market.name + "x")
    assert await other.requests.records.get("a") is None
    assert await other.requests.open_ids(10) == []


async def test_unknown_ids_are_left_out(market: MarketStore) -> None:
    await submit(market, "a")
    assert list(await market.requests.records.get_all(["b", "a", "c"])) == ["a"]
    assert await market.requests.body("b") is None
    assert await market.requests.patient("b") is None
    assert await market.requests.records.get_all([]) == {}


async def test_a_vendor_is_written_over_the_version_that_was_read(market: MarketStore) -> None:
    assert await market.vendors.put(vendor(), 0) == 1
    assert await market.vendors.put(vendor()) == 2
    for wrong in (0, 1, 3):
        with pytest.raises(Stale):
            await market.vendors.put(vendor(), wrong)
    assert await market.vendors.get("v1") == (2, vendor(), 0)
    assert await market.vendors.get_all() == {"v1": (2, vendor(), 0)}


async def test_of_two_writers_over_one_version_one_wins(market: MarketStore) -> None:
    results = await asyncio.gather(
        *(market.vendors.put(vendor(), 0) for _ in range(8)), return_exceptions=True
    )
    assert sorted(type(result).__name__ for result in results) == ["Stale"] * 7 + ["int"]


async def test_tuning_follows_its_version(market: MarketStore) -> None:
    assert await market.tuning.get() == Tuning()
    first = Tuning(version=1, values={"imminent_lead_minutes": 30}, by="ops")
    assert await market.tuning.put(first, 0) == 1
    with pytest.raises(Stale):
        await market.tuning.put(first, 0)
    with pytest.raises(Stale):
        await market.tuning.put(Tuning(version=3), 1)
    assert await market.tuning.get() == first


def number(fence: str | None) -> int:
    return int((fence or "").partition("-")[0])


async def test_one_matcher_owns_a_market_and_each_owner_has_a_higher_fence(market: MarketStore) -> None:
    first = await market.lease.acquire("one", 60_000)
    assert first is not None
    assert await market.lease.acquire("two", 60_000) is None
    assert await market.lease.renew("one", 60_000)
    assert not await market.lease.renew("two", 60_000)
    assert not await market.lease.release("two")
    again = await market.lease.acquire("one", 60_000)
    assert number(again) == number(first) + 1, "an owner that starts again fences off what it sent before"
    assert await market.lease.owner() == "one"
    assert await market.lease.release("one")
    assert number(await market.lease.acquire("two", 60_000)) == number(first) + 2


async def test_a_fence_of_before_goes_on_by_its_number(market: MarketStore, raw: Redis, keys: Keys) -> None:
    await raw.set(keys.fence, 41)
    fence = await market.lease.acquire("one", 60_000)
    assert number(fence) == 42
    assert await raw.get(keys.fence) == (fence or "").encode()


async def test_an_owner_is_not_named_where_its_fence_cannot_be_written(
    market: MarketStore, raw: Redis, keys: Keys
) -> None:
    await raw.lpush(keys.fence, "no fence")
    with pytest.raises(ResponseError):
        await market.lease.acquire("one", 60_000)
    assert await market.lease.owner() is None


async def test_a_lease_that_is_not_renewed_ends(market: MarketStore) -> None:
    assert await market.lease.acquire("one", 1)
    while await market.lease.owner():
        await asyncio.sleep(0.001)
    assert await market.lease.acquire("two", 60_000)


async def test_a_durable_server_is_healthy_and_a_forgetful_one_says_why(store: Store, raw: Redis) -> None:
    health = await store.health()
    assert health.durable, health.problems
    await raw.config_set("appendfsync", "everysec")
    try:
        health = await store.health()
    finally:
        await raw.config_set("appendfsync", "always")
    assert health.problems == ("appendfsync is everysec, it must be always",)


async def test_capacity_of_a_new_day_wakes_the_matcher(market: MarketStore) -> None:
    async with market.wake() as wake:
        await market.capacity.put("v1", DAY, pools(1))
        assert await wake.wait(5.0)


async def test_one_damaged_figure_stays_set_aside_while_those_beside_it_are_read(
    market: MarketStore, raw: Redis, keys: Keys
) -> None:
    good, bad = "asked:bls@0,0", "asked:als@0,0"
    await raw.hset(keys.fairness("2026-03-02"), mapping={bad: "many", good: "2"})
    good_cell, bad_cell = "weather:::bls", "weather:::als"
    await raw.hset(keys.patterns("2026-W10"), mapping={bad_cell: "many", good_cell: "2"})
    for _ in range(2):
        assert await market.fairness.of(["2026-03-02"]) == {"bls@0,0": Fared(asked=2)}
        assert set((await market.patterns.of(["2026-W10"])).values()) == {2}
        assert market.node.aside.known(market.name) == {
            Item("fairness", f"2026-03-02:{bad}"),
            Item("pattern", f"2026-W10:{bad_cell}"),
        }
