"""Threads: read and written by the parties of a dispatch, by nobody else, and never told in a stream."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from client.care import CareClient
from client.vendor import VendorClient
from contracts.codes import Role
from contracts.instants import HOUR_MS, to_instant
from contracts.threads import MAX_MESSAGES, MAX_TEXT, About
from dispatcher.audit.judge import judge
from dispatcher.domain.threads import UNREAD, WRITTEN
from dispatcher.jobs.timers import Timers
from dispatcher.security.principal import Principal
from dispatcher.service.unreadable import UnreadableItems
from dispatcher.store.events import unpack_event
from dispatcher.store.idempotency import IdempotencyRecord
from dispatcher.store.keys import Keys
from dispatcher.store.sorting_in import list_threads
from dispatcher.store.survey import survey
from dispatcher.store.threads import UNREADABLE
from tests.http.conftest import Api
from tests.http.test_offers import offered
from tests.http.test_privacy import everything_told, logged  # noqa: F401  (a fixture)

SECRET = "CANARY Mr Wren is at the side door"
MESSAGES = "/dispatches/r1.1/messages"


async def accepted(api: Api) -> None:
    await offered(api)
    assert (await as_vendor(api, "POST", "/offers/r1.1/accept", {}))[0] == 200


async def as_vendor(
    api: Api, method: str, path: str, body: Any = None, vendor: str = "v1", **headers: str
) -> tuple[int, Any]:
    return await api.call(method, path, body, role=Role.VENDOR, vendor=vendor, **headers)


async def test_vendor_and_coordinator_write_to_each_other_and_see_who_has_read(api: Api) -> None:
    await accepted(api)
    assert (await api.call("GET", MESSAGES))[1]["messages"] == []
    status, first = await api.call("POST", MESSAGES, {"text": SECRET})
    assert (status, first["number"], first["by"], first["text"]) == (200, 1, "platform", SECRET)
    _, thread = await as_vendor(api, "GET", MESSAGES)
    assert [each["text"] for each in thread["messages"]] == [SECRET]
    assert thread["unread"] == 1
    assert (await as_vendor(api, "POST", f"{MESSAGES}/read"))[1]["up_to"] == 1
    _, second = await as_vendor(api, "POST", MESSAGES, {"text": "Ten minutes"})
    assert (second["number"], second["by"]) == (2, "vendor:v1")
    _, thread = await api.call("GET", f"{MESSAGES}?after=1")
    assert [each["text"] for each in thread["messages"]] == ["Ten minutes"]
    assert [(each["by"], each["up_to"]) for each in thread["read"]] == [("vendor:v1", 1)]
    assert thread["unread"] == 1
    _, thread = await as_vendor(api, "GET", MESSAGES)
    assert thread["unread"] == 0  # its own is none
    assert (await api.call("GET", MESSAGES, role=Role.OPS))[1]["unread"] == 2


async def test_a_message_is_told_by_its_id_to_those_who_follow(api: Api) -> None:
    await accepted(api)
    keys = api.store.market(api.market).keys
    _, first = await api.call("POST", MESSAGES, {"text": SECRET})
    _, second = await as_vendor(api, "POST", MESSAGES, {"text": "CANARY coming"})
    told = [unpack_event(each.event) for each in await api.store.streams.read(keys.events)]
    posted = [each for each in told if each.type == "dispatch.message.posted"]
    assert [each.data["message_id"] for each in posted] == [first["id"], second["id"]]
    assert posted[0].data == {
        "about": "dispatch",
        "id": "r1.1",
        "message_id": first["id"],
        "number": 1,
        "by": "platform",
    }
    heard = [unpack_event(each.event) for each in await api.store.streams.read(keys.stream("v1"))]
    arrived = [each for each in heard if each.type == "dispatch.message.arrived"]
    assert [(each.data["message_id"], each.data["href"]) for each in arrived] == [
        (first["id"], "dispatches/r1.1/messages")
    ]


async def test_a_text_stands_in_no_log_stream_key_or_value(
    api: Api,
    logged: list[str],  # noqa: F811
) -> None:
    await accepted(api)
    await api.call("POST", MESSAGES, {"text": SECRET})
    await as_vendor(api, "POST", MESSAGES, {"text": SECRET})
    await as_vendor(api, "POST", MESSAGES, {"text": SECRET}, vendor="v2")
    await api.call("POST", MESSAGES, {"text": SECRET + "x" * MAX_TEXT})
    assert "CANARY" not in await everything_told(api)
    assert "CANARY" not in "\n".join(logged)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [("GET", MESSAGES, None), ("POST", MESSAGES, {"text": "hello"}), ("POST", f"{MESSAGES}/read", {})],
)
async def test_another_vendors_thread_is_a_404_in_the_words_for_one_that_is_not(
    api: Api, method: str, path: str, body: Any
) -> None:
    await accepted(api)
    await api.call("POST", MESSAGES, {"text": SECRET})
    status, problem = await as_vendor(api, method, path, body, vendor="v2")
    _, absent = await as_vendor(api, method, path.replace("r1.1", "r9.1"), body, vendor="v2")
    assert (status, problem["type"]) == (404, "/problems/not-found")
    assert problem["detail"].replace("r1.1", "r9.1") == absent["detail"]
    assert set(problem) == set(absent)


async def test_who_gave_the_work_back_reads_no_more_and_the_next_vendor_not_what_was_before(api: Api) -> None:
    await offered(api)
    assert (await as_vendor(api, "POST", MESSAGES, {"text": "may I?"}))[0] == 409
    assert (await api.call("POST", MESSAGES, {"text": "who hears it?"}))[0] == 409
    assert (await as_vendor(api, "GET", MESSAGES))[0] == 409
    await as_vendor(api, "POST", "/offers/r1.1/accept", {})
    assert (await as_vendor(api, "POST", MESSAGES, {"text": SECRET}))[0] == 200
    turned_back = {"status": "turned_back", "code": "NO_VEHICLES_AVAILABLE"}
    status, problem = await as_vendor(api, "POST", "/dispatches/r1.1/status", turned_back)
    assert status == 200, problem
    for method, path, body in (
        ("GET", MESSAGES, None),
        ("POST", MESSAGES, {"text": "still there?"}),
        ("POST", f"{MESSAGES}/read", {}),
    ):
        assert (await as_vendor(api, method, path, body))[0] == 409
    assert (await api.call("POST", MESSAGES, {"text": "nobody hears it"}))[0] == 409
    assert [each["text"] for each in (await api.call("GET", MESSAGES))[1]["messages"]] == [SECRET]
    assert (await as_vendor(api, "GET", "/dispatches/r1.2/messages"))[0] == 404


async def test_a_repeated_message_stands_once_and_another_under_its_key_is_refused(api: Api) -> None:
    await accepted(api)
    answers = [await api.call("POST", MESSAGES, {"text": "once"}, Idempotency_Key="k") for _ in range(3)]
    assert answers == [answers[0]] * 3
    assert answers[0][0] == 200
    assert (await api.call("POST", MESSAGES, {"text": "other"}, Idempotency_Key="k"))[0] == 422
    assert (await as_vendor(api, "POST", MESSAGES, {"text": "mine"}, Idempotency_Key="k"))[0] == 200
    assert [each["text"] for each in (await api.call("GET", MESSAGES))[1]["messages"]] == ["once", "mine"]
    async with api.client.post(
        f"{api.base}{MESSAGES}", json={"text": "x"}, headers={**api.headers(), "Idempotency-Key": ""}
    ) as answer:
        assert answer.status == 400


async def test_a_mark_says_when_it_was_made(api: Api) -> None:
    await accepted(api)
    path, now = "/dispatches/r1.1/messages", to_instant(api.clock.ms).isoformat().replace("+00:00", "Z")
    assert (await api.call("POST", f"{path}/read"))[1]["at"] == now, "of a thread that has not begun"
    await api.call("POST", path, {"text": "hello"})
    first = (await api.call("POST", f"{path}/read"))[1]
    assert (first["up_to"], first["at"]) == (1, now)
    api.clock.ms += 60_000
    assert (await api.call("POST", f"{path}/read"))[1] == first, "nothing that was not read before"


async def test_a_mark_that_names_no_message_is_refused_and_one_never_goes_back(api: Api) -> None:
    await accepted(api)
    assert (await api.call("POST", f"{MESSAGES}/read", {}))[1]["up_to"] == 0
    assert (await api.call("POST", f"{MESSAGES}/read", {"number": 1}))[0] == 422
    for text in ("one", "two"):
        await as_vendor(api, "POST", MESSAGES, {"text": text})
    assert (await api.call("POST", f"{MESSAGES}/read", {"number": 3}))[0] == 422
    assert (await api.call("POST", f"{MESSAGES}/read", {"number": 2}))[1]["up_to"] == 2
    assert (await api.call("POST", f"{MESSAGES}/read", {"number": 1}))[1]["up_to"] == 2
    for key in ("a", "a"):
        assert (await api.call("POST", f"{MESSAGES}/read", {}, Idempotency_Key=key))[1]["up_to"] == 2


async def test_a_full_thread_refuses_the_next_message_and_keeps_the_first(api: Api) -> None:
    await accepted(api)
    threads, who = api.service.threads, principal(api)
    for number in range(MAX_MESSAGES):
        key = IdempotencyRecord.of("message", str(number), b"")
        await threads.post(who, api.market, About.DISPATCH, "r1.1", text=f"n{number}", idempotency=key)
    status, problem = await api.call("POST", MESSAGES, {"text": "one more"})
    assert (status, problem["type"]) == (422, "/problems/invalid-request")
    assert f"{MAX_MESSAGES} messages" in problem["detail"]
    _, thread = await api.call("GET", MESSAGES)
    assert [each["text"] for each in thread["messages"]] == [f"n{each}" for each in range(MAX_MESSAGES)]


async def test_a_thread_goes_with_its_request_and_until_then_is_kept(api: Api) -> None:
    await accepted(api)
    await as_vendor(api, "POST", MESSAGES, {"text": SECRET})  # and nobody ever reads it
    timers, reader = Timers(api.service), api.store.reader
    api.clock.ms += 2 * HOUR_MS
    for status in ("at_pickup", "completed"):
        assert (await as_vendor(api, "POST", "/dispatches/r1.1/status", {"status": status}))[0] == 200
    api.clock.ms += 25 * HOUR_MS
    while await timers.fire_due(api.market):  # the thread's own among them: it looks, and stays
        pass
    assert len((await api.call("GET", MESSAGES))[1]["messages"]) == 1
    task = (await api.call("GET", "/tasks/r1.1.unread_message"))[1]
    assert (task["state"], task["owner"]) == ("open", "ops")  # past its time
    assert judge(await survey(reader, api.market)) == []
    for found in (200, 404):  # what nobody has read keeps its request for a while, as any task does
        api.clock.ms += 73 * HOUR_MS
        while await timers.fire_due(api.market):
            pass
        assert (await api.call("POST", f"{MESSAGES}/read", role=Role.COORDINATOR))[0] == found
    left = await survey(reader, api.market)
    assert [left.records[each] for each in ("request", "thread", "task")] == [{}, {}, {}]
    assert judge(left) == []


async def test_what_a_vendor_writes_is_somebodys_task_until_it_is_read_or_answered(api: Api) -> None:
    await accepted(api)

    async def stands() -> tuple[str, str | None]:
        task = (await api.call("GET", "/tasks/r1.1.unread_message"))[1]
        assert (task["request_id"], task["owner"]) == ("r1", "care_coordinator")
        assert judge(await survey(api.store.reader, api.market)) == []
        return task["state"], task.get("outcome")

    await api.call("POST", MESSAGES, {"text": "to the vendor"})
    assert (await api.call("GET", "/tasks/r1.1.unread_message"))[0] == 404
    await as_vendor(api, "POST", MESSAGES, {"text": SECRET})
    await as_vendor(api, "POST", f"{MESSAGES}/read")  # its own mark is nobody's ear
    assert await stands() == ("open", None)
    await api.call("POST", f"{MESSAGES}/read", role=Role.COORDINATOR)
    assert await stands() == ("done", "settled")
    await as_vendor(api, "POST", MESSAGES, {"text": "once more"})
    await as_vendor(api, "POST", MESSAGES, {"text": "and again"})
    assert await stands() == ("open", None)
    await api.call("POST", MESSAGES, {"text": "coming"}, role=Role.OPS)
    assert await stands() == ("done", "settled")


async def test_a_message_that_cannot_be_read_hides_no_other_and_is_somebodys_task(api: Api) -> None:
    await accepted(api)
    for text in ("one", "two"):
        await api.call("POST", MESSAGES, {"text": text})
    stored = api.store.market(api.market)
    thread = await stored.threads.records.get("dispatch:r1.1")
    assert thread is not None
    swapped = [each.sealed for each in reversed(thread.messages)]
    forged = [
        msgspec.structs.replace(each, sealed=sealed)
        for each, sealed in zip(thread.messages, swapped, strict=True)
    ]
    assert stored.threads.open(thread.id, forged) == [UNREADABLE, UNREADABLE]
    assert stored.threads.open(thread.id, [thread.messages[0], forged[1]]) == ["one", UNREADABLE]
    (item,) = api.store.aside.known(api.market)  # the first was read again
    assert (item.kind, item.id) == ("message", f"dispatch:r1.1/{thread.messages[1].id}")
    await UnreadableItems(api.service.executor, api.store).tell(api.market, item)
    assert (await api.call("GET", "/tasks/r1.unreadable", role=Role.OPS))[1]["owner"] == "ops"


async def test_the_clients_of_both_sides_write_read_and_mark(api: Api) -> None:
    await accepted(api)
    url = str(api.client.make_url("/"))
    async with VendorClient(url, api.token(Role.VENDOR, vendor="v1"), api.market) as vendor:
        sent = await vendor.post_message("r1.1", "at the side door")
        assert (await vendor.messages("r1.1")).messages == (sent,)
        assert (await vendor.mark_read("r1.1")).up_to == 1
        assert (await vendor.messages("r1.1", after=1)).messages == ()


async def test_a_patient_key_is_needed_for_as_long_as_a_message_is_sealed_under_it(api: Api) -> None:
    await accepted(api)
    await api.call("POST", MESSAGES, {"text": SECRET})
    found = await survey(api.store.reader, api.market)
    assert found.sealed["dev"].messages == 1
    assert "CANARY" not in json.dumps(msgspec.to_builtins(found.sealed))


EPISODE_MESSAGES = "/episodes/home/messages"
CARERS = (Role.PLATFORM, Role.COORDINATOR, Role.CASE_MANAGER, Role.OPS)


async def with_episode(api: Api) -> None:
    await accepted(api)
    assert (await api.call("PUT", "/episodes/home", {"requests": ["r1"]}))[0] == 201


async def test_who_cares_for_an_episode_write_to_each_other_and_no_vendor_reads_it(
    api: Api,
    logged: list[str],  # noqa: F811
) -> None:
    await with_episode(api)
    assert (await api.call("GET", EPISODE_MESSAGES))[1]["messages"] == []
    for number, role in enumerate(CARERS, 1):
        status, sent = await api.call("POST", EPISODE_MESSAGES, {"text": f"{SECRET} {role}"}, role=role)
        assert (status, sent["number"], sent["by"]) == (200, number, role.value)
    for role in CARERS:
        _, thread = await api.call("GET", EPISODE_MESSAGES, role=role)
        assert ([each["by"] for each in thread["messages"]], thread["unread"]) == ([*CARERS], 3)
        assert (await api.call("POST", f"{EPISODE_MESSAGES}/read", {}, role=role))[1]["up_to"] == 4
        assert (await api.call("GET", EPISODE_MESSAGES, role=role))[1]["unread"] == 0
    for method, path, body in (
        ("GET", EPISODE_MESSAGES, None),
        ("POST", EPISODE_MESSAGES, {"text": "hello"}),
        ("POST", f"{EPISODE_MESSAGES}/read", {}),
    ):
        assert (await as_vendor(api, method, path, body))[0] == 403
        assert (await api.call(method, path.replace("home", "gone"), body))[0] == 404
    told = [
        unpack_event(each.event)
        for each in await api.store.streams.read(api.store.market(api.market).keys.events)
    ]
    posted = [each.data for each in told if each.type == "dispatch.message.posted"]
    assert [(each["about"], each["id"], each["number"]) for each in posted] == [
        ("episode", "home", number) for number in range(1, 5)
    ]
    heard = await api.store.streams.read(api.store.market(api.market).keys.stream("v1"))
    assert "dispatch.message.arrived" not in {unpack_event(each.event).type for each in heard}
    assert (await as_vendor(api, "GET", MESSAGES))[1]["messages"] == [], (
        "its dispatch has a thread of its own"
    )
    assert "CANARY" not in await everything_told(api) + "\n".join(logged)


async def test_an_episodes_thread_goes_with_it_once_its_requests_are_forgotten(api: Api) -> None:
    await with_episode(api)
    await api.call("POST", EPISODE_MESSAGES, {"text": SECRET})
    timers, reader = Timers(api.service), api.store.reader
    api.clock.ms += 24 * HOUR_MS
    for status in ("at_pickup", "completed"):
        assert (await as_vendor(api, "POST", "/dispatches/r1.1/status", {"status": status}))[0] == 200
    for hours in (25, 26):
        api.clock.ms += hours * HOUR_MS
        while await timers.fire_due(api.market):
            pass
        assert len((await api.call("GET", EPISODE_MESSAGES))[1]["messages"]) == 1
        kept = await survey(reader, api.market)
        assert judge(kept) == []
    kept.records["episode"] = {}
    assert [(each.rule, each.subject) for each in judge(kept) if each.rule == "threads"] == [
        ("threads", "episode:home")
    ]
    for _ in range(3):
        api.clock.ms += 24 * HOUR_MS
        while await timers.fire_due(api.market):
            pass
    assert (await api.call("GET", EPISODE_MESSAGES))[0] == 404
    left = await survey(reader, api.market)
    assert [left.records[each] for each in ("request", "episode", "thread")] == [{}, {}, {}]
    assert judge(left) == []


async def test_a_message_of_an_episode_that_cannot_be_read_is_somebodys_task(api: Api) -> None:
    await with_episode(api)
    for text in ("one", "two"):
        await api.call("POST", EPISODE_MESSAGES, {"text": text})
    stored = api.store.market(api.market)
    thread = await stored.threads.records.get("episode:home")
    assert thread is not None
    forged = msgspec.structs.replace(thread.messages[1], sealed=thread.messages[0].sealed)
    assert stored.threads.open(thread.id, [forged]) == [UNREADABLE]
    (item,) = api.store.aside.known(api.market)
    await UnreadableItems(api.service.executor, api.store).tell(api.market, item)
    assert (await api.call("GET", "/tasks/r1.unreadable", role=Role.OPS))[1]["owner"] == "ops"


async def test_the_client_of_who_cares_writes_reads_and_marks_on_an_episode(api: Api) -> None:
    await with_episode(api)
    url = str(api.client.make_url("/"))
    async with CareClient(url, api.token(Role.COORDINATOR, subject="kim"), api.market) as kim:
        sent = await kim.post_episode_message("home", "the key is with the neighbour")
        assert (await kim.episode_messages("home")).messages == (sent,)
        assert (await kim.mark_episode_read("home", 1)).up_to == 1
        assert (await kim.episode_messages("home", after=1)).messages == ()


def principal(api: Api) -> Principal:
    """Somebody of the platform's."""
    return Principal.of(Role.PLATFORM, markets=frozenset({api.market}))


