"""Barriers over HTTP: suggested, said, corrected, read with the episode, counted without a patient."""

from __future__ import annotations

from typing import Any

from client.care import CareClient
from contracts.barriers import BarrierCode, BarrierView, PatternRow
from contracts.codes import Role
from contracts.tasks import TaskOutcome
from dispatcher.jobs.timers import Timers
from dispatcher.store.survey import survey
from tests.http.conftest import Api, trip

SECRET = "Ms Canary was at her sister's"
Json = dict[str, Any]
LATE = 24 * 3_600_000


def care(api: Api) -> CareClient:
    return CareClient(str(api.client.make_url("/")), api.token(Role.CASE_MANAGER, subject="cleo"), api.market)


async def cancelled(api: Api, *names: str, code: str = "", **changes: Any) -> None:
    """Requests that somebody cancelled, for a reason or none."""
    body = {"requests": [trip(each, **changes) for each in names]}
    assert (await api.call("POST", "/requests", body))[0] == 202
    for name in names:
        said = {"code": code} if code else None
        assert (await api.call("POST", f"/requests/{name}/cancel", said))[0] == 200


async def unmatched(api: Api, **changes: Any) -> None:
    assert (await api.call("POST", "/requests", trip("r1", **changes)))[0] == 202
    api.clock.ms += LATE * 2
    await Timers(api.service).fire_due(api.market)


def told(rows: tuple[PatternRow, ...]) -> dict[str, int]:
    return {each.name: each.count for each in rows}


async def exact(api: Api) -> dict[str, int]:
    """By code, as it is stored."""
    found = await api.store.market(api.market).patterns.of(["2026-W10"])
    counts = dict[str, int]()
    for (_, cell), count in found.items():
        counts[cell.code] = counts.get(cell.code, 0) + count
    return {code: count for code, count in counts.items() if count}


async def test_a_barrier_is_asked_for_said_and_read_back_and_a_note_stands_nowhere_in_the_clear(
    api: Api,
) -> None:
    await cancelled(api, "r1")
    _, view = await api.call("GET", "/requests/r1")
    assert view["barrier_asked"] is True
    body = {"code": "weather", "note": SECRET}
    for _ in range(2):
        answer = await api.call("POST", "/requests/r1/barrier", body, Idempotency_Key="once")
        assert (answer[0], answer[1]["barrier"]["note"]) == (200, SECRET)
    _, again = await api.call("GET", "/requests/r1")
    assert (again["version"], again["barrier"]) == (answer[1]["version"], answer[1]["barrier"])
    assert "barrier_asked" not in again
    assert await exact(api) == {"weather": 1}
    ask = api.store.reader.ask
    for key in await ask("KEYS", f"dispatch:{{{api.market}}}:*"):
        assert b"Canary" not in bytes(await ask("DUMP", key)), key
    look = await survey(api.store.reader, api.market)
    assert [each.comments for each in look.sealed.values()] == [1], "its key is needed still"


async def test_what_ended_says_itself_what_the_barrier_was_until_a_person_says_otherwise(api: Api) -> None:
    await cancelled(api, "r1", code="NOT_READY", facility="st-mary")
    async with care(api) as cleo:
        view = await cleo.view("r1")
        assert view.barrier is not None
        assert (view.barrier.code, view.barrier.suggested) == (BarrierCode.PATIENT_NOT_READY, True)
        assert view.barrier_asked
        assert await exact(api) == {"patient_not_ready": 1}
        view = await cleo.barrier("r1", BarrierCode.TRANSPORT_REFUSED)
        assert view.barrier is not None
        assert (view.barrier.suggested, view.barrier.subject, view.barrier_asked) == (False, "cleo", False)
        assert await exact(api) == {"transport_refused": 1}
        assert (await cleo.barrier("r1", BarrierCode.TRANSPORT_REFUSED)).version == view.version
        assert await exact(api) == {"transport_refused": 1}
    entries = await api.store.reader.ask("XRANGE", api.store.market(api.market).keys.events, "-", "+")
    said = [str(entry) for entry in entries if b"dispatch.barrier.recorded" in str(entry).encode()]
    assert len(said) == 1
    assert "patient_not_ready" in said[0], "what it was suggested to be until then"


async def test_who_finishes_the_task_of_an_end_says_what_the_barrier_was(api: Api) -> None:
    await unmatched(api, hold="authorization")
    _, task = await api.call("GET", "/tasks/r1.unmatched")
    assert task["barrier_asked"] is True
    assert (await api.call("GET", "/requests/r1"))[1]["barrier"]["code"] == "authorization"
    body = {"outcome": "arranged_otherwise", "barrier": "weather"}
    for _ in range(2):
        status, done = await api.call("POST", "/tasks/r1.unmatched/finish", body, role=Role.COORDINATOR)
        assert (status, done["outcome"]) == (200, TaskOutcome.ARRANGED_OTHERWISE)
    assert "barrier_asked" not in done
    _, view = await api.call("GET", "/requests/r1")
    assert (view["barrier"]["code"], view["barrier"]["by"]) == ("weather", "coordinator")
    assert "suggested" not in view["barrier"]


