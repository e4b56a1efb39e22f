"""What is stored and cannot be read is told as ours, by its id; nothing beside it is refused."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from contracts.codes import Role
from contracts.tuning import Tuning
from dispatcher.audit.auditor import audit
from dispatcher.delivery.joint import Heard
from dispatcher.domain.commands.set_aside import unread
from dispatcher.domain.context import Context
from dispatcher.domain.kinds import kind_named
from dispatcher.domain.refusals import NotFound, Unreadable
from dispatcher.domain.request_kind import REQUEST_KIND
from dispatcher.domain.tasks import TASK_KIND
from dispatcher.http.events import sse
from dispatcher.service.unreadable import UnreadableItems
from dispatcher.store import codec
from dispatcher.store.events import Entry
from dispatcher.store.keys import Keys
from tests.domain import make
from tests.http.conftest import Api, trip
from tests.http.test_offers import DAY as OFFERED_DAY
from tests.http.test_offers import offered
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
    assert sse(Heard("1-1", Entry("events", "1-1", b""))) == b""
    assert sse(Heard("1-2", Entry("events", "1-2", b"\xc1"))) == b""
    assert sse(Heard("1-3", Entry("events", "1-3", b"\x80"))) == b"id: 1-3\ndata: {}\n\n"


LISTS = ["/requests", "/tasks", "/requests?state=offered"]
CUT: dict[str, Any] = {  # one item of each kind: where it is stored, and how it is read by itself
    "vendor": (lambda keys: keys.vendor("v1"), "/vendors/v1"),
    "posting": (lambda keys: keys.capacity("v1", OFFERED_DAY), f"/vendors/v1/capacity/{OFFERED_DAY}"),
    "tuning": (lambda keys: keys.tuning, "/tuning"),
    "request": (lambda keys: keys.record(REQUEST_KIND, "r1"), "/requests/r1"),
    "body": (lambda keys: keys.body(REQUEST_KIND, "r1"), "/offers/r1.1/decline"),
    "task": (lambda keys: keys.record(TASK_KIND, "r1.unreadable"), "/tasks/r1.unreadable"),
}


@pytest.mark.parametrize("kind", CUT)
async def test_whatever_is_cut_or_gone_is_told_of_that_item_alone(api: Api, kind: str) -> None:
    offer_id, keys = await offered(api), Keys(api.market)
    await api.call("PUT", "/tuning", BODIES["/tuning"], role=Role.OPS)
    market = api.store.market(api.market)
    await market.commit([unread("r1", "test", Context(now_ms=make.NOW))])
    assert (await api.call("POST", "/requests", trip("other")))[0] == 202
    where, path = CUT[kind]
    whole = await api.store.reader.get(where(keys))
    assert whole
    for length in {1, 3, 4, 5, 12, 13, len(whole) // 2, len(whole) - 2} - {len(whole)}:
        await api.store.reader.ask("SET", where(keys), whole[:length])
        for each in LISTS:
            status, page = await api.call("GET", each, role=Role.OPS)
            assert status == 200, (length, each)
            if each == "/requests":
                assert "other" in {request["id"] for request in page["requests"]}
        assert (await api.call("GET", "/offers", role=Role.VENDOR, vendor="v1"))[0] == 200
        assert (await api.call("POST", "/quotes", trip("asked")))[0] == 200
        if kind != "body":
            status, problem = await api.call("GET", path, role=Role.OPS)
            assert (status, problem["type"], problem["kind"]) == (500, "/problems/unreadable", kind), length
    findings = (await audit(api.store.reader, api.market))["findings"]
    assert {each["rule"] for each in findings} <= {"whole", "readable", "lists", "tasks", "ledger"}
    await api.store.reader.ask("SET", where(keys), whole)
    assert (await api.call("POST", f"/offers/{offer_id}/accept", role=Role.VENDOR, vendor="v1"))[0] == 200
    assert (await audit(api.store.reader, api.market))["findings"] == []


MISFILED = {  # a key of a market that is of another type, and what reads it
    "/vendors": (lambda keys: keys.vendors, Role.OPS),
    "/offers": (lambda keys: keys.list("o:v1"), Role.VENDOR),
    "/requests?state=received": (lambda keys: keys.list("i:received"), Role.OPS),
    "/tasks": (lambda keys: keys.list("tasks:open:ops"), Role.OPS),
}


@pytest.mark.parametrize("path", MISFILED)
async def test_a_key_of_another_type_is_told_as_ours_and_not_as_a_failure(api: Api, path: str) -> None:
    where, role = MISFILED[path]
    vendor = "v1" if role is Role.VENDOR else ""
    key = where(Keys(api.market))
    await api.store.reader.ask("DEL", key)
    await api.store.reader.ask("LPUSH", key, "x")
    status, problem = await api.call("GET", path, role=role, vendor=vendor)
    assert (status, problem["type"]) == (500, "/problems/unreadable")
    assert "another type" in problem["detail"]
    await api.store.reader.ask("DEL", key)
    assert (await api.call("GET", path, role=role, vendor=vendor))[0] == 200


@pytest.mark.parametrize(
    ("kind", "record_id", "path"),
    [
        ("request", "r1", "/requests/r1"),
        ("episode", "e1", "/episodes/e1"),
        ("authorization", "a1.authorization", "/authorizations/a1"),
        ("standing_order", "s1", "/standing-orders/s1"),
        ("task", "r1.unmatched", "/tasks/r1.unmatched"),
    ],
)
async def test_a_record_that_is_of_another_type_is_unreadable_and_not_unknown(
    api: Api, kind: str, record_id: str, path: str
) -> None:
    await api.store.reader.ask("RPUSH", Keys(api.market).record(kind_named(kind), record_id), "x")
    status, problem = await api.call("GET", path)
    assert (status, problem["type"]) == (500, "/problems/unreadable")
    assert (problem["kind"], problem["id"]) == (kind, record_id)
    await api.store.reader.ask("DEL", Keys(api.market).record(kind_named(kind), record_id))
    assert (await api.call("GET", path))[0] == 404


async def test_a_request_whose_record_is_lost_is_no_unknown_one(api: Api) -> None:
    await offered(api)
    await api.store.reader.ask("DEL", Keys(api.market).record(REQUEST_KIND, "r1"))
    for method, path in (("GET", "/requests/r1"), ("POST", "/requests/r1/cancel")):
        status, problem = await api.call(method, path)
        assert (status, problem["type"], problem["id"]) == (500, "/problems/unreadable", "r1")
    assert (await api.call("GET", "/requests/r2"))[0] == 404
    assert (await api.call("GET", "/requests")) == (200, {"requests": [], "cursor": ""})


async def test_a_request_that_comes_between_two_looks_is_read_and_not_called_lost(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A listener may ask for a request while the call that submits it is at its commit."""
    part = type(api.store.market(api.market).requests.records)
    get = part.get

    async def first_look(self: Any, record_id: str) -> Any:
        monkeypatch.setattr(part, "get", get)
        found = await get(self, record_id)
        await offered(api)
        return found

    monkeypatch.setattr(part, "get", first_look)
    assert (await api.call("GET", "/requests/r1"))[0] == 200
    assert (await api.call("POST", "/requests/r2/cancel"))[0] == 404


