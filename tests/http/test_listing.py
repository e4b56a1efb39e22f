"""Requests are found by day, vendor, deadline, class, text of the id and state, a bounded part at a time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from contracts.codes import Role
from dispatcher.audit.auditor import audit
from dispatcher.domain.request_kind import BY_START, REQUEST_KIND
from dispatcher.store import codec, request_search
from dispatcher.store.keys import Keys
from dispatcher.store.sorting_in import sort_in
from tests.http.conftest import NOW, Api, trip
from tests.http.test_by_hand import add, answered, put_to

Window = dict[str, str]


def window(start: datetime) -> dict[str, Window]:
    return {
        "pickup_window": {"earliest": start.isoformat(), "latest": (start + timedelta(hours=1)).isoformat()}
    }


async def listed(api: Api, query: str = "", limit: int = 200) -> list[str]:
    """All pages, whatever their length; no request twice."""
    found, cursor = list[str](), ""
    while True:
        status, page = await api.call(
            "GET", f"/requests?limit={limit}&cursor={cursor}&{query}", role=Role.OPS
        )
        assert status == 200, page
        assert len(page["requests"]) <= limit
        found += [each["id"] for each in page["requests"]]
        cursor = page["cursor"]
        if not cursor:
            assert len(set(found)) == len(found)
            return found


@pytest.fixture
async def day(api: Api) -> Api:
    """Four rides on the 3rd in New York, one before it and one after; two are v1's, one is cancelled."""
    for name in ("v1", "v2"):
        await add(api, name)
    midnight = datetime(2026, 3, 3, 5, tzinfo=UTC)
    starts = {
        "ride-a": midnight + timedelta(hours=10),
        "ride-b": midnight,
        "bus-c": midnight + timedelta(hours=23, minutes=59),
        "ride-d": midnight - timedelta(minutes=1),
        "ride-e": midnight + timedelta(hours=24),
        "bus-f": midnight + timedelta(hours=12),
    }
    for name, start in starts.items():
        api.clock.ms += 1
        level = {"level_of_service": "stretcher"} if name.startswith("bus") else {}
        assert (await api.call("POST", "/requests", trip(name, **window(start), **level)))[0] == 202
    await put_to(api, "v1", "ride-a")
    await put_to(api, "v2", "ride-b")
    await put_to(api, "v1", "ride-b")
    await api.call("POST", "/requests/bus-f/cancel", role=Role.OPS)
    return api


FOUND = {
    "": ["ride-a", "ride-b", "bus-c", "ride-d", "ride-e", "bus-f"],
    "day=2026-03-03": ["ride-b", "ride-a", "bus-f", "bus-c"],
    "day=2026-03-02": ["ride-d"],
    "day=2026-03-09": [],
    "day=0001-01-01": [],
    "day=9999-12-31": [],
    "match_by_before=0001-01-01T00:00:00%2B14:00": [],
    "day=2026-03-03&state=cancelled": ["bus-f"],
    "day=2026-03-03&vendor_id=v1": ["ride-b", "ride-a"],
    "vendor_id=v1": ["ride-a", "ride-b"],
    "vendor_id=v2": [],
    "vendor_id=v1&state=cancelled": [],
    "vendor_id=v1&id=-b": ["ride-b"],
    "service_class=stretcher": ["bus-c"],
    "service_class=stretcher&state=cancelled": ["bus-f"],
    "service_class=stretcher&day=2026-03-03": ["bus-f", "bus-c"],
    "id=bus": ["bus-c", "bus-f"],
    "id=e-": ["ride-a", "ride-b", "ride-d", "ride-e"],
    "id=nowhere": [],
    "state=offered": ["ride-a", "ride-b"],
    "match_by_before=2026-03-03T06:30:00Z": ["ride-b", "ride-d"],
    "match_by_before=2026-03-03T06:30:00Z&state=received": ["ride-d"],
    "match_by_before=2026-03-03T06:00:00Z": ["ride-d"],
}


@pytest.mark.parametrize("limit", [1, 2, 200])
async def test_what_is_asked_for_is_found_page_by_page_and_nothing_else(day: Api, limit: int) -> None:
    assert {query: await listed(day, query, limit) for query in FOUND} == FOUND


async def test_a_vendor_that_did_the_work_is_found_by_the_state_and_one_that_declined_is_not(
    day: Api,
) -> None:
    await answered(day, "ride-b.2", "decline", "v1")
    assert await listed(day, "vendor_id=v1") == ["ride-a"]
    await answered(day, "ride-a.1", "accept", "v1")
    day.clock.ms += 24 * 3_600_000
    status, _ = await day.call(
        "POST", "/dispatches/ride-a.1/status", {"status": "completed"}, role=Role.VENDOR, vendor="v1"
    )
    assert status == 200
    assert await listed(day, "vendor_id=v1") == []
    assert await listed(day, "vendor_id=v1&state=completed") == ["ride-a"]
    assert await listed(day, "vendor_id=v1&day=2026-03-03") == ["ride-a"]


async def test_a_page_looks_through_so_much_and_its_cursor_goes_on_from_there(
    day: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_search, "MOST_RECORDS", 2)
    monkeypatch.setattr(request_search, "RECORDS_AT_ONCE", 2)
    monkeypatch.setattr(request_search, "IDS_AT_ONCE", 2)
    _, page = await day.call("GET", "/requests?service_class=stretcher&state=received", role=Role.OPS)
    assert len(page["requests"]) <= 1
    assert page["cursor"]
    assert {query: await listed(day, query) for query in FOUND} == FOUND


async def test_what_the_version_before_took_in_is_found_by_its_class_and_once_it_is_filed_by_day(
    day: Api,
) -> None:
    market, keys = day.store.market(day.market), Keys(day.market)
    for name in ("bus-c", "bus-f"):  # of which the latter has ended
        record = await market.requests.records.get(name)
        assert record is not None
        older = codec.pack(record.version, replace(record, service_class=""))
        await day.store.reader.ask("SET", keys.record(REQUEST_KIND, name), older)
        await day.store.reader.ask("ZREM", keys.list(BY_START), name)
    assert await listed(day, "service_class=stretcher") == ["bus-c"]
    assert await listed(day, "day=2026-03-03") == ["ride-b", "ride-a"]
    assert [await sort_in(market, day.clock.now_ms()) for _ in range(2)] == [2, 0]
    assert {query: await listed(day, query) for query in FOUND} == FOUND
    report = await audit(day.store.reader, day.market, [])
    assert report["findings"] == []


@pytest.mark.parametrize("query", ["day=1-1-1", "id=a.b", "vendor_id=", "service_class=bus"])
async def test_what_cannot_be_meant_is_a_400(api: Api, query: str) -> None:
    assert (await api.call("GET", f"/requests?{query}"))[0] == 400


async def test_the_days_of_a_change_of_clocks_are_23_and_25_hours(api: Api) -> None:
    for name, start in {
        "short": datetime(2026, 3, 8, 5, tzinfo=UTC) + timedelta(hours=22, minutes=59),
        "next": datetime(2026, 3, 8, 5, tzinfo=UTC) + timedelta(hours=23),
    }.items():
        await api.call("POST", "/requests", trip(name, **window(start)))
    assert datetime(2026, 3, 8, tzinfo=UTC) > NOW
    assert (await listed(api, "day=2026-03-08"), await listed(api, "day=2026-03-09")) == (["short"], ["next"])
