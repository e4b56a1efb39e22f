"""A request changes: at once while nobody has it, else once the vendor that has the work agrees."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from contracts.codes import Role
from contracts.instants import to_ms
from dispatcher.audit.auditor import audit
from dispatcher.jobs.timers import Timers
from dispatcher.matching.quotes import Quoter
from dispatcher.store.events import unpack_event
from dispatcher.store.ledger import LedgerKey
from tests.http.conftest import NOW, RING, Api, trip
from tests.http.test_by_hand import add, answered, put_to
from tests.http.test_patient_keys import LACKING

AT = NOW + timedelta(days=1)
PATIENT = {"name": "Canary Amend", "phone": "555-0188", "notes": "ring"}
LATER = {
    "pickup_window": {
        "earliest": (AT + timedelta(hours=2)).isoformat(),
        "latest": (AT + timedelta(hours=2, minutes=30)).isoformat(),
    }
}
DOOR = {"dropoff": {"position": [-73.953, 40.762]}}


@pytest.fixture
async def town(api: Api) -> AsyncIterator[Api]:
    """Two vendors with a van each, a ride tomorrow; whatever happens, the audit finds nothing."""
    for name in ("v1", "v2"):
        await add(api, name, rate_card={"included_miles": 0})
    assert (await api.call("POST", "/requests", trip("r1", patient=PATIENT)))[0] == 202
    yield api
    report = await audit(api.store.reader, api.market, streams=True)
    assert report["findings"] == []


async def amend(api: Api, patch: dict[str, Any], **headers: str) -> tuple[int, Any]:
    return await api.call("POST", "/requests/r1/amend", patch, **headers)


async def view(api: Api) -> dict[str, Any]:
    return dict((await api.call("GET", "/requests/r1"))[1])


async def accepted(api: Api, vendor: str = "v1", offer: str = "r1.1") -> None:
    assert (await put_to(api, vendor))[0] == 200
    await answered(api, offer, "accept", vendor)


async def as_vendor(api: Api, method: str, path: str, body: Any = None, name: str = "v1") -> tuple[int, Any]:
    return await api.call(method, path, body, role=Role.VENDOR, vendor=name)


async def answer(api: Api, how: str, number: int = 1, name: str = "v1") -> tuple[int, Any]:
    return await as_vendor(api, "POST", f"/offers/r1.1/amendment/{how}", {"number": number}, name)


async def told(api: Api, stream: str) -> list[str]:
    return [unpack_event(each.event).type for each in await api.store.streams.read(stream)]


async def booked(api: Api) -> dict[str, int]:
    """Units that v1 and v2 have booked tomorrow."""
    keys = [LedgerKey(each, "vans", "2026-03-03") for each in ("v1", "v2")]
    found = await api.store.market(api.market).capacity.ledger(keys)
    return {key.vendor_id: int.from_bytes(each.used[:2], "big") for key, each in found.items()}


async def test_before_an_offer_it_is_changed_in_place_and_history_keeps_both(town: Api) -> None:
    status, found = await amend(town, LATER | DOOR | {"notes": "ring twice", "priority": "urgent"})
    assert (status, found["request"]["state"]) == (200, "received")
    read = await view(town)
    assert read["asked"]["dropoff"] == DOOR["dropoff"]
    assert read["asked"]["priority"] == "urgent"
    (one,) = read["amendments"]
    assert (one["number"], one["outcome"], one["by"]) == (1, "made", "platform")
    assert set(one["fields"]) == {"pickup_window", "dropoff", "patient", "priority"}
    assert one["before"]["dropoff"] == trip("r1")["dropoff"]
    assert (read["history"][-1]["code"], read["match_by"]) == (
        "amended",
        read["asked"]["pickup_window"]["latest"],
    )
    assert "Canary" not in json.dumps(read)
    patient = (await town.call("GET", "/requests/r1/patient"))[1]
    assert patient == PATIENT | {"notes": "ring twice"}


async def test_a_window_that_was_an_appointment_and_back(town: Api) -> None:
    assert (await amend(town, {"appointment_at": (AT + timedelta(hours=3)).isoformat()}))[0] == 200
    asked = (await view(town))["asked"]
    assert "pickup_window" not in asked
    assert asked["appointment_at"]
    assert (await amend(town, LATER))[0] == 200
    assert "appointment_at" not in (await view(town))["asked"]


async def test_who_was_asked_is_relieved_and_may_be_asked_again_for_what_is_wanted_now(town: Api) -> None:
    await put_to(town, "v1")
    status, found = await amend(town, LATER)
    assert (status, found["request"]["state"]) == (200, "matching")
    attempt = found["request"]["attempts"][0]
    assert (attempt["state"], attempt["code"]) == ("cancelled", "amended")
    assert await booked(town) == {"v1": 0, "v2": 0}
    status, problem = await as_vendor(town, "POST", "/offers/r1.1/accept")
    assert (status, problem["type"]) == (409, "/problems/wrong-state")
    assert (await put_to(town, "v1"))[0] == 200


async def test_who_declined_the_old_may_be_asked_for_the_new(town: Api) -> None:
    await put_to(town, "v1")
    await answered(town, "r1.1", "decline", "v1")
    assert (await put_to(town, "v1"))[1]["rules"] == ["declined"]
    await amend(town, {"notes": "other"})
    assert (await put_to(town, "v1"))[0] == 409, "a note makes it no other work"
    town.clock.ms += 1
    await amend(town, LATER)
    assert (await put_to(town, "v1"))[0] == 200


async def test_a_vendor_that_agrees_keeps_its_work_and_its_booking_moves(town: Api) -> None:
    await accepted(town)
    status, found = await amend(town, LATER | {"notes": "new"})
    assert (status, found["request"]["state"]) == (200, "accepted")
    (asked,) = found["request"]["amendments"]
    assert (asked["outcome"], asked["offer_id"]) == ("pending", "r1.1")
    (offer,) = (await as_vendor(town, "GET", "/offers"))[1]["offers"]
    assert (offer["amendment"], offer["window"]["earliest"]) == (1, AT.isoformat().replace("+00:00", "Z"))
    _, proposed = await as_vendor(town, "GET", "/offers/r1.1/amendment")
    assert proposed["dispatch"]["offer"]["start_at"] == asked["start_at"]
    assert proposed["dispatch"]["patient"]["notes"] == "new"
    assert (await as_vendor(town, "GET", "/dispatches/r1.1"))[1]["patient"]["notes"] == "ring"
    status, offer = await answer(town, "agree")
    assert (status, offer["state"], offer["start_at"]) == (200, "accepted", asked["start_at"])
    assert (await answer(town, "agree"))[0] == 200, "said again"
    read = await view(town)
    assert (read["state"], read["match"]["start_at"]) == ("accepted", asked["start_at"])
    assert read["amendments"][0]["outcome"] == "agreed"
    assert await booked(town) == {"v1": 1, "v2": 0}
    keys = town.store.market(town.market).keys
    assert (await told(town, keys.stream("v1")))[-2:] == [
        "dispatch.amendment.proposed",
        "dispatch.dispatch.amended",
    ]
    assert "dispatch.amendment.agreed" in await told(town, keys.events)


async def test_what_goes_over_the_vendors_stream_has_neither_door_nor_patient(town: Api) -> None:
    await accepted(town)
    await amend(town, DOOR | {"notes": "canary-note"})
    entries = await town.store.streams.read(town.store.market(town.market).keys.stream("v1"))
    last = entries[-1].event
    assert b"dispatch.amendment.proposed" in last
    assert b"Canary" not in last
    assert b"canary-note" not in last
    assert "40.762" not in json.dumps(unpack_event(last).data)


@pytest.mark.parametrize("how", ["refuse", "silence"])
async def test_without_the_vendors_word_it_is_matched_again_as_it_is_wanted_and_a_person_knows(
    town: Api, how: str
) -> None:
    await accepted(town)
    await amend(town, LATER)
    if how == "refuse":
        assert (await answer(town, "refuse"))[1]["state"] == "cancelled"
        assert (await answer(town, "refuse"))[0] == 200, "said again"
    else:
        town.clock.ms = to_ms(AT) - 3_600_000
        assert await Timers(town.service).fire_due(town.market)
    read = await view(town)
    assert (read["state"], read.get("status")) == ("matching", None)
    assert read["asked"]["pickup_window"]["earliest"].startswith("2026-03-03T17:00")
    (task,) = read["tasks"]
    assert (await town.call("GET", f"/tasks/{task}"))[1]["kind"] == "amendment_refused"
    assert await booked(town) == {"v1": 0, "v2": 0}
    assert (await put_to(town, "v1"))[1]["rules"] == ["declined"]
    if how == "refuse":
        await accepted(town, "v2", "r1.2")
        assert (await town.call("GET", f"/tasks/{task}"))[1]["outcome"] == "settled"


async def test_a_vendor_that_may_not_do_it_so_is_not_asked_and_the_work_goes_on_elsewhere(town: Api) -> None:
    await accepted(town)
    status, found = await amend(town, {"level_of_service": "cct"})
    assert (status, found["request"]["state"]) == (200, "matching")
    assert found["request"]["attempts"][0]["code"] == "amendment_unfit"
    over, rules = found["request"]["amendments"][0], ["level_of_service", "pools"]
    assert (over["outcome"], over["rules"]) == ("unfit", rules)
    assert found["request"]["tasks"] == ["r1.1.amendment_refused"]
    assert (await town.call("GET", "/tasks/r1.1.amendment_refused"))[1]["rules"] == rules
    events = await town.store.streams.read(town.store.market(town.market).keys.events)
    told = [unpack_event(each.event) for each in events]
    assert [each.data["rules"] for each in told if each.type == "dispatch.amendment.refused"] == [rules]
    assert await booked(town) == {"v1": 0, "v2": 0}


async def test_room_that_was_taken_meanwhile_is_as_if_the_vendor_had_refused(town: Api) -> None:
    await accepted(town)
    await amend(town, LATER)
    await town.call("POST", "/requests", trip("r2", **LATER))
    assert (await put_to(town, "v1", "r2"))[0] == 200
    status, offer = await answer(town, "agree")
    assert (status, offer["state"]) == (200, "cancelled")
    assert (await answer(town, "agree"))[0] == 200
    read = await view(town)
    assert (read["state"], read["amendments"][0]["outcome"]) == ("matching", "unfit")
    assert read["amendments"][0]["rules"] == ["capacity"]
    assert await booked(town) == {"v1": 1, "v2": 0}


async def test_a_second_amendment_takes_the_place_of_the_first_and_has_both(town: Api) -> None:
    await accepted(town)
    await amend(town, LATER)
    _, found = await amend(town, DOOR)
    assert [each["outcome"] for each in found["request"]["amendments"]] == ["replaced", "pending"]
    assert found["request"]["amendments"][1]["fields"] == ["dropoff", "pickup_window"]
    status, problem = await answer(town, "agree", 1)
    assert (status, problem["type"]) == (409, "/problems/wrong-state")
    assert (await answer(town, "agree", 2))[0] == 200
    asked = (await view(town))["asked"]
    assert (asked["dropoff"], asked["pickup_window"]["earliest"]) == (DOOR["dropoff"], "2026-03-03T17:00:00Z")


async def test_amended_back_nobody_need_answer(town: Api) -> None:
    await accepted(town)
    await amend(town, DOOR)
    _, found = await amend(town, {"dropoff": trip("r1")["dropoff"]})
    assert found["request"]["amendments"][0]["outcome"] == "withdrawn"
    assert (await as_vendor(town, "GET", "/offers/r1.1/amendment"))[0] == 404
    assert (await answer(town, "refuse"))[0] == 409
    assert (await view(town))["state"] == "accepted"
    assert (await told(town, town.store.market(town.market).keys.stream("v1")))[
        -1
    ] == "dispatch.amendment.withdrawn"


async def test_a_note_needs_no_agreement_and_its_vendor_is_told(town: Api) -> None:
    await accepted(town)
    _, found = await amend(town, {"notes": "use the side door"})
    assert found["request"]["amendments"][0]["outcome"] == "made"
    assert (await as_vendor(town, "GET", "/dispatches/r1.1"))[1]["patient"]["notes"] == "use the side door"
    assert (await told(town, town.store.market(town.market).keys.stream("v1")))[
        -1
    ] == "dispatch.dispatch.amended"


async def test_on_board_only_the_destination_changes_and_a_refusal_leaves_it_as_it_was(town: Api) -> None:
    await accepted(town)
    town.clock.ms = to_ms(AT)
    assert (await as_vendor(town, "POST", "/dispatches/r1.1/status", {"status": "on_board"}))[0] == 200
    status, problem = await amend(town, DOOR | {"level_of_service": "stretcher"})
    assert (status, problem["tracking_status"]) == (409, "on_board")
    assert "level_of_service" in problem["detail"]
    assert (await amend(town, DOOR))[1]["request"]["amendments"][0]["outcome"] == "pending"
    assert (await answer(town, "refuse"))[1]["state"] == "accepted"
    read = await view(town)
    assert (read["state"], read["asked"]["dropoff"]) == ("in_progress", trip("r1")["dropoff"])
    assert read["tasks"] == ["r1.1.amendment_refused"]
    assert (await amend(town, DOOR))[0] == 200
    assert (await answer(town, "agree", 2))[0] == 200
    assert (await view(town))["asked"]["dropoff"] == DOOR["dropoff"]


async def test_a_dispatch_that_is_turned_back_meanwhile_is_matched_as_it_is_wanted(town: Api) -> None:
    await accepted(town)
    await amend(town, LATER)
    await as_vendor(town, "POST", "/dispatches/r1.1/status", {"status": "turned_back"})
    read = await view(town)
    assert (read["state"], read["amendments"][0]["outcome"]) == ("matching", "turned_back")
    assert read["match_by"] == "2026-03-03T17:30:00Z"


@pytest.mark.parametrize("end", ["cancelled", "completed"])
async def test_what_has_ended_is_not_amended_and_ends_what_was_pending(town: Api, end: str) -> None:
    await accepted(town)
    await amend(town, DOOR)
    if end == "cancelled":
        await town.call("POST", "/requests/r1/cancel")
    else:
        town.clock.ms = to_ms(AT) - 600_000
        await as_vendor(town, "POST", "/dispatches/r1.1/status", {"status": "completed"})
    read = await view(town)
    assert (read["state"], read["amendments"][0]["outcome"]) == (end, "dropped")
    assert read.get("tasks", []) == ([] if end == "cancelled" else ["r1.1.amendment_refused"])
    status, problem = await amend(town, LATER)
    assert (status, problem["type"]) == (409, "/problems/wrong-state")


@pytest.mark.parametrize(
    ("patch", "status", "word"),
    [
        ({}, 422, "nothing is to be changed"),
        ({"kind": "equipment"}, 422, "kind"),
        ({"colour": "red"}, 422, "colour"),
        ({"lines": [{"hcpcs": "E1390"}]}, 422, "a request of kind trip has no lines"),
        ({"window": LATER["pickup_window"]}, 422, "Maybe pickup_window or appointment_at was meant."),
        (LATER | {"appointment_at": AT.isoformat()}, 422, "of them alone"),
        ({"appointment_at": (NOW - timedelta(days=1)).isoformat()}, 422, "and it is"),
        ({"match_by": (NOW - timedelta(days=1)).isoformat()}, 422, "match_by of request r1 has passed"),
        ({"patient": {"name": ""}}, 422, "patient"),
    ],
)
async def test_what_cannot_be_meant_changes_nothing(
    town: Api, patch: dict[str, Any], status: int, word: str
) -> None:
    before = await view(town)
    found, problem = await amend(town, patch)
    assert (found, word in json.dumps(problem)) == (status, True), problem
    assert await view(town) == before


async def test_requote_says_what_it_would_cost_and_changes_nothing(town: Api) -> None:
    await accepted(town)
    before = await view(town)
    status, found = await amend(town, {"dropoff": {"position": [-73.80, 40.70]}, "requote": True})
    assert status == 200
    assert found["kept"]["price_cents"] > before["match"]["price_cents"]
    assert {each["vendor_id"] for each in found["quotes"]["quotes"]} == {"v2"}, (
        "v1 has one van, and it is out"
    )
    assert (await amend(town, {"level_of_service": "cct", "requote": True}))[1].get("kept") is None
    assert await view(town) == before
    assert (await as_vendor(town, "GET", "/offers/r1.1/amendment"))[0] == 404


async def test_the_same_key_has_one_effect_and_another_body_under_it_is_refused(town: Api) -> None:
    await accepted(town)
    for _ in range(2):
        assert (await amend(town, LATER, Idempotency_Key="once"))[0] == 200
    assert (await amend(town, DOOR, Idempotency_Key="once"))[1]["type"] == "/problems/id-reused"
    assert (await amend(town, LATER))[0] == 200, "what its vendor is asked already, asks it nothing new"
    assert len((await view(town))["amendments"]) == 1
    assert (await answer(town, "refuse"))[0] == 200
    assert (await amend(town, LATER, Idempotency_Key="once"))[1]["request"]["state"] == "matching"


async def test_what_was_submitted_is_the_same_request_however_it_was_amended_since(town: Api) -> None:
    submitted = trip("r1", patient=PATIENT)
    await amend(town, LATER)
    await amend(town, DOOR | {"notes": "x"})
    assert (await town.call("POST", "/requests", submitted))[0] == 202
    for other in (
        submitted | LATER,
        submitted | {"patient": PATIENT | {"notes": "x"}},
        (await view(town))["asked"],
    ):
        status, problem = await town.call("POST", "/requests", other)
        assert (status, problem["type"]) == (422, "/problems/id-reused")
    assert (await view(town))["asked"]["dropoff"] == DOOR["dropoff"]


async def test_amending_and_accepting_at_the_same_time_leave_one_work(town: Api) -> None:
    for number in range(1, 5):
        assert (await put_to(town, "v1"))[0] == 200
        hour = {
            "earliest": (AT + timedelta(minutes=number)).isoformat(),
            "latest": LATER["pickup_window"]["latest"],
        }
        (first, _), (second, _) = await asyncio.gather(
            as_vendor(town, "POST", f"/offers/r1.{number}/accept"), amend(town, {"pickup_window": hour})
        )
        read = await view(town)
        assert (first, second, read["state"]) in [(200, 200, "accepted"), (409, 200, "matching")]
        assert (await booked(town))["v1"] == (read["state"] == "accepted")
        if read["state"] == "accepted":
            assert read["amendments"][-1]["outcome"] == "pending"
            break


async def test_amending_cancelling_and_answering_at_the_same_time_lose_nothing(town: Api) -> None:
    await accepted(town)
    await amend(town, LATER)
    found = await asyncio.gather(
        answer(town, "agree"),
        amend(town, DOOR),
        town.call("POST", "/requests/r1/cancel"),
        amend(town, {"notes": "y"}),
    )
    assert {status for status, _ in found} <= {200, 409}
    read = await view(town)
    assert read["state"] == "cancelled"
    assert all(each["outcome"] != "pending" for each in read["amendments"])
    assert await booked(town) == {"v1": 0, "v2": 0}


async def test_without_the_patient_key_nothing_is_amended(town: Api) -> None:
    before = await view(town)
    town.store.vault.take(LACKING)
    status, problem = await amend(town, LATER)
    assert (status, problem["type"]) == (503, "/problems/patient-key-missing")
    town.store.vault.take(RING)
    assert await view(town) == before


async def test_another_vendor_is_not_asked_and_learns_nothing(town: Api) -> None:
    await accepted(town)
    await amend(town, LATER)
    for how in ("agree", "refuse"):
        assert (await answer(town, how, name="v2"))[0] == 404
    assert (await as_vendor(town, "GET", "/offers/r1.1/amendment", name="v2"))[0] == 404
    assert (await answer(town, "agree", 7))[0] == 404


async def test_a_request_is_amended_so_often_and_no_more(town: Api) -> None:
    for number in range(17):
        status, found = await amend(town, {"notes": f"note {number}"})
        assert status == (200 if number < 16 else 409), found
    assert len((await view(town))["amendments"]) == 16


async def test_a_vendor_is_asked_for_another_start_by_the_service_and_keeps_its_work(town: Api) -> None:
    wide = {"earliest": AT.isoformat(), "latest": (AT + timedelta(hours=5)).isoformat()}
    ride = trip("home", after=[{"request": "r1"}], pickup_window=wide, patient=PATIENT | {"name": "Other"})
    assert (await town.call("POST", "/requests", ride))[0] == 202
    await accepted(town)
    assert (await put_to(town, "v2", "home"))[0] == 200
    await answered(town, "home.1", "accept", "v2")
    assert (await amend(town, LATER))[0] == 200
    assert (await answer(town, "agree"))[0] == 200
    assert await of_sequence(town) == [("sequence_at_risk", "", "amendRequest")]
    retimer = Quoter(town.store, town.clock, {town.market: ZoneInfo("America/New_York")})
    assert await Timers(town.service, retimer=retimer).fire_due(town.market) == 1
    assert await of_sequence(town) == [("sequence_at_risk", "pending", "releaseRequest")]
    status, asked = await as_vendor(town, "GET", "/offers/home.1/amendment", name="v2")
    assert (status, asked["fields"], asked["number"]) == (200, ["start_at"], 1)
    assert asked["dispatch"]["offer"]["start_at"] > LATER["pickup_window"]["earliest"]
    assert asked["dispatch"]["patient"]["name"] == "Other"
    _, read = await town.call("GET", "/requests/home")
    (one,) = read["amendments"]
    assert (one["by"], one["outcome"], "proposed" in one) == ("service", "pending", False)
    number = {"number": 1}
    status, found = await as_vendor(town, "POST", "/offers/home.1/amendment/agree", number, name="v2")
    assert (status, found["start_at"]) == (200, asked["dispatch"]["offer"]["start_at"])
    assert await of_sequence(town) == []


async def of_sequence(api: Api) -> list[tuple[str, str, str]]:
    _, page = await api.call("GET", "/tasks", role=Role.COORDINATOR)
    return [(each["kind"], each.get("retiming", ""), each["could"][0]) for each in page["tasks"]]


async def test_a_vendor_hears_of_its_work_and_not_of_whom_a_coordinator_prefers_or_excludes(
    town: Api,
) -> None:
    await accepted(town)
    more = {"excluded_vendors": ["v2"], "preferred_vendors": ["v7"], "priority": "urgent"}
    status, found = await amend(town, LATER | more)
    assert status == 200, found
    assert set(found["request"]["amendments"][-1]["fields"]) == {*LATER, *more}
    _, asked = await as_vendor(town, "GET", "/offers/r1.1/amendment")
    assert set(asked["fields"]) == {"pickup_window", "priority"}
    assert (await answer(town, "agree"))[0] == 200
    heard = [
        each.event for each in await town.store.streams.read(town.store.market(town.market).keys.stream("v1"))
    ]
    assert any(b"pickup_window" in each for each in heard)
    assert not any(b"excluded_vendors" in each or b"v7" in each for each in heard)
