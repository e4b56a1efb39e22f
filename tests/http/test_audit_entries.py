"""The audit: who changed what by hand, in the commit of the change; who looked; for ops, the newest first."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from contracts.codes import Role
from dispatcher.domain.acts import ACT_KIND
from dispatcher.service import acts
from tests.domain import make
from tests.http.conftest import Api, trip

VENDOR = msgspec.to_builtins(make.vendor("v1"))


async def audit(api: Api, query: str = "") -> list[dict[str, Any]]:
    status, page = await api.call("GET", f"/audit{query}", role=Role.OPS)
    assert status == 200, page
    return list(page["acts"])


async def test_who_paused_verified_tuned_held_and_looked_stands_there_with_the_reason(api: Api) -> None:
    patient = {"name": "Canary Nightingale"}
    assert (await api.call("PUT", "/vendors/v1", VENDOR, role=Role.VENDOR, vendor="v1"))[0] == 201
    for method, path, body, role in (
        ("POST", "/vendors/v1/pause", {"reason": "no calls back"}, Role.OPS),
        ("POST", "/vendors/v1/resume", None, Role.OPS),
        ("PUT", "/tuning", {"values": {"price_weight": 2}, "reason": "cheaper"}, Role.OPS),
        ("POST", "/requests", trip("r1", patient=patient), Role.PLATFORM),
        ("POST", "/requests/r1/hold", {}, Role.COORDINATOR),
        ("GET", "/requests/r1/patient?reason=care", None, Role.COORDINATOR),
        ("POST", "/requests/r1/cancel", {}, Role.PLATFORM),
    ):
        api.clock.ms += 1_000
        status, told = await api.call(method, path, body, role=role)
        assert status < 300, told
    found = await audit(api)
    assert [(each["act"], each["by"], each["about"], each["reason"]) for each in found] == [
        ("read_patient", "coordinator", "r1", ""),
        ("hold_request", "coordinator", "r1", ""),
        ("tuning_sent", "ops", "1", "cheaper"),
        ("resume_vendor", "ops", "v1", ""),
        ("pause_vendor", "ops", "v1", "no calls back"),
        ("register_vendor", "vendor:v1", "v1", ""),
    ]
    assert "Canary" not in str(found)


async def test_the_audit_is_narrowed_and_paged(api: Api) -> None:
    assert (await api.call("PUT", "/vendors/v1", VENDOR, role=Role.OPS))[0] == 201
    for number in range(5):
        path = "/vendors/v1/pause" if number % 2 == 0 else "/vendors/v1/resume"
        body = {"reason": f"number {number}"} if number % 2 == 0 else None
        assert (await api.call("POST", path, body, role=Role.OPS))[0] == 200  # all in one millisecond
    whole = [each["id"] for each in await audit(api)]
    pages, cursor = list[str](), ""
    while True:
        _, page = await api.call("GET", f"/audit?limit=2&cursor={cursor}", role=Role.OPS)
        pages += [each["id"] for each in page["acts"]]
        cursor = page["cursor"]
        if not cursor:
            break
    assert pages == whole
    assert len(set(whole)) == 6
    assert len(await audit(api, "?group=vendors&about=v1&subject=OPS")) == 6
    assert await audit(api, "?group=tuning") == []
    assert await audit(api, "?subject=nobody") == []
    assert (await api.call("GET", "/audit?cursor=x", role=Role.OPS))[0] == 400


async def test_an_entry_that_cannot_be_read_hides_none_of_those_behind_it(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acts, "STEP", 3)
    assert (await api.call("PUT", "/vendors/v1", VENDOR, role=Role.OPS))[0] == 201
    assert (await api.call("POST", "/requests", trip("r1", patient={"name": "Canary Wren"})))[0] == 202
    for _ in range(4):
        for path, body in (("pause", {"reason": "x"}), ("resume", None)):
            api.clock.ms += 1_000
            assert (await api.call("POST", f"/vendors/v1/{path}", body, role=Role.OPS))[0] == 200
        assert (await api.call("GET", "/requests/r1/patient", role=Role.COORDINATOR))[0] == 200
    whole = [each["id"] for each in await audit(api)]
    assert len(whole) == 13
    stored = api.store.market(api.market)
    damaged = [each["id"] for each in await audit(api, "?group=vendors")][1:5:3]
    for name in damaged:
        await api.store.reader.ask("SET", stored.keys.record(ACT_KIND, name), b"damaged")
    left = [each for each in whole if each not in damaged]
    assert [each["id"] for each in await audit(api)] == left
    assert [each["id"] for each in await audit(api, "?group=vendors&limit=200")] == [
        each["id"] for each in await audit(api) if each["group"] == "vendors"
    ]


async def test_it_names_the_right_that_was_needed_of_several_that_one_has(api: Api) -> None:
    both = {"Authorization": f"Bearer {api.token(Role.COORDINATOR, Role.CASE_MANAGER, subject='zoe')}"}
    assert (await api.call("POST", "/requests", trip("r1", hold="authorization")))[0] == 202
    status, told = await api.call("POST", "/requests/r1/resume", {}, **both)
    assert status == 200, told
    _, view = await api.call("GET", "/requests/r1")
    assert view["history"][-1]["by"] == "case_manager"
    (entry,) = await audit(api)
    assert (entry["act"], entry["by"], entry["subject"]) == ("resume_request", "case_manager", "zoe")


async def test_a_repeated_act_and_a_refused_one_stand_there_once_and_never(api: Api) -> None:
    assert (await api.call("PUT", "/vendors/v1", VENDOR, role=Role.OPS))[0] == 201
    for _ in range(2):
        api.clock.ms += 1_000
        told = await api.call(
            "POST", "/vendors/v1/pause", {"reason": "x"}, role=Role.OPS, Idempotency_Key="once"
        )
        assert told[0] == 200
    refused = await api.call("POST", "/vendors/v1/pause", {"reason": "another"}, role=Role.OPS)
    assert refused[0] == 409
    assert [each["act"] for each in await audit(api)] == ["pause_vendor", "register_vendor"]


async def test_the_audit_is_for_ops_and_one_that_is_of_another_type_hides_no_other(api: Api) -> None:
    await api.call("PUT", "/tuning", {"values": {"price_weight": 2}, "reason": "why"}, role=Role.OPS)
    await api.store.reader.ask("SET", api.store.market(api.market).keys.list("acts"), "x")
    assert [each["act"] for each in await audit(api)] == ["tuning_sent"]
    for role in (Role.PLATFORM, Role.COORDINATOR, Role.CASE_MANAGER):
        assert (await api.call("GET", "/audit", role=role))[0] == 403