async def test_what_has_not_ended_or_was_served_has_no_barrier(api: Api) -> None:
    assert (await api.call("POST", "/requests", trip("r1", hold="authorization")))[0] == 202
    status, refused = await api.call("POST", "/requests/r1/barrier", {"code": "other"})
    assert (status, refused["type"], refused["state"]) == (409, "/problems/wrong-state", "on_hold")
    body = {"barrier": "other"}
    task = "/tasks/r1.authorization_missing"
    assert (await api.call("POST", f"{task}/finish", body))[0] == 409
    assert (await api.call("GET", task))[1]["state"] == "open"
    assert (await api.call("POST", "/requests/r9/barrier", {"code": "other"}))[0] == 404


async def test_an_episode_shows_what_kept_its_requests_and_when(api: Api) -> None:
    body = {"id": "home", "requests": [trip("a"), trip("b"), trip("c")]}
    assert (await api.call("POST", "/episodes", body))[0] == 202
    for name in ("a", "b"):
        await api.call("POST", f"/requests/{name}/cancel")
    async with care(api) as cleo:
        await cleo.barrier("a", BarrierCode.WEATHER, SECRET)
        whole = await cleo.episode("home")
    assert [(each.request_id, _code(each.barrier)) for each in whole.barriers] == [
        ("a", ("weather", SECRET)),
        ("b", None),
    ]
    steps = [(each.request_id, each.code, each.subject) for each in whole.timeline if each.what == "barrier"]
    assert steps == [("a", "weather", "cleo")]


def _code(barrier: BarrierView | None) -> tuple[str, str] | None:
    return (barrier.code.value, barrier.note) if barrier else None


async def test_patterns_count_by_kind_facility_vendor_class_and_week_and_hide_what_is_rare(api: Api) -> None:
    await cancelled(api, *(f"a{n}" for n in range(7)), code="NOT_READY", facility="st-mary")
    await cancelled(api, "b", code="NO_CLIENT", facility="mercy")
    async with care(api) as cleo:
        found = await cleo.patterns()
        assert (found.least, found.until_week) == (5, "2026-W10")
        assert told(found.by_code)["patient_not_ready"] in (5, 10), "seven"
        assert told(found.by_code).get("no_one_at_home", 0) in (0, 5), "one"
        assert told(found.by_facility)["st-mary"] == told(found.by_code)["patient_not_ready"]
        for rows, name in (
            (found.by_service_class, "wheelchair"),
            (found.by_vendor, ""),
            (found.by_week, "2026-W10"),
        ):
            assert told(rows)[name] in (5, 10), "seven and one: no sum says what is hidden"
        again = await cleo.patterns(facility="mercy")
        assert told(again.by_facility).get("mercy") == told(found.by_facility).get("mercy"), "asked otherwise"
        assert (await cleo.patterns(code=BarrierCode.WEATHER)).by_week == ()
    await api.call("PUT", "/tuning", {"values": {"patterns_least": 1}, "reason": "test"}, role=Role.OPS)
    _, found_now = await api.call("GET", "/patterns?since=2026-03-02&until=2026-03-08", role=Role.OPS)
    assert {each["name"]: each["count"] for each in found_now["by_code"]} == {
        "patient_not_ready": 7,
        "no_one_at_home": 1,
    }
    assert (found_now["since_week"], found_now["until_week"]) == ("2026-W10", "2026-W10")


async def test_patterns_are_of_at_most_53_weeks_and_a_week_that_is_damaged_hides_no_other(api: Api) -> None:
    await cancelled(api, "r1", code="NOT_READY")
    await api.store.reader.ask("SET", api.store.market(api.market).keys.patterns("2026-W09"), "x")
    status, found = await api.call("GET", "/patterns?since=2025-03-08&until=2026-03-08", role=Role.OPS)
    assert (status, len(found["by_week"]) <= 1) == (200, True)
    mixed_up = ("since=2026-03-08&until=2026-03-01", "until=0001-01-01", "since=9999-12-31")
    for period in ("since=2025-02-23&until=2026-03-08", *mixed_up):
        status, refused = await api.call("GET", f"/patterns?{period}", role=Role.OPS)
        assert (status, refused["type"]) == (422, "/problems/invalid-request")