async def test_a_request_that_went_between_two_looks_is_unknown_and_not_unreadable(api: Api) -> None:
    """As a fail-over loses it, record and body at once, under a command that has read its record."""
    await offered(api)
    part, keys = api.store.market(api.market).requests, Keys(api.market)
    body, record = keys.body(REQUEST_KIND, "r1"), keys.record(REQUEST_KIND, "r1")
    await api.store.reader.ask("DEL", body)
    with pytest.raises(Unreadable):
        await part.expected_body("r1")
    await api.store.reader.ask("DEL", record)
    for look in (part.raw_body, part.expected_body):
        with pytest.raises(NotFound):
            await look("r1")


async def test_readiness_says_what_is_passed_over_until_it_is_mended(api: Api) -> None:
    await offered(api)
    items, vendors = UnreadableItems(api.service.executor, api.store), api.store.market(api.market).vendors
    key = Keys(api.market).vendor("v1")
    whole = await api.store.reader.get(key)
    assert whole
    for content, told in ((bytes(9), {api.market: {"set_aside": "1 vendor"}}), (whole, {})):
        await api.store.reader.ask("SET", key, content)
        await vendors.get_all()
        await items.tell_all(api.market)
        found = None
        async with asyncio.timeout(20):
            while found != (200, told):  # an answer is kept for a moment
                async with api.client.get("/readyz") as answer:
                    found = answer.status, (await answer.json()).get("markets", {})
