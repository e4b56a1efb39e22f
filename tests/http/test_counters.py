"""A vendor would do it otherwise: what is hardly more is taken at once, on the rest a person decides."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from contracts.codes import Role
from contracts.tuning import TuningUpdate
from dispatcher.audit.auditor import audit
from tests.domain import make
from tests.http.conftest import Api, trip
from tests.http.test_authorizations import FACTS
from tests.http.test_by_hand import AT, DAY, add, answered, put_to
from tests.http.test_versions import POOLS

OFFER = "/offers/r1.1"
LATER = {"start_at": (AT + timedelta(minutes=20)).isoformat()}  # within the window of half an hour
BEYOND = {"start_at": (AT + timedelta(minutes=50)).isoformat()}


@pytest.fixture
async def town(api: Api) -> Api:
    """Two vendors with a van each; a ride tomorrow at ten, put to the first."""
    for name in ("v1", "v2"):
        await add(api, name)
    await api.call("POST", "/requests", trip("r1"))
    assert (await put_to(api, "v1"))[0] == 200
    return api


async def counter(api: Api, body: Any, vendor: str = "v1") -> tuple[int, Any]:
    return await api.call("POST", f"{OFFER}/counter", body, role=Role.VENDOR, vendor=vendor)


async def answer(api: Api, step: str, number: int = 1, role: Role = Role.COORDINATOR) -> tuple[int, Any]:
    return await api.call("POST", f"{OFFER}/counter/{step}", {"number": number}, role=role)


async def tasks(api: Api) -> list[dict[str, Any]]:
    _, page = await api.call("GET", "/tasks", role=Role.OPS)
    return [each for each in page["tasks"] if each["kind"] == "counter_offer"]


async def test_another_start_within_the_window_at_the_same_price_is_taken_at_once(town: Api) -> None:
    status, offer = await counter(town, LATER)
    assert (status, offer["state"], offer["counter"]["state"]) == (200, "accepted", "taken")
    assert offer["start_at"] == LATER["start_at"].replace("+00:00", "Z")
    assert await counter(town, LATER) == (200, offer), "said again, it is the same"
    for other in ({"price_cents": 99_000}, {"level_of_service": "stretcher"}):
        status, problem = await counter(town, LATER | other)
        assert (status, problem["state"]) == (409, "accepted"), "something else is not"
    _, view = await town.call("GET", "/requests/r1")
    assert (view["state"], view["match"]["start_at"]) == ("accepted", offer["start_at"])
    assert await tasks(town) == []


async def test_what_costs_more_waits_for_a_person_and_the_offer_stays_good(town: Api) -> None:
    _, before = await town.call("GET", "/offers", role=Role.VENDOR, vendor="v1")
    price = before["offers"][0]["price_cents"]
    status, offer = await counter(town, LATER | {"price_cents": price + 500})
    assert (status, offer["state"], offer["price_cents"]) == (200, "requested", price)
    (task,) = await tasks(town)
    assert (task["offer_id"], task["owner"]) == ("r1.1", "care_coordinator")
    assert task["due_at"] <= offer["expires_at"]
    _, view = await town.call("GET", "/requests/r1")
    told = view["attempts"][0]["counter"]
    assert (told["more_cents"], told["start_shift_minutes"], told["outside_window_minutes"]) == (500, 20, 0)
    await answered(town, "r1.1", "accept", "v1")
    _, view = await town.call("GET", "/requests/r1")
    assert (view["state"], view["match"]["price_cents"]) == ("accepted", price)
    assert view["attempts"][0]["counter"]["state"] == "lapsed"
    status, problem = await answer(town, "take")
    assert (status, "its counter-offer cannot be answered any more" in problem["detail"]) == (409, True)
    assert await tasks(town) == []


async def test_a_person_takes_it_and_the_vendor_has_the_work_so(town: Api) -> None:
    _, offer = await counter(town, {"price_cents": 9_900})
    assert offer["counter"]["number"] == 1
    status, view = await answer(town, "take")
    assert (status, view["state"], view["match"]["price_cents"]) == (200, "accepted", 9_900)
    lines = view["attempts"][0]["price_lines"]
    assert sum(each["cents"] for each in lines) == 9_900
    assert lines[-1]["kind"] == "agreed"
    assert (await answer(town, "take"))[1]["version"] == view["version"]
    assert await tasks(town) == []


async def test_a_start_outside_the_window_is_a_persons_to_take_and_widens_it(town: Api) -> None:
    _, offer = await counter(town, BEYOND)
    assert (offer["state"], offer["counter"]["outside_window_minutes"]) == ("requested", 20)
    status, view = await answer(town, "take", role=Role.PLATFORM)
    at = BEYOND["start_at"].replace("+00:00", "Z")
    assert (status, view["match"]["start_at"], view["window"]["latest"]) == (200, at, at)
    assert (view["amendments"][0]["fields"], view["amendments"][0]["outcome"]) == (["pickup_window"], "made")
    _, whole = await town.call("GET", "/requests/r1")
    assert whole["asked"]["pickup_window"]["latest"] == at, "the body says so, too"


async def test_refused_the_offer_is_open_as_it_was_made_and_its_vendor_is_told(town: Api) -> None:
    _, before = await counter(town, {"price_cents": 9_900})
    status, view = await answer(town, "refuse")
    assert (status, view["state"], view["attempts"][0]["counter"]["state"]) == (200, "offered", "refused")
    assert await tasks(town) == []
    assert (await answer(town, "take"))[0] == 409
    _, again = await counter(town, {"price_cents": 9_800})
    assert (again["state"], again["counter"]["number"], again["price_cents"]) == (
        "requested",
        2,
        before["price_cents"],
    )
    assert (await answer(town, "take", number=1))[0] == 409, "another was made since"
    assert [each["id"] for each in await tasks(town)] == ["r1.1.counter_offer_1"]


async def test_a_vehicle_that_does_not_carry_the_patient_is_no_counter_offer(town: Api) -> None:
    status, problem = await counter(town, {"level_of_service": "ambulatory"})
    assert (status, problem["rules"]) == (409, ["level_of_service"])
    assert "bariatric_wheelchair" in problem["detail"]


async def test_a_price_alone_can_be_taken_of_a_vendor_that_is_paused_since(town: Api) -> None:
    await counter(town, {"price_cents": 9_900})
    await town.call("POST", "/vendors/v1/pause", {"reason": "a test"}, role=Role.OPS)
    status, view = await answer(town, "take")
    assert (status, view["state"], view["match"]["price_cents"]) == (200, "accepted", 9_900)


async def test_a_vendor_that_has_no_room_there_is_told_by_which_rule(town: Api) -> None:
    await town.call("POST", "/requests", trip("r2"))
    other = await put_to(town, "v2", "r2", start_at=BEYOND["start_at"])
    assert other[0] == 409, "outside its window"
    late = {"earliest": BEYOND["start_at"], "latest": BEYOND["start_at"]}
    await town.call("POST", "/requests/r2/amend", {"pickup_window": late})
    assert (await put_to(town, "v1", "r2"))[0] == 200
    status, problem = await counter(town, BEYOND)
    assert (status, problem["rules"]) == (409, ["capacity"])


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"price_cents": -1}, 422),
        ({"start_at": "1999-01-01T00:00:00Z"}, 422),
        ({"level_of_service": "rocket"}, 422),
        ({"start_at": (AT - timedelta(days=3)).isoformat()}, 409),
    ],
)
async def test_what_says_nothing_or_cannot_be_meant_is_refused(
    town: Api, body: dict[str, Any], status: int
) -> None:
    assert (await counter(town, body))[0] == status


async def test_the_same_as_offered_is_no_counter_offer_and_anothers_offer_is_not_there(town: Api) -> None:
    _, listed = await town.call("GET", "/offers", role=Role.VENDOR, vendor="v1")
    same = {"price_cents": listed["offers"][0]["price_cents"]}
    assert (await counter(town, same))[0] == 422
    assert (await counter(town, LATER, vendor="v2"))[0] == 404
    assert (await answer(town, "take", role=Role.CASE_MANAGER))[0] == 403
    assert (await answer(town, "take"))[0] == 404, "there is none"


async def test_of_an_expired_offer_nothing_is_countered(town: Api) -> None:
    town.clock.ms += 24 * 3_600_000
    assert (await counter(town, {"price_cents": 9_900}))[0] == 409


async def test_tuning_says_what_is_hardly_more(town: Api) -> None:
    update = TuningUpdate(values={"counter_take_cents": -1}, reason="a person decides on each")
    body = {"values": update.values, "reason": update.reason}
    assert (await town.call("PUT", "/tuning", body, role=Role.OPS))[0] < 300
    assert (await counter(town, LATER))[1]["state"] == "requested"


async def test_a_vendor_hears_nothing_of_what_else_the_passenger_has_then(api: Api) -> None:
    await add(api, "v1")
    wren, at = {"name": "Canary Wren", "record_number": "C 1"}, AT + timedelta(hours=6)
    window = {"earliest": at.isoformat(), "latest": (at + timedelta(minutes=30)).isoformat()}
    await api.call("POST", "/requests", trip("r1", patient=wren))
    await api.call("POST", "/requests", trip("other", patient=wren, pickup_window=window))
    assert (await put_to(api, "v1"))[0] == 200
    status, problem = await counter(api, {"start_at": at.isoformat()})
    assert (status, problem["type"], problem["rules"]) == (409, "/problems/does-not-fit", ["sequence"])
    assert "other" not in str(problem).replace("another", "")
    assert "patient" not in str(problem)


async def test_level_and_price_that_were_agreed_stay_when_the_ride_is_amended_until_another_level_is(
    api: Api,
) -> None:
    fares = [
        {"level_of_service": level, "base_cents": cents}
        for level, cents in (("wheelchair", 4_000), ("stretcher", 9_000))
    ]
    await add(api, "v1", levels_of_service=["wheelchair", "stretcher"], rate_card={"fares": fares})
    pools = [{"id": each, "serves": [each], "units": [1]} for each in ("wheelchair", "stretcher")]
    posted = {"kind": "pools", "pools": pools}
    await api.call("PUT", f"/vendors/v1/capacity/{DAY}", posted, role=Role.OPS, if_match='"1"')
    await api.call("POST", "/requests", trip("r1"))
    assert (await put_to(api, "v1"))[0] == 200
    await counter(api, {"level_of_service": "stretcher", "price_cents": 9_900})
    assert (await answer(api, "take"))[0] == 200
    elsewhere, agree = {"dropoff": {"position": [-73.953, 40.762]}}, f"{OFFER}/amendment/agree"
    for number, patch, pool, level, cents in (
        (1, elsewhere, "stretcher", "stretcher", 9_900),
        (2, {"level_of_service": "stretcher"}, "stretcher", "stretcher", 9_000),
        (3, {"level_of_service": "wheelchair"}, "wheelchair", "wheelchair", 4_000),
    ):
        assert (await api.call("POST", "/requests/r1/amend", patch))[0] == 200
        path = f"{OFFER}/amendment"
        _, asked = await api.call("GET", path, role=Role.VENDOR, vendor="v1")
        wanted = asked["dispatch"]["offer"]
        assert (wanted["level_of_service"], wanted["price_cents"]) == (level, cents)
        status, offer = await api.call("POST", agree, {"number": number}, role=Role.VENDOR, vendor="v1")
        assert (status, offer["level_of_service"], offer["price_cents"]) == (200, level, cents)
        _, view = await api.call("GET", "/requests/r1")
        assert view["match"]["pool_id"] == pool
    assert (await audit(api.store.reader, api.market))["findings"] == []


async def test_outside_its_authorization_nobody_takes_it_and_the_offer_stays_good(api: Api) -> None:
    """Within the window, too, where it would be taken by itself."""
    patient = {"patient": {"name": "Canary Wren", "record_number": "C 17"}}
    issued = FACTS | patient | {"first_day": DAY, "last_day": DAY}
    assert (await api.call("PUT", "/authorizations/a1", issued, role=Role.CASE_MANAGER))[0] == 201
    await add(api, "v1")
    night = datetime(2026, 3, 4, 4, 45, tzinfo=UTC)  # a quarter to midnight in New York
    window = {"earliest": night.isoformat(), "latest": (night + timedelta(minutes=30)).isoformat()}
    ride = trip("r1", authorization="a1", pickup_window=window)
    assert (await api.call("POST", "/requests", ride | patient))[0] == 202
    await api.call("PUT", "/vendors/v1/capacity/2026-03-04", POOLS, role=Role.OPS)
    assert (await put_to(api, "v1"))[0] == 200
    for minutes in (20, 50):
        _, offer = await counter(api, {"start_at": (night + timedelta(minutes=minutes)).isoformat()})
        assert (offer["state"], offer["counter"]["state"]) == ("requested", "pending")
        status, problem = await answer(api, "take", offer["counter"]["number"])
        assert (status, "authorization_expired" in problem["detail"]) == (409, True)
    await answered(api, "r1.1", "accept", "v1")
    _, view = await api.call("GET", "/requests/r1")
    assert (view["state"], view["asked"]["pickup_window"]["latest"]) == (
        "accepted",
        window["latest"].replace("+00:00", "Z"),
    )


async def test_another_level_draws_on_what_authorizes_that_level_or_is_not_taken(api: Api) -> None:
    """And once that vendor has given it back, what was asked for draws on what it would have."""
    wanted = {"authorization_wheelchair": 1, "authorization_stretcher": 1}
    assert (await api.call("PUT", "/tuning", {"values": wanted, "reason": "payer"}, role=Role.OPS))[0] == 200
    patient = {"patient": {"name": "Canary Wren", "record_number": "C 17"}}
    issued = FACTS | patient | {"first_day": DAY, "last_day": DAY}
    await api.call("PUT", "/authorizations/a1", issued, role=Role.CASE_MANAGER)
    fares = [{"level_of_service": each, "base_cents": 4_000} for each in ("wheelchair", "stretcher")]
    pools = [{"id": each, "serves": [each], "units": [1]} for each in ("wheelchair", "stretcher")]
    levels = {"levels_of_service": ["wheelchair", "stretcher"], "rate_card": {"fares": fares}}
    for name in ("v1", "v2"):
        await add(api, name, **levels)
        posted = {"kind": "pools", "pools": pools}
        await api.call("PUT", f"/vendors/{name}/capacity/{DAY}", posted, role=Role.OPS, if_match='"1"')

    async def used(name: str) -> int:
        _, view = await api.call("GET", f"/authorizations/{name}", role=Role.CASE_MANAGER)
        return int(view["used"])

    await api.call("POST", "/requests", trip("r1") | patient)
    assert (await put_to(api, "v1"))[0] == 200
    await counter(api, {"level_of_service": "stretcher"})
    status, problem = await answer(api, "take")
    assert (status, problem["type"]) == (409, "/problems/wrong-state")
    assert f"authorization_other_service, for stretcher at {AT.isoformat()}" in problem["detail"]
    other = issued | {"number": "PA-78", "services": ["stretcher"]}
    await api.call("PUT", "/authorizations/a2", other, role=Role.CASE_MANAGER)
    status, view = await answer(api, "take")
    assert (status, view["match"]["pool_id"]) == (200, "stretcher")
    assert (await used("a1"), await used("a2")) == (0, 1)
    elsewhere = {"dropoff": {"position": [-73.953, 40.762]}, "notes": "door 2"}
    assert (await api.call("POST", "/requests/r1/amend", elsewhere))[0] == 200
    await api.call("POST", f"{OFFER}/amendment/agree", {"number": 1}, role=Role.VENDOR, vendor="v1")
    assert (await used("a1"), await used("a2")) == (0, 1)
    back = {"status": "turned_back", "code": "NO_VEHICLES_AVAILABLE"}
    status, _ = await api.call("POST", "/dispatches/r1.1/status", back, role=Role.VENDOR, vendor="v1")
    assert (status, await used("a1"), await used("a2")) == (200, 0, 0)
    assert (await put_to(api, "v2"))[0] == 200
    await answered(api, "r1.2", "accept", "v2")
    _, view = await api.call("GET", "/requests/r1")
    assert (view["state"], await used("a1"), await used("a2")) == ("accepted", 1, 0)
    assert (await audit(api.store.reader, api.market))["findings"] == []


async def test_a_level_that_has_to_be_authorized_is_refused_where_what_was_asked_for_has_not(
    api: Api,
) -> None:
    wanted = {"authorization_stretcher": 1}
    assert (await api.call("PUT", "/tuning", {"values": wanted, "reason": "payer"}, role=Role.OPS))[0] == 200
    fares = [{"level_of_service": each, "base_cents": 4_000} for each in ("wheelchair", "stretcher")]
    await add(api, "v1", levels_of_service=["wheelchair", "stretcher"], rate_card={"fares": fares})
    pools = [{"id": each, "serves": [each], "units": [1]} for each in ("wheelchair", "stretcher")]
    posted = {"kind": "pools", "pools": pools}
    await api.call("PUT", f"/vendors/v1/capacity/{DAY}", posted, role=Role.OPS, if_match='"1"')
    await api.call("POST", "/requests", trip("r1"))
    assert (await put_to(api, "v1"))[0] == 200
    await counter(api, {"level_of_service": "stretcher"})
    status, problem = await answer(api, "take")
    assert (status, "cannot be taken: authorization, for stretcher" in problem["detail"]) == (409, True)
    _, view = await api.call("GET", "/requests/r1")
    assert (view["state"], view["attempts"][0]["state"]) == ("offered", "requested")


async def test_equipment_is_countered_as_rides_are_but_at_no_other_level(api: Api) -> None:
    await add(api, "v1", hcpcs=["E1390"])
    pools = [{"id": "truck", "serves": ["equipment"], "units": [2]}]
    posted = {"kind": "pools", "pools": pools}
    status, told = await api.call("PUT", f"/vendors/v1/capacity/{DAY}", posted, role=Role.OPS, if_match='"1"')
    assert status == 200, told
    window = {"earliest": AT.isoformat(), "latest": (AT + timedelta(minutes=30)).isoformat()}
    order = msgspec.to_builtins(make.equipment("r1")) | {"window": window}
    assert (await api.call("POST", "/requests", order))[0] == 202
    status, told = await put_to(api, "v1")
    assert status == 200, told
    status, problem = await counter(api, {"level_of_service": "stretcher"})
    assert (status, problem["rules"]) == (409, ["level_of_service"])
    assert problem["detail"].endswith("Maybe leave it out: it is what was asked for, or nothing.")
    status, offer = await counter(api, LATER)
    assert (status, offer["state"], offer["start_at"]) == (
        200,
        "accepted",
        LATER["start_at"].replace("+00:00", "Z"),
    )
    _, view = await api.call("GET", "/requests/r1")
    assert (view["state"], view["match"]["pool_id"]) == ("accepted", "truck")
    assert (await audit(api.store.reader, api.market))["findings"] == []


async def test_equipment_that_is_delivered_outside_its_window_is_a_persons_to_take(api: Api) -> None:
    await add(api, "v1", hcpcs=["E1390"])
    posted = {"kind": "pools", "pools": [{"id": "truck", "serves": ["equipment"], "units": [2]}]}
    await api.call("PUT", f"/vendors/v1/capacity/{DAY}", posted, role=Role.OPS, if_match='"1"')
    window = {"earliest": AT.isoformat(), "latest": (AT + timedelta(minutes=30)).isoformat()}
    await api.call("POST", "/requests", msgspec.to_builtins(make.equipment("r1")) | {"window": window})
    assert (await put_to(api, "v1"))[0] == 200
    _, offer = await counter(api, BEYOND | {"price_cents": 4_000})
    assert (offer["state"], offer["counter"]["outside_window_minutes"]) == ("requested", 20)
    status, view = await answer(api, "take")
    at = BEYOND["start_at"].replace("+00:00", "Z")
    assert (status, view["match"]["price_cents"], view["window"]["latest"]) == (200, 4_000, at)
    assert view["amendments"][0]["fields"] == ["window"]
    assert (await audit(api.store.reader, api.market))["findings"] == []
