"""Episodes over HTTP: submitted whole, arranged, read with everything about them."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from contracts.codes import Role
from contracts.instants import HOUR_MS
from dispatcher.jobs.timers import Timers
from dispatcher.service import episodes
from dispatcher.store.survey import survey
from tests.http.conftest import NOW, Api, trip

Json = dict[str, Any]
LATER = {"earliest": (NOW + timedelta(days=9)).isoformat(), "latest": (NOW + timedelta(days=9)).isoformat()}


def oxygen(name: str = "oxygen", **changes: Any) -> Json:
    at = NOW + timedelta(days=1)
    window = {"earliest": at.isoformat(), "latest": (at + timedelta(hours=2)).isoformat()}
    facts = {"place": {"position": [-73.95, 40.76]}, "window": window, "lines": [{"hcpcs": "E1390"}]}
    return {"kind": "equipment", "id": name} | facts | changes


def _at(hours: int) -> str:
    return (NOW + timedelta(hours=hours)).isoformat()


def discharge(**draft: Any) -> Json:
    edges = [{"before": "oxygen", "after": "ride", "least_lag_minutes": 15}]
    return {
        "id": "home",
        "requests": [trip("ride"), oxygen()],
        "episode": {"sequence": edges} | draft,
    }


async def test_an_episode_comes_with_all_its_requests_and_is_read_in_one_answer(api: Api) -> None:
    body, key = discharge(), "one-key"
    status, whole = await api.call("POST", "/episodes", body, Idempotency_Key=key)
    assert status == 202, whole
    assert (await api.call("POST", "/episodes", body, Idempotency_Key=key))[0] == 202
    assert (whole["open"], whole["owners"]) == (True, ["care_coordinator"])
    ride = next(each for each in whole["requests"] if each["id"] == "ride")
    assert (ride["state"], ride["waits_for"], ride["owner"]) == ("received", ["oxygen"], "service")
    (edge,) = whole["sequence"]
    assert (edge["before"], edge["after"], edge["stands"]) == ("oxygen", "ride", "waiting")
    assert {(each["what"], each.get("request_id", "")) for each in whole["timeline"]} == {
        ("put", ""),
        ("received", "ride"),
        ("received", "oxygen"),
    }
    _, page = await api.call("GET", "/episodes")
    assert [each["id"] for each in page["episodes"]] == ["home"]
    _, view = await api.call("GET", "/requests/ride")
    assert (view["episode"], view["after"][0]["request"]) == ("home", "oxygen")


async def test_an_episode_that_is_sent_again_under_another_key_is_known_and_a_changed_one_is_refused(
    api: Api,
) -> None:
    patient = {"name": "Canary Wren", "record_number": "C 1"}
    rides = [trip(each, patient=patient) for each in ("ride", "later")]
    rides[1] |= {"not_duplicate_of": ["ride"]}
    body = discharge() | {"requests": [*rides, oxygen()]}
    assert (await api.call("POST", "/episodes", body))[0] == 202
    status, whole = await api.call("POST", "/episodes", body)
    assert (status, whole["version"]) == (202, 1)
    changed = body | {"requests": [rides[0] | {"priority": "stat"}]}
    status, problem = await api.call("POST", "/episodes", changed | {"episode": {}})
    assert (status, problem["type"], problem["request_ids"]) == (422, "/problems/id-reused", ["ride"])
    owned = body | {"episode": body["episode"] | {"owners": ["ops"]}}
    status, problem = await api.call("POST", "/episodes", owned)
    assert (status, problem["detail"].split("\n")[0]) == (
        422,
        "episode home is there already, and is another",
    )


async def test_what_may_be_asked_for_twice_in_an_episode_is_told_with_its_place(api: Api) -> None:
    patient = {"name": "Canary Wren", "record_number": "C 1"}
    body = {"id": "e", "requests": [oxygen(), trip("a", patient=patient), trip("b", patient=patient)]}
    status, problem = await api.call("POST", "/episodes", body)
    assert status == 409
    assert problem["duplicates"] == [
        {"request_id": "b", "duplicate_of": ["a"], "pointer": "/requests/2"},
    ]
    twice = {"id": "e", "requests": [trip("a", patient=patient), trip("a", patient=patient)]}
    status, problem = await api.call("POST", "/episodes", twice)
    assert (status, problem["type"], problem["request_ids"]) == (422, "/problems/id-reused", ["a"])


async def test_rides_of_an_episode_that_go_one_after_the_other_are_not_one_asked_for_twice(api: Api) -> None:
    rides = [trip(each, patient={"name": "Canary Wren", "record_number": "C 1"}) for each in ("a", "b")]
    edges = {"sequence": [{"before": "a", "after": "b"}]}
    status, whole = await api.call("POST", "/episodes", {"id": "e", "requests": rides, "episode": edges})
    assert status == 202, whole
    again = [each | {"id": f"{each['id']}2"} for each in rides]
    status, problem = await api.call("POST", "/episodes", {"id": "e2", "requests": again})
    assert (status, problem["duplicate_of"]) == (409, ["a", "a2", "b"])


async def test_of_two_that_become_different_patients_at_one_moment_one_is_refused(api: Api) -> None:
    names = ("a", "b", "c")
    rides = [trip("a"), oxygen("b"), oxygen("c", lines=[{"hcpcs": "E0260"}])]
    assert (await api.call("POST", "/episodes", {"id": "e", "requests": rides}))[0] == 202
    whose = {each: {"patient": {"name": f"Canary {each}", "record_number": f"C {each}"}} for each in names}
    found = await asyncio.gather(
        *(api.call("POST", f"/requests/{each}/amend", whose[each]) for each in names),
        api.call("POST", "/requests", oxygen("d", lines=[{"hcpcs": "K0001"}], episode="e") | whose["a"]),
    )
    taken = [status for status, _ in found if status < 300]
    blocks = [(await api.call("GET", f"/requests/{name}/patient"))[1] for name in (*names, "d")]
    assert len({number for each in blocks for number in ("C a", "C b", "C c") if number in str(each)}) == 1
    assert len(taken) in (1, 2)  # the fourth is of the first's patient


async def test_an_episode_is_one_patients_and_a_slip_is_told_without_naming_anybody(api: Api) -> None:
    wren = {"name": "Canary Wren", "record_number": "C 1"}
    for number, (other, status) in enumerate(
        (
            ({"name": "Canary Wren", "phone": "555 0100"}, 202),
            ({"name": "Wren, Canary", "record_number": "c-1"}, 202),
            ({"name": "Canary Wren", "record_number": "C 2"}, 422),
        )
    ):
        name, at = f"ride{number}", (NOW + timedelta(days=2 + number)).isoformat()
        ride = trip(name, patient=wren, pickup_window={"earliest": at, "latest": at})
        body = {"id": f"e{number}", "requests": [ride, oxygen(f"oxygen{number}", patient=other)]}
        found, answer = await api.call("POST", "/episodes", body)
        assert found == status, answer
    assert answer["request_ids"] == ["ride2", "oxygen2"]
    assert "Wren" not in str(answer)


@pytest.mark.parametrize("door", ["put", "added", "named", "submitted", "amended"])
async def test_another_patients_request_comes_to_an_episode_by_no_door(api: Api, door: str) -> None:
    patients = {name: {"name": f"Canary {name}", "record_number": f"C {name}"} for name in ("wren", "finch")}
    await api.call("POST", "/requests", trip("own", patient=patients["wren"]))
    other = oxygen("other", patient=patients["finch"])
    assert (await api.call("PUT", "/episodes/e", {"requests": ["own"]}))[0] == 201
    if door in ("put", "added"):
        assert (await api.call("POST", "/requests", other))[0] == 202
    match door:
        case "put":
            draft = {"requests": ["own", "other"]}
            status, problem = await api.call("PUT", "/episodes/e", draft, If_Match="*")
        case "added":
            status, problem = await api.call("PUT", "/episodes/e/requests/other")
        case "named":
            status, problem = await api.call("POST", "/requests", other | {"episode": "e"})
        case "amended":
            await api.call("POST", "/requests", oxygen("other", episode="e", patient=patients["wren"]))
            whose = {"patient": patients["finch"]}
            status, problem = await api.call("POST", "/requests/other/amend", whose)
            assert (await api.call("DELETE", "/episodes/e/requests/other"))[0] == 200
            assert (await api.call("POST", "/requests/other/amend", whose))[0] == 200
        case _:
            body = {"id": "new", "requests": [other], "episode": {"requests": ["own"]}}
            await api.call("DELETE", "/episodes/e/requests/own")
            status, problem = await api.call("POST", "/episodes", body)
    assert (status, problem["type"]) == (422, "/problems/invalid-request")
    assert sorted(problem["request_ids"]) == ["other", "own"]
    assert "anary" not in str(problem)
    _, view = await api.call("GET", "/episodes/e")
    assert "other" not in {each["id"] for each in view.get("requests", ())}


async def test_what_happened_while_a_request_belonged_to_it_stays_in_its_timeline(api: Api) -> None:
    for each in (trip("a"), trip("b")):
        await api.call("POST", "/requests", each)
    await api.call("PUT", "/episodes/e", {"requests": ["a", "b"]})
    api.clock.ms += HOUR_MS
    assert (await api.call("POST", "/requests/b/hold"))[0] == 200
    api.clock.ms += HOUR_MS
    await api.call("DELETE", "/episodes/e/requests/b")
    api.clock.ms += HOUR_MS
    await api.call("POST", "/requests/b/cancel")
    _, view = await api.call("GET", "/episodes/e")
    assert [each["id"] for each in view["requests"]] == ["a"]
    assert [each["what"] for each in view["timeline"] if each.get("request_id") == "b"] == [
        "received",
        "on_hold",
        "removed",
    ]
    assert "barriers" not in view, "that it was cancelled is not this episode's any more"


async def test_an_episode_is_not_decided_by_a_moment_that_is_past(api: Api) -> None:
    past, soon = (NOW - timedelta(minutes=1)).isoformat(), (NOW + timedelta(minutes=1)).isoformat()
    bundle = {"bundle": "all_or_none", "decide_by": past}
    status, problem = await api.call("POST", "/episodes", discharge(**bundle))
    assert status == 422
    assert "all or none until" in problem["detail"]
    assert "Maybe decide_by has a wrong day or time zone." in problem["detail"]
    assert (await api.call("PUT", "/episodes/e", bundle))[0] == 422
    kept = bundle | {"decide_by": soon}
    assert (await api.call("PUT", "/episodes/e", kept))[0] == 201
    api.clock.ms += 120_000
    assert (await api.call("PUT", "/episodes/e", kept | {"owners": ["ops"]}, If_Match="*"))[0] == 200


async def test_what_is_at_risk_and_who_has_to_act_is_in_it(api: Api) -> None:
    await api.call("POST", "/episodes", discharge())
    assert (await api.call("POST", "/requests/oxygen/cancel"))[0] == 200
    _, whole = await api.call("GET", "/episodes/home")
    assert whole["at_risk"] == ["ride"]
    (edge,) = whole["sequence"]
    assert edge["stands"] == "cancelled"
    (task,) = whole["tasks"]
    assert (task["kind"], task["owner"], task["code"]) == (
        "predecessor_missing",
        "care_coordinator",
        "predecessor_cancelled",
    )
    status, ride = await api.call("POST", "/requests/ride/release")
    assert (status, ride["state"], ride["history"][-1]["code"]) == (200, "received", "released")
    _, whole = await api.call("GET", "/episodes/home")
    assert (whole.get("tasks"), whole.get("at_risk"), whole.get("sequence")) == (None, None, None)


async def test_what_a_bundle_gives_back_has_its_tasks_settled_and_who_goes_after_it_is_told(
    api: Api,
) -> None:
    requests = [trip("there"), trip("held", hold=["authorization"])]
    draft = {"bundle": "all_or_none", "decide_by": (NOW + timedelta(hours=1)).isoformat()}
    await api.call("POST", "/episodes", {"id": "home", "requests": requests, "episode": draft})
    await api.call("POST", "/requests", trip("after", after=[{"request": "held"}]))
    assert (await api.call("POST", "/requests/there/cancel"))[0] == 200
    assert (await api.call("GET", "/requests/held"))[1]["state"] == "unmatched"
    _, page = await api.call("GET", "/tasks")
    assert {each["id"] for each in page["tasks"]} == {"there.bundle_failed", "after.predecessor_missing"}
    _, view = await api.call("GET", "/requests/after")
    assert (view["state"], view["at_risk"]) == ("on_hold", "predecessor_unmatched")


async def test_requests_are_added_put_in_sequence_and_taken_out(api: Api) -> None:
    for each in (trip("a"), trip("b"), trip("c")):
        assert (await api.call("POST", "/requests", each))[0] == 202
    assert (await api.call("PUT", "/episodes/e", {"requests": ["a", "b"]}))[0] == 201
    assert (await api.call("PUT", "/episodes/e/requests/c"))[0] == 200
    assert (await api.call("PUT", "/episodes/e/requests/c"))[0] == 200
    edges = [{"before": "a", "after": "b"}, {"before": "b", "after": "c", "kind": "start_to_start"}]
    draft = {"requests": ["a", "b", "c"], "sequence": edges}
    assert (await api.call("PUT", "/episodes/e", draft))[0] == 428
    assert (await api.call("PUT", "/episodes/e", draft, If_Match='"2"'))[0] == 200
    status, stored = await api.call("PUT", "/episodes/e", draft, If_Match="*")
    assert (status, stored["version"]) == (200, 3), "said again, it changes nothing"
    status, whole = await api.call("DELETE", "/episodes/e/requests/c")
    assert (status, [each["id"] for each in whole["requests"]]) == (200, ["a", "b"])
    _, view = await api.call("GET", "/requests/c")
    assert ("episode" in view, view["after"][0]["request"]) == (False, "b")


@pytest.mark.parametrize(
    ("draft", "told"),
    [
        ({"requests": ["nowhere"]}, "request nowhere cannot be in episode x: it is not there"),
        ({"requests": ["a"]}, "belongs to episode e"),
        ({"requests": ["c"], "sequence": [{"before": "a", "after": "c"}]}, "not among its requests"),
        (
            {"requests": ["c", "late"], "sequence": [{"before": "late", "after": "c"}]},
            "request c is to go after request late; it starts by",
        ),
        ({"requests": ["gone"]}, "request gone cannot be in episode x: it is cancelled"),
        (
            {
                "requests": ["c", "d"],
                "sequence": [{"before": "c", "after": "d"}, {"before": "d", "after": "c"}],
            },
            "in a circle",
        ),
    ],
)
async def test_what_cannot_be_in_an_episode_is_refused_with_names(api: Api, draft: Json, told: str) -> None:
    await api.call("POST", "/requests", {"requests": [trip(each) for each in ("a", "b", "c", "d", "gone")]})
    await api.call("POST", "/requests", oxygen("late") | {"window": LATER})
    await api.call("PUT", "/episodes/e", {"requests": ["a", "b"]})
    await api.call("POST", "/requests/gone/cancel")
    status, problem = await api.call("PUT", "/episodes/x", draft)
    assert (status, told in problem["detail"]) == (422, True), problem
    assert (await api.call("GET", "/episodes/x"))[0] == 404


async def test_a_circle_through_what_is_stored_is_refused(api: Api) -> None:
    await api.call("POST", "/requests", {"requests": [trip("a"), trip("b", after=[{"request": "a"}])]})
    draft = {"requests": ["a", "b"], "sequence": [{"before": "b", "after": "a"}]}
    status, problem = await api.call("PUT", "/episodes/x", draft)
    assert (status, "in a circle" in problem["detail"]) == (422, True)


async def test_a_sequence_that_goes_back_too_far_to_be_looked_through_is_refused_for_that(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(episodes, "FARTHEST", 3)
    chain = [trip(f"a{at}", after=[{"request": f"a{at - 1}"}] if at else []) for at in range(4)]
    await api.call("POST", "/requests", {"requests": chain})
    status, problem = await api.call("PUT", "/episodes/x", {"requests": ["a3"]})
    assert (status, "3 requests or more go before" in problem["detail"]) == (422, True), problem
    assert (await api.call("PUT", "/episodes/x", {"requests": ["a1"]}))[0] == 201


async def test_a_way_back_is_judged_alike_by_whichever_door_it_comes(api: Api) -> None:
    await api.call("POST", "/requests", {"requests": [trip("there"), oxygen()]})
    wrong = trip("back", return_of="oxygen")
    too_soon = trip("back", return_of="there", pickup_window={"earliest": _at(23), "latest": _at(24)})
    for ride, words in ((wrong, "is of kind equipment"), (too_soon, "Maybe make its window later")):
        asked = (("/requests", ride), ("/episodes", {"id": "day", "requests": [ride], "episode": {}}))
        for path, body in asked:
            status, problem = await api.call("POST", path, body)
            assert (status, words in problem["detail"]) == (422, True), problem
    later = trip("back", return_of="there", pickup_window={"earliest": _at(28), "latest": _at(29)})
    body = {"id": "day", "requests": [later], "episode": {"requests": ["there"]}}
    status, whole = await api.call("POST", "/episodes", body)
    assert status == 202, whole
    assert [(each["before"], each["after"]) for each in whole["sequence"]] == [("there", "back")]
    second = {"id": "more", "requests": [later | {"id": "again"}], "episode": {}}
    status, problem = await api.call("POST", "/episodes", second)
    assert (status, "has its return: back" in problem["detail"]) == (422, True)


async def test_nothing_of_an_episode_is_stored_where_one_request_is_refused(api: Api) -> None:
    late = trip("late", pickup_window={"earliest": "2026-03-01T10:00:00Z", "latest": "2026-03-01T11:00:00Z"})
    body = discharge() | {"requests": [trip("ride"), oxygen(), late]}
    assert (await api.call("POST", "/episodes", body))[0] == 422
    assert (await api.call("GET", "/requests/ride"))[0] == 404
    assert (await api.call("GET", "/episodes/home"))[0] == 404


async def test_a_note_is_read_back_and_stands_nowhere_in_the_clear(api: Api) -> None:
    await api.call("POST", "/episodes", discharge())
    status, whole = await api.call("POST", "/episodes/home/notes", {"text": "Canary waits at the gate"})
    assert (status, whole["notes"][0]["text"]) == (200, "Canary waits at the gate")
    raw = await api.store.reader.get(f"dispatch:{{{api.market}}}:e:home")
    assert raw
    assert b"Canary" not in raw
    sealed = (await survey(api.store.reader, api.market)).sealed
    assert sum(each.comments for each in sealed.values()) == 1, "its key is needed"
    assert (await api.call("GET", "/episodes/home", role=Role.VENDOR, vendor="v1"))[0] == 403


async def test_a_request_names_the_episode_that_it_belongs_to(api: Api) -> None:
    await api.call("POST", "/episodes", discharge())
    status, problem = await api.call("POST", "/requests", trip("bed", episode="nowhere"))
    assert (status, "names episode nowhere, which is not there" in problem["detail"]) == (422, True)
    assert (await api.call("POST", "/requests", trip("bed", episode="home")))[0] == 202
    _, whole = await api.call("GET", "/episodes/home")
    assert [each["id"] for each in whole["requests"]] == ["ride", "oxygen", "bed"]


async def test_an_episode_that_is_called_as_its_request_is_there_as_long_as_that(api: Api) -> None:
    later = NOW + timedelta(days=5)
    window = {"earliest": later.isoformat(), "latest": (later + timedelta(hours=1)).isoformat()}
    body = {"id": "ride", "requests": [trip("ride", pickup_window=window)]}
    assert (await api.call("POST", "/episodes", body))[0] == 202
    for _ in range(4):
        api.clock.ms += 30 * HOUR_MS
        while await Timers(api.service).fire_due(api.market):
            pass
        status, whole = await api.call("GET", "/episodes/ride")
        assert (status, whole.get("open")) == (200, True)


@pytest.mark.parametrize("episode", ["home", "oxygen"])
async def test_a_bundle_is_given_back_whole_whatever_it_is_called(api: Api, episode: str) -> None:
    bundle = {"bundle": "all_or_none", "decide_by": (NOW + timedelta(hours=20)).isoformat()}
    assert (await api.call("POST", "/episodes", discharge(**bundle) | {"id": episode}))[0] == 202
    assert (await api.call("POST", "/requests/oxygen/cancel"))[0] == 200
    _, whole = await api.call("GET", f"/episodes/{episode}")
    assert {each["id"]: each["state"] for each in whole["requests"]} == {
        "oxygen": "cancelled",
        "ride": "unmatched",
    }
