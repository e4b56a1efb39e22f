"""What is stored and cannot be read is told as ours, by its id; nothing beside it is refused."""

from __future__ import annotations

import pytest

from contracts.codes import Role
from contracts.tuning import Tuning
from dispatcher.domain.request_kind import REQUEST_KIND
from dispatcher.domain.tasks import TASK_KIND
from dispatcher.http.events import sse
from dispatcher.store import codec
from dispatcher.store.events import Entry
from dispatcher.store.keys import Keys
from tests.http.conftest import Api, trip
from tests.http.test_versions import BODIES, POOLS, VENDOR

DAY = "2026-03-03"
KEYS = {  # what is read, and where it is stored
    "/vendors/v1": lambda keys: keys.vendor("v1"),
    f"/vendors/v1/capacity/{DAY}": lambda keys: keys.capacity("v1", DAY),
    "/tuning": lambda keys: keys.tuning,
}


async def spoil(api: Api, key: str) -> None:
    """Keep the version; what follows is nothing."""
    await api.store.reader.ask("SETRANGE", key, 4, b"\xc1" * 40)


async def test_a_damaged_record_is_left_out_of_the_listing_and_a_500_where_it_is_read(api: Api) -> None:
    for each in ("good", "bad"):
        assert (await api.call("POST", "/requests", trip(each)))[0] == 202
    await spoil(api, Keys(api.market).record(REQUEST_KIND, "bad"))
    status, page = await api.call("GET", "/requests")
    assert (status, [each["id"] for each in page["requests"]]) == (200, ["good"])
    for method, path in (("GET", "/requests/bad"), ("POST", "/requests/bad/cancel")):
        status, problem = await api.call(method, path)
        assert (status, problem["type"]) == (500, "/problems/unreadable")
        assert (problem["kind"], problem["id"]) == ("request", "bad")
    assert (await api.call("GET", "/requests?cursor=1.x"))[0] == 200
    assert (await api.call("GET", "/requests?cursor=nonsense"))[0] == 400


async def test_a_damaged_task_is_left_out_of_the_list_too(api: Api) -> None:
    key = Keys(api.market).record(TASK_KIND, "bad.unmatched")
    await api.store.reader.ask("SET", key, b"\0\0\0\1\xc1")
    lists = Keys(api.market).list("tasks:open:ops")
    await api.store.reader.ask("ZADD", lists, 1, "bad.unmatched", 2, b"\xff\xfe")
    assert await api.call("GET", "/tasks", role=Role.OPS) == (200, {"tasks": [], "cursor": ""})
    assert (await api.call("GET", "/tasks/bad.unmatched", role=Role.OPS))[0] == 500


@pytest.mark.parametrize("path", KEYS)
async def test_a_damaged_document_names_the_version_that_it_may_be_written_over(api: Api, path: str) -> None:
    await api.call("PUT", "/vendors/v1", VENDOR, role=Role.OPS)
    if path != "/vendors/v1":
        await api.call("PUT", path, BODIES.get(path, POOLS), role=Role.OPS)
    await spoil(api, KEYS[path](Keys(api.market)))
    status, problem = await api.call("GET", path, role=Role.OPS)
    assert (status, problem["type"], problem["version"]) == (500, "/problems/unreadable", 1)
    body, version = BODIES.get(path, POOLS), f'"{problem["version"]}"'
    assert (await api.call("PUT", path, body, role=Role.OPS))[0] == 428
    assert (await api.call("PUT", path, body, role=Role.OPS, If_Match=version))[0] == 200
    assert (await api.call("GET", path, role=Role.OPS))[0] == 200


async def test_the_year_is_that_in_utc_at_the_door(api: Api) -> None:
    late = {"earliest": "2026-03-03T15:00:00Z", "latest": "2100-12-31T23:00:00-10:00"}
    status, problem = await api.call("POST", "/requests", trip("r1", pickup_window=late))
    assert (status, problem["type"]) == (422, "/problems/invalid-message")
    assert "2000 to 2100 in UTC" in problem["detail"]


async def test_tuning_is_changed_for_the_10001st_time(api: Api) -> None:
    assert (await api.call("PUT", "/tuning", BODIES["/tuning"], role=Role.OPS))[0] == 200
    key = Keys(api.market).tuning
    await api.store.reader.ask("SET", key, codec.pack(10_000, Tuning(version=10_000)))
    status, view = await api.call("PUT", "/tuning", BODIES["/tuning"], role=Role.OPS, If_Match='"10000"')
    assert (status, view["version"]) == (200, 10_001)
    assert (await api.call("GET", "/tuning", role=Role.OPS))[1]["version"] == 10_001
    assert (await api.call("POST", "/requests", trip("r1")))[0] == 202


def test_an_event_that_cannot_be_read_is_skipped() -> None:
    assert sse(Entry("events", "1-1", b"")) == b""
    assert sse(Entry("events", "1-2", b"\xc1")) == b""
    assert sse(Entry("events", "1-3", b"\x80")) == b"id: 1-3\ndata: {}\n\n"