async def told(vendor: VendorClient) -> list[int]:
    """What is unread by the list, by the dispatch, and by the list of the day."""
    listed, dispatch, day = await vendor.listed(), await vendor.dispatch("r1.1"), await vendor.day()
    return [listed.unread.get("r1.1", 0), dispatch.unread, day.dispatches[0].unread]


async def test_a_vendors_lists_say_what_each_of_its_people_has_not_read_whatever_came_first(api: Api) -> None:
    await accepted(api)
    url = str(api.client.make_url("/"))
    ana, ben = (
        VendorClient(url, api.token(Role.VENDOR, vendor="v1", subject=each), api.market)
        for each in ("ana", "ben")
    )
    async with ana, ben:
        assert [await told(each) for each in (ana, ben)] == [[0] * 3] * 2
        for text in ("one", "two"):
            await api.call("POST", MESSAGES, {"text": text})
        assert [await told(each) for each in (ana, ben)] == [[2] * 3] * 2
        await ana.mark_read("r1.1", 1)
        await ben.post_message("r1.1", "on my way")
        assert [await told(each) for each in (ana, ben)] == [[2] * 3] * 2, "one of theirs and ben's; both"
        await ana.mark_read("r1.1")
        assert [await told(each) for each in (ana, ben)] == [[0] * 3, [2] * 3]
        assert (await ben.messages("r1.1")).unread == 2
    keys, ask, stored = Keys(api.market), api.store.reader.ask, api.store.market(api.market)
    assert judge(await survey(api.store.reader, api.market)) == []
    assert await ask("DEL", keys.list(WRITTEN), keys.list(UNREAD)) == 2  # as a version before stored it
    assert await stored.threads.unread(["r1.1"], "ben") == {}
    assert [await list_threads(stored) for _ in range(2)] == [1, 0]
    assert await stored.threads.unread(["r1.1", "r2.1"], "ben") == {"r1.1": 2}
    assert judge(await survey(api.store.reader, api.market)) == []
    await ask("SET", keys.list(UNREAD), "x")
    assert await stored.threads.unread(["r1.1"], "ben") == {"r1.1": 3}, "what cannot be read marks all as new"
