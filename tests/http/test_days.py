"""A day in columns: every step of its requests with who had them, and what is booked against posted."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from contracts.codes import Role
from dispatcher.domain.coarse_position import coarse_position
from dispatcher.domain.request_kind import BY_START
from dispatcher.store.keys import Keys
from tests.http.conftest import NOW, Api, trip
from tests.http.test_by_hand import AT, DAY, add, answered, put_to

MINUTE = 60_000
PLACES = ([-73.97, 40.78], [-73.95, 40.76])


async def ops(api: Api, path: str, role: Role = Role.OPS, **headers: str) -> tuple[int, Any]:
    return await api.call("GET", path, role=role, **headers)


async def day(api: Api, query: str = "") -> Any:
    status, found = await ops(api, f"/days/{DAY}/requests{query}")
    assert status == 200, found
    return found


def row(found: Any, name: str) -> dict[str, Any]:
    """One request, its names spelled out."""
    at = found["ids"].index(name)
    states, vendors = found["states"], [*found["vendors"], None]
    return {
        "level": found["classes"][found["level"][at]],
        "priority": found["priorities"][found["priority"][at]],
        "window": [found["earliest"][at], found["latest"][at]],
        "doors": [found["pickup"][at], found["dropoff"][at]],
        "steps": [(states[state], vendors[vendor]) for _, state, vendor in found["steps"][at]],
        "seconds": [each[0] for each in found["steps"][at]],
        "asked": [(vendors[vendor], closed) for vendor, _, closed, _, _ in found["asked"][at]],
    }


@pytest.fixture
async def town(api: Api) -> Api:
    """Two vendors with a van each, and a ride tomorrow at ten that the first declined and the second took."""
    for name in ("v1", "v2"):
        await add(api, name)
    await api.call("POST", "/requests", trip("r1", priority="urgent"))
    api.clock.ms += MINUTE
    await put_to(api, "v1")
    api.clock.ms += MINUTE
    await answered(api, "r1.1", "decline", "v1")
    api.clock.ms += MINUTE
    await put_to(api, "v2")
    api.clock.ms += MINUTE
    await answered(api, "r1.2", "accept", "v2")
    return api


async def test_a_day_has_each_step_with_the_vendor_that_had_the_request_then(town: Api) -> None:
    found = await day(town)
    told = row(found, "r1")
    assert told["steps"] == [
        ("received", None),
        ("offered", "v1"),
        ("matching", None),
        ("offered", "v2"),
        ("accepted", "v2"),
    ]
    ten_hours_before = -14 * 3600  # it came in at 10:00 of the day before
    assert told["seconds"] == [ten_hours_before + 60 * each for each in range(5)]
    assert told["asked"] == [("v1", ten_hours_before + 120), ("v2", None)]
    assert (told["level"], told["priority"], told["window"]) == ("wheelchair", "urgent", [600, 630])
    assert (found["tz"], found["start"]) == ("America/New_York", "2026-03-03T05:00:00Z")


async def test_a_large_day_is_compressed_for_who_takes_that(town: Api) -> None:
    rides = [trip(f"ride-{nth:03}") for nth in range(400)]
    await town.call("POST", "/requests", {"requests": rides})
    url, sizes = f"{town.base}/days/{DAY}/requests", {}
    for coding in ("gzip", "identity"):
        headers = town.headers(Role.OPS) | {"Accept-Encoding": coding}
        async with town.client.get(url, headers=headers, auto_decompress=False) as answer:
            sizes[answer.headers.get("Content-Encoding", "identity")] = len(await answer.read())
    assert sizes["gzip"] < sizes["identity"] / 5


async def test_positions_of_a_day_are_squares_never_doors(town: Api) -> None:
    told = row(await day(town), "r1")
    coarse = [list(coarse_position((lon, lat))) for lon, lat in PLACES]
    assert told["doors"] == coarse
    assert coarse != PLACES


async def test_a_day_is_read_in_pages_and_nothing_twice(town: Api) -> None:
    for nth in range(4):
        await town.call("POST", "/requests", trip(f"s{nth}"))
    pages, cursor = [], ""
    while not pages or cursor:
        found = await day(town, f"?limit=2&cursor={cursor}")
        cursor = found["cursor"]
        pages.append(found["ids"])
    assert pages == [["r1", "s0"], ["s1", "s2"], ["s3"]]
    assert (await ops(town, "/days/2026-03-09/requests"))[1]["ids"] == []


async def test_what_cannot_be_read_leaves_its_place_empty_and_stops_nobody(town: Api) -> None:
    await town.call("POST", "/requests", trip("r2"))
    await day(town)
    keys, ask = Keys(town.market), town.store.reader.ask
    await ask("SET", f"{keys.prefix}b:r2", b"\x80\x00\x01?")
    town.service.days._bodies.clear()
    told = row(await day(town), "r2")
    assert (told["doors"], told["steps"]) == ([None, None], [("received", None)])
    await ask("SET", f"{keys.prefix}r:r2", b"\x00\x00\x00\x01?")
    assert (await day(town))["ids"] == ["r1"]
    await ask("DEL", keys.vendor("v2"))
    _, capacity = await ops(town, f"/days/{DAY}/capacity")
    assert dict(zip(capacity["vendor"], capacity["name"], strict=True)) == {"v1": "Example Rides", "v2": "v2"}
    assert dict(zip(capacity["vendor"], capacity["takes_work"], strict=True)) == {"v1": True, "v2": False}
    await ask("DEL", keys.list(BY_START))
    await ask("SET", keys.list(BY_START), "of another type")
    status, problem = await ops(town, f"/days/{DAY}/requests")
    assert (status, problem["type"]) == (500, "/problems/unreadable")


async def test_a_day_has_what_is_booked_against_what_is_posted(town: Api) -> None:
    _, found = await ops(town, f"/days/{DAY}/capacity")
    assert (found["buckets"], found["vendor"], found["pool"]) == (288, ["v1", "v2"], ["vans", "vans"])
    assert found["posted"] == [[1, 288], [1, 288]]
    assert found["booked"][0] == [0, 288], "it declined"
    assert found["booked"][1][:3] == [0, 120, 1], "from ten o'clock on"
    assert sum(found["booked"][1][1::2]) == 288
    (_, taken, _), (asked,) = (found["booked"][1][1::2], (await day(town))["asked"])
    assert asked[-1][3:] == [600, 600 + 5 * taken], (
        "a request's span is what it has of the ledger, the way back too"
    )
    assert (found["daily_booked"], found["left_off"]) == ([0, 1], 0)


async def test_a_day_that_changes_its_clock_has_its_own_number_of_buckets(town: Api) -> None:
    for other, buckets in (("2026-03-08", 276), ("2026-11-01", 300)):
        pools = {"kind": "pools", "pools": [{"id": "vans", "serves": ["wheelchair"], "units": [2]}]}
        await town.call("PUT", f"/vendors/v1/capacity/{other}", pools, role=Role.OPS)
        _, found = await ops(town, f"/days/{other}/capacity")
        assert (found["buckets"], found["posted"]) == (buckets, [[2, buckets]])


async def test_a_day_that_no_calendar_of_ours_has_is_refused_with_what_there_is(town: Api) -> None:
    for what in ("requests", "capacity"):
        status, problem = await ops(town, f"/days/1899-01-01/{what}")
        assert (status, problem["type"]) == (422, "/problems/invalid-request")
        assert "1899-01-01" in problem["detail"]
        assert "2101-01-01" in problem["detail"]


@pytest.mark.parametrize("path", [f"/days/{DAY}/capacity", "/coverage?west=-75&south=40&east=-73&north=41"])
async def test_vendors_capacity_and_reach_are_for_ops(town: Api, path: str) -> None:
    for role in (Role.COORDINATOR, Role.CASE_MANAGER, Role.PLATFORM):
        assert (await ops(town, path, role))[0] == 403
    assert (await town.call("GET", path, role=Role.VENDOR, vendor="v1"))[0] == 403
    assert (await ops(town, path))[0] == 200


async def test_a_vendor_and_a_facility_read_no_day(town: Api) -> None:
    path = f"/days/{DAY}/requests"
    assert (await town.call("GET", path, role=Role.VENDOR, vendor="v1"))[0] == 403
    assert (await ops(town, path, Role.FACILITY))[0] == 403


async def test_coverage_counts_who_takes_work_and_reaches_a_cell_by_level(town: Api) -> None:
    where = "/coverage?west=-74.5&south=40.4&east=-73.4&north=41.2"
    _, both = await ops(town, where)
    assert (both["vendors"], max(both["reached_by"])) == (2, 2)
    assert len(both["lon"]) == len(both["lat"]) == len(both["reached_by"]) <= 3_000
    _, none = await ops(town, f"{where}&level=stretcher")
    assert (none["vendors"], none["lon"]) == (0, [])
    await town.call("POST", "/vendors/v1/pause", {"reason": "late"}, role=Role.OPS)
    _, one = await ops(town, f"{where}&level=wheelchair")
    assert (one["vendors"], set(one["reached_by"])) == (1, {1})
    assert (one["lon"], one["lat"]) == (both["lon"], both["lat"])
    status, problem = await ops(town, "/coverage?west=-74&south=41&east=-73&north=40")
    assert (status, "empty" in str(problem)) == (422, True)


async def test_a_late_window_of_the_day_before_is_not_the_days(town: Api) -> None:
    start = AT - timedelta(hours=10, minutes=1)
    window = {"earliest": start.isoformat(), "latest": (start + timedelta(hours=2)).isoformat()}
    assert start > NOW
    await town.call("POST", "/requests", trip("before", pickup_window=window))
    assert (await day(town))["ids"] == ["r1"]
