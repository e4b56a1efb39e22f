"""Listings page through everything once; vendors, tuning and leases are versioned and exclusive."""

import asyncio

import pytest
from redis.asyncio import Redis

from contracts.codes import RequestState
from contracts.tuning import Tuning
from dispatcher.domain.decision import Decision
from dispatcher.domain.refusals import Stale
from dispatcher.store.store import Store
from tests.store.made import DAY, moved, pools, received, trip, vendor


async def submit(store: Store, market: str, *ids: str, received_ms: int = 1) -> None:
    decisions = [received(each, received_ms=received_ms) for each in ids]
    assert (await store.commit(market, decisions, requests=[trip(each) for each in ids])).ok


async def every_page(store: Store, market: str, state: RequestState | None, limit: int) -> list[str]:
    ids, cursor = list[str](), None
    while True:
        page = await store.page(market, state, cursor, limit)
        assert len(page.records) <= limit
        ids += [each.id for each in page.records]
        cursor = page.cursor
        if cursor is None:
            return ids


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
async def test_pages_show_each_request_once_in_the_order_received(
    store: Store, market: str, limit: int
) -> None:
    await submit(store, market, *[f"b{number}" for number in range(7)], received_ms=20)
    await submit(store, market, "a", received_ms=10)
    await submit(store, market, "z", received_ms=30)
    before = received("b3", received_ms=20).after
    cancelled = Decision(before=before, after=moved(before, RequestState.CANCELLED))
    await store.commit(market, [cancelled])
    expected = ["a", *[f"b{number}" for number in range(7)], "z"]
    assert await every_page(store, market, None, limit) == expected
    assert await every_page(store, market, RequestState.CANCELLED, limit) == ["b3"]
    assert await every_page(store, market, RequestState.RECEIVED, limit) == [e for e in expected if e != "b3"]


async def test_a_page_of_an_empty_market_is_empty(store: Store, market: str) -> None:
    assert await store.page(market, None, None, 10) == ((), None)


async def test_a_malformed_cursor_is_refused(store: Store, market: str) -> None:
    for text in ("x", "12", "12.", ".a", "-1.a"):
        with pytest.raises(ValueError, match="is no cursor"):
            await store.page(market, None, text, 10)


async def test_open_work_comes_longest_waiting_first(store: Store, market: str) -> None:
    await submit(store, market, "late", received_ms=3)
    await submit(store, market, "early", received_ms=1)
    await submit(store, market, "matching", received_ms=2)
    before = received("matching", received_ms=2).after
    await store.commit(market, [Decision(before=before, after=moved(before, RequestState.MATCHING))])
    assert await store.open_ids(market, 10) == ["early", "matching", "late"]
    assert await store.open_ids(market, 2) == ["early", "matching"]


async def test_markets_do_not_see_each_other(store: Store, market: str) -> None:
    await submit(store, market, "a")
    assert await store.record(market + "x", "a") is None
    assert await store.open_ids(market + "x", 10) == []


async def test_unknown_ids_are_left_out(store: Store, market: str) -> None:
    await submit(store, market, "a")
    assert list(await store.records(market, ["b", "a", "c"])) == ["a"]
    assert await store.request(market, "b") is None
    assert await store.patient(market, "b") is None
    assert await store.records(market, []) == {}


async def test_a_vendor_is_written_over_the_version_that_was_read(store: Store, market: str) -> None:
    assert await store.put_vendor(market, vendor(), 0) == 1
    assert await store.put_vendor(market, vendor()) == 2
    for wrong in (0, 1, 3):
        with pytest.raises(Stale):
            await store.put_vendor(market, vendor(), wrong)
    assert await store.vendor(market, "v1") == (2, vendor(), 0)
    assert await store.vendors(market) == {"v1": (2, vendor(), 0)}


async def test_of_two_writers_over_one_version_one_wins(store: Store, market: str) -> None:
    results = await asyncio.gather(
        *(store.put_vendor(market, vendor(), 0) for _ in range(8)), return_exceptions=True
    )
    assert sorted(type(result).__name__ for result in results) == ["Stale"] * 7 + ["int"]


async def test_tuning_follows_its_version(store: Store, market: str) -> None:
    assert await store.tuning(market) == Tuning()
    first = Tuning(version=1, values={"imminent_lead_minutes": 30}, by="ops")
    assert await store.put_tuning(market, first, 0) == 1
    with pytest.raises(Stale):
        await store.put_tuning(market, first, 0)
    with pytest.raises(Stale):
        await store.put_tuning(market, Tuning(version=3), 1)
    assert await store.tuning(market) == first


async def test_one_matcher_owns_a_market_and_each_owner_has_a_higher_fence(store: Store, market: str) -> None:
    first = await store.acquire(market, "one", 60_000)
    assert first is not None
    assert await store.acquire(market, "two", 60_000) is None
    assert await store.renew(market, "one", 60_000)
    assert not await store.renew(market, "two", 60_000)
    assert not await store.release(market, "two")
    again = await store.acquire(market, "one", 60_000)
    assert again == first + 1, "an owner that starts again fences off what it sent before"
    assert await store.owner(market) == "one"
    assert await store.release(market, "one")
    assert await store.acquire(market, "two", 60_000) == first + 2


async def test_a_lease_that_is_not_renewed_ends(store: Store, market: str) -> None:
    assert await store.acquire(market, "one", 1)
    while await store.owner(market):
        await asyncio.sleep(0.001)
    assert await store.acquire(market, "two", 60_000)


async def test_a_durable_server_is_healthy_and_a_forgetful_one_says_why(store: Store, raw: Redis) -> None:
    health = await store.health()
    assert health.durable, health.problems
    await raw.config_set("appendfsync", "everysec")
    try:
        health = await store.health()
    finally:
        await raw.config_set("appendfsync", "always")
    assert health.problems == ("appendfsync is everysec, it must be always",)


async def test_capacity_of_a_new_day_wakes_the_matcher(store: Store, market: str) -> None:
    async with store.wake(market) as wake:
        await store.put_capacity(market, "v1", DAY, pools(1))
        assert await wake.wait(5.0)
