"""Requests come in once, durably, or not at all."""

from __future__ import annotations

import asyncio

import msgpack
import msgspec
import pytest

from contracts.codes import Role
from dispatcher.store.keys import Keys
from tests.http.conftest import Api, trip
from tests.http.test_versions import VENDOR


async def test_vendors_that_nobody_knows_are_told_and_the_ride_is_taken(api: Api) -> None:
    await api.call("PUT", "/vendors/v1", VENDOR, role=Role.OPS)
    named = {"preferred_vendors": ["v1", "v-1"], "excluded_vendors": ["v9", "v1", "v-1"]}
    status, answer = await api.call("POST", "/requests", {"requests": [trip("a", **named), trip("b")]})
    assert status == 202
    assert [each.get("unknown_vendors") for each in answer["requests"]] == [["v-1", "v9"], None]
    status, answer = await api.call("POST", "/requests", trip("c", preferred_vendors=["v1"]))
    assert (status, answer["requests"][0].keys()) == (202, {"id", "href"})
    status, quotes = await api.call("POST", "/quotes", trip("d", **named))
    assert (status, quotes["unknown_vendors"]) == (200, ["v-1", "v9"])


async def test_a_submitted_request_can_be_read_where_location_says(api: Api) -> None:
    async with api.client.post(f"{api.base}/requests", json=trip("r1"), headers=api.headers()) as answer:
        assert answer.status == 202
        location = answer.headers["Location"]
        assert await answer.json() == {"requests": [{"id": "r1", "href": location}]}
    async with api.client.get(location, headers=api.headers()) as answer:
        assert answer.status == 200
        assert (await answer.json())["state"] == "received"


async def test_a_repeat_under_the_same_key_has_one_effect_and_the_same_answer(api: Api) -> None:
    sent = api.headers()
    answers = []
    for _ in range(3):
        async with api.client.post(f"{api.base}/requests", json=trip("r1"), headers=sent) as answer:
            answers.append((answer.status, await answer.read()))
    assert len(set(answers)) == 1
    assert answers[0][0] == 202
    record = await api.store.market(api.market).requests.records.get("r1")
    assert record is not None
    assert record.version == 1


async def test_a_key_or_id_with_another_body_is_refused_and_changes_nothing(api: Api) -> None:
    sent = api.headers()
    async with api.client.post(f"{api.base}/requests", json=trip("r1"), headers=sent) as answer:
        assert answer.status == 202
    for headers in (sent, api.headers()):
        changed = trip("r1", service_minutes=20)
        async with api.client.post(f"{api.base}/requests", json=changed, headers=headers) as answer:
            assert answer.status == 422
            assert (await answer.json())["type"] == "/problems/id-reused"
    stored = await api.store.market(api.market).requests.body("r1")
    assert stored is not None
    assert msgspec.to_builtins(stored).get("service_minutes", 10) == 10


async def test_json_and_messagepack_store_and_answer_the_same(api: Api) -> None:
    body = trip("r1", needs={"stairs": 3, "oxygen_l_min": 2.5}, service_minutes=12.0)
    sent = api.headers()
    as_msgpack = sent | {"Content-Type": "application/msgpack", "Accept": "application/msgpack"}
    async with api.client.post(f"{api.base}/requests", json=body, headers=sent) as answer:
        first = await answer.json()
    packed = msgpack.packb(body)
    async with api.client.post(f"{api.base}/requests", data=packed, headers=as_msgpack) as answer:
        assert answer.status == 202
        assert answer.headers["Content-Type"] == "application/msgpack"
        assert msgpack.unpackb(await answer.read()) == first
    views = []
    for accept in ("application/json", "application/msgpack"):
        async with api.client.get(f"{api.base}/requests/r1", headers=api.headers(Accept=accept)) as answer:
            raw = await answer.read()
            views.append(msgpack.unpackb(raw) if "msgpack" in accept else msgspec.json.decode(raw))
    assert views[0] == views[1]


async def test_a_batch_is_stored_whole_or_not_at_all(api: Api) -> None:
    status, answer = await api.call("POST", "/requests", {"requests": [trip(f"b{n}") for n in range(50)]})
    assert status == 202
    assert [each["id"] for each in answer["requests"]] == [f"b{n}" for n in range(50)]
    past = {"earliest": "2020-01-01T10:00:00Z", "latest": "2020-01-01T11:00:00Z"}
    bad = [trip("c1"), trip("c2", pickup_window=past), trip("c3")]
    status, answer = await api.call("POST", "/requests", {"requests": bad})
    assert (status, answer["type"]) == (422, "/problems/invalid-request")
    assert await api.store.market(api.market).requests.records.get_all(["c1", "c2", "c3"]) == {}


