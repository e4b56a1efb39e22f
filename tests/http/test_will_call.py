"""A round trip over HTTP: there by appointment, back as a will-call that somebody activates."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from contracts.codes import Role
from contracts.instants import to_instant
from tests.http.conftest import FACILITY, NOW, Api, trip
from tests.http.test_by_hand import add, put_to
from tests.http.test_offers import offer, offered

DAY = "2026-03-03"  # of `trip`, tomorrow


def will_call(request_id: str, day: str = DAY, **changes: Any) -> dict[str, Any]:
    ride = trip(request_id, will_call={"day": day}, **changes)
    del ride["pickup_window"]
    return ride


async def activate(api: Api, name: str = "back", role: Role = Role.PLATFORM, **body: Any) -> tuple[int, Any]:
    return await api.call("POST", f"/requests/{name}/activate", body or None, role=role)


async def test_a_round_trip_waits_for_its_call_and_is_found_from_then_on(api: Api) -> None:
    batch = {"requests": [trip("there"), will_call("back", return_of="there")]}
    assert (await api.call("POST", "/requests", batch))[0] == 202
    _, view = await api.call("GET", "/requests/back")
    assert (view["state"], view["owner"], view["return_of"]) == ("on_hold", "care_coordinator", "there")
    assert view["waits_for"] == [{"requirement": "activation", "owner": "care_coordinator"}]
    assert view["window"] == {"earliest": "2026-03-03T05:00:00Z", "latest": "2026-03-04T05:00:00Z"}
    api.clock.ms += 24 * 3_600_000
    status, called = await activate(api)
    assert (status, called["state"], called["activated_at"]) == (200, "received", "2026-03-03T15:00:00Z")
    assert called["window"] == {"earliest": "2026-03-03T15:00:00Z", "latest": "2026-03-03T16:00:00Z"}
    assert await activate(api) == (200, called), "called again, it is the same answer"
    same = (NOW + timedelta(hours=24, seconds=30)).isoformat()
    assert await activate(api, ready_at=same) == (200, called), "two desks say one time"


async def test_called_again_for_another_time_it_is_sought_for_that_until_a_vendor_is_asked(api: Api) -> None:
    await offered(api)  # v1 has room for two
    await api.call("POST", "/requests", will_call("back", "2026-03-02"))
    await activate(api)
    now = to_instant(api.clock.ms)
    later = now + timedelta(hours=2)
    status, view = await activate(api, ready_at=later.isoformat())
    assert (status, view["state"]) == (200, "received")
    assert view["window"] == {"earliest": "2026-03-02T10:00:00Z", "latest": "2026-03-02T11:00:00Z"}
    status, problem = await activate(api, ready_at=(now + timedelta(hours=24)).isoformat())
    assert (status, problem["type"]) == (422, "/problems/invalid-request"), "not of its day"
    assert (await api.store.market(api.market).calls.of(["2026-03"])).total() == 1, "counted once"
    await offer(api, "back")
    status, problem = await activate(api, ready_at=now.isoformat())
    assert (status, problem["type"]) == (409, "/problems/wrong-state")
    assert "write to its vendor" in problem["detail"]
    assert (await activate(api))[0] == 200
    assert (await api.call("GET", "/requests/back"))[1]["window"] == view["window"]


@pytest.mark.parametrize(
    ("role", "status"),
    [
        (Role.PLATFORM, 200),
        (Role.COORDINATOR, 200),
        (Role.OPS, 200),
        (Role.CASE_MANAGER, 403),
        (Role.VENDOR, 403),
        (Role.FACILITY, 200),
    ],
)
async def test_who_coordinates_may_activate(api: Api, role: Role, status: int) -> None:
    await api.call("POST", "/requests", will_call("back", "2026-03-02", facility=FACILITY))
    told, _ = await api.call(
        "POST", "/requests/back/activate", role=role, vendor="v1" if role is Role.VENDOR else ""
    )
    assert told == status


def desk(api: Api, facility: str = FACILITY) -> dict[str, str]:
    token = api.token(Role.FACILITY, facility_id=facility, subject="nurse jo")
    return {"Authorization": f"Bearer {token}"}


async def test_a_facility_says_that_its_own_passenger_is_ready_and_reads_no_more_than_when(api: Api) -> None:
    ride = will_call("back", "2026-03-02", facility=FACILITY, patient={"name": "Canary Wren"})
    await api.call("POST", "/requests", ride)
    path = "/requests/back/activate"
    status, view = await api.call("POST", path, **desk(api))
    assert (status, view["state"], view["activated_at"]) == (200, "received", "2026-03-02T15:00:00Z")
    assert set(view) == {
        *("id", "kind", "state", "owner", "version", "received_at", "match_by", "window", "activated_at")
    }
    assert await api.call("POST", path, **desk(api)) == (200, view), "said again, it is the same answer"
    step = (await api.call("GET", "/requests/back"))[1]["history"][-1]
    assert (step["code"], step["by"], step["subject"]) == ("activated", f"facility:{FACILITY}", "nurse jo")
    for method, other in (("GET", "/requests/back"), ("POST", "/requests/back/cancel"), ("GET", "/episodes")):
        assert (await api.call(method, other, **desk(api)))[0] == 403


async def test_a_facility_hears_nothing_of_the_ride_there_while_that_is_not_over(api: Api) -> None:
    await add(api, "v1")
    back = will_call("back", facility=FACILITY, return_of="there")
    assert (await api.call("POST", "/requests", {"requests": [trip("there"), back]}))[0] == 202
    assert (await put_to(api, "v1", "there"))[0] == 200
    ready = {"ready_at": (NOW + timedelta(days=1, minutes=1)).isoformat()}
    status, problem = await api.call("POST", "/requests/back/activate", ready, **desk(api))
    assert (status, problem["request_id"]) == (422, "back")
    assert "there ends" not in problem["detail"]
    assert "Maybe call the coordinator" in problem["detail"]


@pytest.mark.parametrize("own", ["", "clinic-4"])
async def test_what_is_another_facilitys_is_a_404_in_the_words_for_what_is_not_there(
    api: Api, own: str
) -> None:
    facts = {"facility": own} if own else {}
    await api.call("POST", "/requests", will_call("back", "2026-03-02", **facts))
    status, problem = await api.call("POST", "/requests/back/activate", **desk(api))
    _, absent = await api.call("POST", "/requests/none/activate", **desk(api))
    assert (status, problem["detail"].replace("back", "none")) == (404, absent["detail"])
    assert set(problem) == set(absent)
    assert (await api.call("GET", "/requests/back"))[1]["state"] == "on_hold"


async def test_what_cannot_be_meant_is_refused_with_what_may_fix_it(api: Api) -> None:
    await api.call("POST", "/requests", trip("there"))
    for wrong, words in (
        (trip("r2", will_call={"day": DAY}), "one of them alone"),
        (will_call("r2", hold="activation"), "said by `will_call`"),
        (will_call("r2", match_by=NOW.isoformat()), "takes no match_by"),
        (will_call("r2", return_of="r2"), "no return of itself"),
        (will_call("r2", "1999-01-01"), "no calendar of ours"),
        (will_call("r2", "2026-03-01"), "Maybe its day is a wrong one"),
        (will_call("r2", return_of="r9"), "r9, which is not there"),
    ):
        status, problem = await api.call("POST", "/requests", wrong)
        assert status in {400, 422}, problem
        assert words in str(problem)
    await api.call("POST", "/requests", will_call("back", return_of="there"))
    status, problem = await activate(api)
    assert (status, problem["type"].rpartition("/")[2]) == (422, "invalid-request")
    assert "is not from 2026-03-03T00:00:00-05:00 and before 2026-03-04T00:00:00-05:00" in problem["detail"]
    for step, words in (("resume", "activate it"), ("hold", "")):
        body = {"requirement": "activation"} if step == "resume" else {"reason": "activation"}
        status, problem = await api.call("POST", f"/requests/back/{step}", body)
        assert (status, words in str(problem)) == (409 if step == "resume" else 200, True)


async def test_a_will_call_has_no_quote(api: Api) -> None:
    status, problem = await api.call("POST", "/quotes", will_call("back"))
    assert (status, "no time to quote for" in problem["detail"]) == (422, True)


async def test_metrics_count_who_has_not_been_called(api: Api) -> None:
    await api.call("POST", "/requests", {"requests": [will_call("back"), will_call("other")]})
    async with api.client.get("/metrics") as response:
        assert f'dispatcher_will_calls{{market="{api.market}"}} 2.0' in await response.text()


async def test_a_will_call_is_amended_in_all_but_its_time_and_stays_pressing(api: Api) -> None:
    await api.call("POST", "/requests", will_call("back", "2026-03-02"))
    near = {"dropoff": {"position": [-73.96, 40.77]}}
    status, view = await api.call("POST", "/requests/back/amend", near)
    waits = view["request"]["waits_for"]
    assert (status, waits) == (200, [{"requirement": "activation", "owner": "care_coordinator"}])
    _, called = await activate(api)
    status, view = await api.call("POST", "/requests/back/amend", {"dropoff": {"position": [-73.95, 40.77]}})
    assert (status, view["request"]["window"]) == (200, called["window"])
    record = await api.store.market(api.market).requests.records.get("back")
    assert record is not None
    assert record.priority == "asap"
    status, problem = await api.call(
        "POST", "/requests/back/amend", {"pickup_window": trip("x")["pickup_window"]}
    )
    assert (status, "Maybe activate it" in problem["detail"]) == (422, True)


async def test_there_and_back_of_one_patient_are_no_duplicates_and_two_will_calls_of_a_day_are(
    api: Api,
) -> None:
    patient = {"name": "Canary Wren", "record_number": "MRN 1"}
    legs = [trip("there", patient=patient), will_call("back", return_of="there", patient=patient)]
    assert (await api.call("POST", "/requests", {"requests": legs}))[0] == 202
    status, problem = await api.call("POST", "/requests", will_call("again", patient=patient))
    assert (status, problem["type"].rpartition("/")[2]) == (409, "possible-duplicate")


async def test_a_way_back_is_that_of_the_same_patient_also_when_either_is_amended(api: Api) -> None:
    wren, finch = ({"name": f"Canary {each}", "record_number": f"C {each}"} for each in ("wren", "finch"))
    back = will_call("back", return_of="there", patient=finch)
    batch = {"requests": [trip("there", patient=wren), back]}
    status, problem = await api.call("POST", "/requests", batch)
    assert (status, problem["request_ids"]) == (422, ["back", "there"])
    assert (await api.call("POST", "/requests", trip("there", patient=wren)))[0] == 202
    assert (await api.call("POST", "/requests", back))[0] == 422
    assert (await api.call("POST", "/requests", back | {"patient": wren}))[0] == 202
    for name in ("there", "back"):
        status, problem = await api.call("POST", f"/requests/{name}/amend", {"patient": finch})
        assert (status, problem["request_ids"]) == (422, ["back", "there"]), name
        assert "anary" not in str(problem)
