"""Ops puts a request to a vendor of its choice: by the rules and the capacity of the matcher, and by name."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from contracts.codes import Role
from dispatcher.audit.auditor import audit
from dispatcher.domain.commands.move_offer import movable_offer
from dispatcher.store.keys import Keys
from tests.http.conftest import NOW, Api, trip
from tests.http.test_offers import PAPERS
from tests.http.test_versions import POOLS
from tests.http.test_versions import VENDOR as PLAIN

VENDOR = PLAIN | {"credentials": msgspec.to_builtins(PAPERS)}
DAY, AT = "2026-03-03", NOW + timedelta(days=1)


async def add(api: Api, name: str, units: int = 1, **changes: Any) -> None:
    assert (await api.call("PUT", f"/vendors/{name}", VENDOR | {"id": name} | changes, role=Role.OPS))[
        0
    ] == 201
    pool = POOLS["pools"][0] | {"units": [units]}  # type: ignore[index]
    await api.call("PUT", f"/vendors/{name}/capacity/{DAY}", POOLS | {"pools": [pool]}, role=Role.OPS)


async def put_to(api: Api, vendor: str, name: str = "r1", **wish: Any) -> tuple[int, Any]:
    token = api.token(Role.OPS, subject="ana")
    body = {"vendor_id": vendor} | wish
    return await api.call("POST", f"/requests/{name}/offer", body, Authorization=f"Bearer {token}")


async def answered(api: Api, offer_id: str, step: str, vendor: str) -> None:
    body = {"code": "NO_VEHICLES_AVAILABLE"} if step == "decline" else None
    status, _ = await api.call("POST", f"/offers/{offer_id}/{step}", body, role=Role.VENDOR, vendor=vendor)
    assert status == 200


@pytest.fixture
async def town(api: Api) -> Api:
    """Two vendors with a van each, and a ride tomorrow at ten."""
    for name in ("v1", "v2"):
        await add(api, name)
    await api.call("POST", "/requests", trip("r1"))
    return api


async def test_the_chosen_vendor_is_asked_and_who_chose_it_stands_in_attempt_and_history(town: Api) -> None:
    status, view = await put_to(town, "v2")
    assert (status, view["state"], view["owner"]) == (200, "offered", "vendor")
    (attempt,), step = view["attempts"], view["history"][-1]
    assert (attempt["vendor_id"], attempt["chosen_by"]) == ("v2", "ana")
    assert (step["by"], step["subject"], step["code"]) == ("ops", "ana", "by_hand")
    _, listed = await town.call("GET", "/offers", role=Role.VENDOR, vendor="v2")
    assert [each["id"] for each in listed["offers"]] == ["r1.1"]
    assert await put_to(town, "v2") == (200, view), "said again, it is the same offer"


async def test_the_start_is_the_one_that_was_chosen_and_must_lie_in_the_window(town: Api) -> None:
    start = (AT + timedelta(minutes=7)).isoformat()
    _, view = await put_to(town, "v1", start_at=start)
    assert view["match"]["start_at"] == start.replace("+00:00", "Z")
    status, problem = await put_to(town, "v1", start_at=(AT + timedelta(minutes=31)).isoformat())
    assert (status, problem["type"], problem["rules"]) == (409, "/problems/does-not-fit", ["time_window"])


@pytest.mark.parametrize(
    ("changes", "units", "rules"),
    [
        ({"paused": True}, 1, ["paused"]),
        ({"levels_of_service": [], "credentials": []}, 1, ["level_of_service", "credentials"]),
        ({}, 0, ["capacity"]),
    ],
)
async def test_a_vendor_that_does_not_fit_is_refused_with_every_rule_that_it_breaks(
    town: Api, changes: dict[str, Any], units: int, rules: list[str]
) -> None:
    await add(town, "v3", units, **changes)
    status, problem = await put_to(town, "v3")
    assert (status, problem["type"], problem["rules"]) == (409, "/problems/does-not-fit", rules)
    assert problem["unmatched"]["vendors"] == 1
    _, view = await town.call("GET", "/requests/r1")
    assert view["state"] == "received"


async def test_what_a_request_excludes_and_who_declined_are_refused_and_the_latter_may_be_asked_again(
    town: Api,
) -> None:
    await town.call("POST", "/requests", trip("r2", excluded_vendors=["v1"]))
    assert (await put_to(town, "v1", "r2", again=True))[1]["rules"] == ["exclusions"]
    await put_to(town, "v2")
    await answered(town, "r1.1", "decline", "v2")
    assert (await put_to(town, "v2"))[1]["rules"] == ["declined"]
    _, view = await put_to(town, "v2", again=True)
    assert [each["state"] for each in view["attempts"]] == ["rejected", "requested"]


async def test_whoever_was_asked_before_is_relieved_and_its_capacity_is_free(town: Api) -> None:
    await put_to(town, "v1")
    _, view = await put_to(town, "v2")
    assert [(each["vendor_id"], each["state"], each.get("code", "")) for each in view["attempts"]] == [
        ("v1", "cancelled", "withdrawn"),
        ("v2", "requested", ""),
    ]
    await town.call("POST", "/requests", trip("r2"))
    assert (await put_to(town, "v1", "r2"))[0] == 200
    status, problem = await put_to(town, "v2", "r2")
    assert (status, problem["rules"]) == (409, ["capacity"]), "v2 has one van, and r1 has it"


async def test_the_matcher_does_not_undo_it(town: Api) -> None:
    await put_to(town, "v2")
    record = await town.store.market(town.market).requests.records.get("r1")
    assert record is not None
    later = record.offers[0].made_ms + 120_000
    assert movable_offer(record, later, {}) is None
    by_itself = msgspec.structs.replace(record.offers[0], chosen_by="")
    assert movable_offer(msgspec.structs.replace(record, offers=(by_itself,)), later, {}) is not None


async def test_what_a_vendor_has_what_is_on_hold_and_what_is_not_there_is_refused(town: Api) -> None:
    assert (await put_to(town, "v9"))[0] == 404
    assert (await put_to(town, "v1", "r9"))[0] == 404
    await town.call("POST", "/requests/r1/hold", role=Role.OPS)
    status, problem = await put_to(town, "v1")
    assert (status, problem["state"]) == (409, "on_hold")
    assert "authorization" in problem["detail"]
    await town.call("POST", "/requests/r1/resume", role=Role.CASE_MANAGER)
    await put_to(town, "v1")
    await answered(town, "r1.1", "accept", "v1")
    assert (await put_to(town, "v2"))[1]["state"] == "accepted"
    for role, vendor in ((Role.PLATFORM, ""), (Role.CASE_MANAGER, ""), (Role.VENDOR, "v2")):
        body = {"vendor_id": "v2"}
        assert (await town.call("POST", "/requests/r1/offer", body, role=role, vendor=vendor))[0] == 403


async def test_a_silence_that_has_accepted_is_not_overruled(api: Api) -> None:
    await add(api, "v1", answer={"mode": "assumed", "reject_within_s": 600})
    await add(api, "v2")
    await api.call("POST", "/requests", trip("r1"))
    await put_to(api, "v1")
    api.clock.ms += 601_000
    status, problem = await put_to(api, "v2")
    assert status == 409
    assert "silence" in problem["detail"]


async def test_a_request_that_has_had_all_its_offers_may_still_be_offered_by_hand(town: Api) -> None:
    await town.call("PUT", "/tuning", {"values": {"max_attempts": 1}}, role=Role.OPS)
    await put_to(town, "v1")
    await answered(town, "r1.1", "decline", "v1")
    _, alone = await town.call("GET", "/requests/r1")
    assert (alone["owner"], alone["tasks"]) == ("care_coordinator", ["r1.1.unmatched_early"])
    _, view = await put_to(town, "v2")
    assert (view["state"], view["owner"]) == ("offered", "vendor")
    _, task = await town.call("GET", "/tasks/r1.1.unmatched_early")
    assert (task["state"], task["outcome"]) == ("done", "settled")


async def test_an_offer_that_nobody_has_answered_is_withdrawn_and_its_vendor_told(town: Api) -> None:
    await put_to(town, "v2")
    status, view = await town.call("POST", "/requests/r1/withdraw", role=Role.OPS)
    (attempt,), step = view["attempts"], view["history"][-1]
    assert (status, view["state"], attempt["state"], attempt["code"]) == (
        200,
        "matching",
        "cancelled",
        "withdrawn",
    )
    assert (step["by"], step["code"]) == ("ops", "withdrawn")
    _, listed = await town.call("GET", "/offers", role=Role.VENDOR, vendor="v2")
    assert listed["offers"] == []
    assert (await town.call("POST", "/requests/r1/withdraw", role=Role.OPS))[0] == 200, "said again"
    await put_to(town, "v2")
    await answered(town, "r1.2", "accept", "v2")
    status, refused = await town.call("POST", "/requests/r1/withdraw", role=Role.OPS)
    assert (status, refused["type"]) == (409, "/problems/wrong-state")
    assert "cancelled, not withdrawn" in refused["detail"]


def wide(before_min: int = 0, after_min: int = 60) -> dict[str, Any]:
    early, late = AT - timedelta(minutes=before_min), AT + timedelta(minutes=30 + after_min)
    return {"window": {"earliest": early.isoformat(), "latest": late.isoformat()}}


async def window_task(api: Api) -> dict[str, Any]:
    status, task = await api.call("GET", "/tasks/r1.window_asked")
    assert status == 200, task
    return dict(task)


async def test_a_wider_window_is_asked_of_the_platform_which_amends_or_says_no(town: Api) -> None:
    path = "/requests/r1/ask-window"
    for role in (Role.PLATFORM, Role.CASE_MANAGER):
        assert (await town.call("POST", path, wide(), role=role))[0] == 403, "they are asked, they do not ask"
    assert (await town.call("POST", path, wide(), role=Role.VENDOR, vendor="v1"))[0] == 403
    status, view = await town.call("POST", path, wide(), role=Role.OPS)
    assert (status, view["state"], view["tasks"]) == (200, "received", ["r1.window_asked"])
    assert view["window"]["latest"] == (AT + timedelta(minutes=30)).isoformat().replace("+00:00", "Z")
    assert (view["history"][-1]["by"], view["history"][-1]["code"]) == ("ops", "window_asked")
    assert (await town.call("POST", path, wide(), role=Role.OPS))[1]["version"] == view["version"], (
        "said twice"
    )
    task = await window_task(town)
    assert (task["owner"], task["state"], task["could"]) == (
        "platform",
        "open",
        ["amendRequest", "finishTask"],
    )
    assert task["window"]["latest"] == (AT + timedelta(minutes=90)).isoformat().replace("+00:00", "Z")
    entries = await town.store.reader.ask("XRANGE", Keys(town.market).events, "-", "+")
    told = [each[1][b"ce"] for each in entries if b"dispatch.request.window_asked" in each[1][b"ce"]]
    assert len(told) == 1
    assert (await town.call("POST", "/tasks/r1.window_asked/finish", role=Role.COORDINATOR))[0] == 403
    assert (await town.call("POST", "/tasks/r1.window_asked/finish", {"outcome": "not_needed"}))[0] == 200
    assert (await town.call("POST", path, wide(5), role=Role.COORDINATOR))[0] == 200, "asked again"
    assert (await window_task(town))["state"] == "open"
    assert (await town.call("POST", "/requests/r1/amend", {"pickup_window": wide(10)["window"]}))[0] == 200
    task = await window_task(town)
    assert (task["state"], task["outcome"]) == ("done", "settled")
    assert (await audit(town.store.reader, town.market))["findings"] == []


async def test_a_window_that_is_asked_for_is_wider_than_what_is_sought_and_ends_with_the_search(
    town: Api,
) -> None:
    path, ops = "/requests/r1/ask-window", {"role": Role.OPS}
    for narrow in (wide(0, 0), wide(-5, 60), wide(60, -5)):
        status, refused = await town.call("POST", path, narrow, **ops)
        assert (status, "not wider" in refused["detail"]) == (422, True)
    assert (await town.call("POST", "/requests/nobody/ask-window", wide(), **ops))[0] == 404
    await town.call("POST", path, wide(), **ops)
    await put_to(town, "v2")
    assert (await window_task(town))["state"] == "open", "nobody has agreed yet"
    await answered(town, "r1.1", "accept", "v2")
    assert (await window_task(town))["outcome"] == "settled"
    assert (await town.call("POST", path, wide(), **ops))[0] == 200, (
        "of agreed work, too: its vendor is asked then"
    )
    await town.call("POST", "/requests/r1/cancel")
    assert (await window_task(town))["outcome"] == "settled"
    status, refused = await town.call("POST", path, wide(), **ops)
    assert (status, refused["state"]) == (409, "cancelled")
    assert (await audit(town.store.reader, town.market))["findings"] == []


async def test_a_command_for_a_version_that_is_gone_has_no_effect(town: Api) -> None:
    _, seen = await town.call("GET", "/requests/r1", role=Role.OPS)
    await put_to(town, "v2")
    version = f'"{seen["version"]}"'
    status, refused = await town.call("POST", "/requests/r1/cancel", role=Role.OPS, If_Match=version)
    assert (status, refused["type"]) == (412, "/problems/stale-version")
    _, now = await town.call("GET", "/requests/r1", role=Role.OPS)
    assert now["state"] == "offered"
    version = f'"{now["version"]}"'
    status, _ = await town.call("POST", "/requests/r1/cancel", role=Role.OPS, If_Match=version)
    assert status == 200


@pytest.mark.parametrize(("method", "step"), [("GET", ""), ("POST", "/cancel"), ("POST", "/withdraw")])
async def test_what_is_not_there_may_be_forgotten_whatever_is_asked_of_it(
    api: Api, method: str, step: str
) -> None:
    body = {} if method == "POST" else None
    status, said = await api.call(method, f"/requests/r9{step}", body, role=Role.COORDINATOR)
    assert (status, said["type"]) == (404, "/problems/not-found")
    assert "or it is forgotten: `retention_hours` after its end" in said["detail"]