async def test_pages_cover_every_request_once(api: Api) -> None:
    await api.call("POST", "/requests", {"requests": [trip(f"p{n}") for n in range(25)]})
    seen: list[str] = []
    cursor = ""
    while True:
        status, page = await api.call("GET", f"/requests?limit=10&state=received&cursor={cursor}")
        assert status == 200
        seen += [each["id"] for each in page["requests"]]
        cursor = page["cursor"]
        if not cursor:
            break
    assert sorted(seen) == sorted(f"p{n}" for n in range(25))


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=201", "limit=x", "state=flying", "colour=red", "limit=1&limit=2"]
)
async def test_a_wrong_query_is_a_400(api: Api, query: str) -> None:
    status, answer = await api.call("GET", f"/requests?{query}")
    assert (status, answer["type"]) == (400, "/problems/invalid-parameter")


async def test_a_request_on_hold_waits_until_it_is_resumed_however_often_either_is_asked(api: Api) -> None:
    await api.call("POST", "/requests", trip("r1", hold="authorization"))
    _, held = await api.call("GET", "/requests/r1")
    assert (held["state"], held["owner"]) == ("on_hold", "case_manager")
    for verb, state in (("resume", "received"), ("hold", "on_hold")):
        for _ in range(2):
            status, answer = await api.call("POST", f"/requests/r1/{verb}", role=Role.CASE_MANAGER)
            assert (status, answer["state"]) == (200, state)
    await api.call("POST", "/requests/r1/cancel")
    for verb in ("resume", "hold"):
        status, answer = await api.call("POST", f"/requests/r1/{verb}")
        assert (status, answer["type"]) == (409, "/problems/wrong-state")


async def test_a_cancelled_request_stays_cancelled_however_often_it_is_asked(api: Api) -> None:
    await api.call("POST", "/requests", trip("r1"))
    for _ in range(2):
        status, answer = await api.call("POST", "/requests/r1/cancel", {"code": "NO_CLIENT"})
        assert (status, answer["state"]) == (200, "cancelled")
    async with api.client.post(f"{api.base}/requests/r1/cancel", headers=api.headers()) as answer:
        assert answer.status == 200  # the body may be left out


async def test_ops_may_read_what_only_the_platform_may_submit(api: Api) -> None:
    await api.call("POST", "/requests", trip("r1"))
    assert (await api.call("GET", "/requests/r1", role=Role.OPS))[0] == 200
    assert (await api.call("POST", "/requests", trip("r2"), role=Role.OPS))[0] == 403


async def test_twenty_callers_with_one_key_have_one_effect_and_one_answer(api: Api) -> None:
    sent = api.headers()

    async def submit() -> tuple[int, bytes]:
        async with api.client.post(f"{api.base}/requests", json=trip("r1"), headers=sent) as answer:
            return answer.status, await answer.read()

    answers = await asyncio.gather(*(submit() for _ in range(20)))
    assert {status for status, _ in answers} == {202}
    assert len(set(answers)) == 1
    heard = await api.store.streams.read(Keys(api.market).events)
    assert len(heard) == 1


async def test_what_is_asked_for_twice_is_a_problem_that_names_the_other_and_the_place(api: Api) -> None:
    patient = {"patient": {"name": "Canary Wren", "record_number": "C 17"}}
    assert (await api.call("POST", "/requests", trip("a", **patient)))[0] == 202
    status, problem = await api.call("POST", "/requests", trip("b", **patient))
    assert (status, problem["type"], problem["duplicate_of"]) == (409, "/problems/possible-duplicate", ["a"])
    assert problem["duplicates"] == [{"request_id": "b", "duplicate_of": ["a"], "pointer": ""}]
    batch = {"requests": [trip("c"), trip("d", **patient), trip("e", not_duplicate_of=["a"], **patient)]}
    status, problem = await api.call("POST", "/requests", batch)
    assert [(each["request_id"], each["pointer"]) for each in problem["duplicates"]] == [
        ("d", "/requests/1"),
        ("e", "/requests/2"),
    ]
    assert "Canary" not in str(problem)
    assert (await api.call("GET", "/requests/c"))[0] == 404
    metrics = await (await api.client.get("/metrics")).text()
    assert "dispatcher_possible_duplicates_total 3.0" in metrics
    assert (await api.call("POST", "/requests", trip("b", not_duplicate_of=["a"], **patient)))[0] == 202
