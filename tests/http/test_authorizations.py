"""Authorizations over HTTP, by the client of those who issue and read them."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
import pytest

from client.care import CareClient
from client.errors import Problem
from contracts.authorizations import Authorization, AuthorizationState
from contracts.codes import RequestState, Role
from contracts.instants import HOUR_MS
from contracts.tuning import Tuning
from dispatcher.audit.auditor import audit
from dispatcher.domain.authorizations import listed, wanting
from dispatcher.jobs.timers import Timers
from dispatcher.store.events import unpack_event
from dispatcher.store.keys import Keys
from dispatcher.store.sorting_in import list_authorizations
from tests.domain import make
from tests.http.conftest import Api
from tests.http.test_offers import offered

WEEK = {"first_day": "2026-03-01", "last_day": "2026-03-07"}
PATIENT = {"patient": {"name": "Canary Wren", "record_number": "C 17"}}
FACTS: dict[str, Any] = {"number": "PA-77", "payer": "Medicaid", "services": ["wheelchair"], "granted": 3}
BODY = FACTS | WEEK | PATIENT


def care(api: Api, subject: str, *roles: Role) -> CareClient:
    return CareClient(str(api.client.make_url("/")), api.token(*roles, subject=subject), api.market)


async def test_a_case_manager_issues_renews_and_revokes_and_others_read_the_balance(api: Api) -> None:
    body = msgspec.convert(BODY, Authorization)
    async with care(api, "cleo", Role.CASE_MANAGER) as cleo, care(api, "ann", Role.COORDINATOR) as ann:
        issued = await cleo.put_authorization("a1", body)
        assert (issued.left, issued.state, issued.has_patient) == (3, AuthorizationState.ACTIVE, True)
        again = await cleo.put_authorization("a1", body)
        assert again.version == issued.version, "the same once more is no change"
        more = msgspec.structs.replace(body, granted=5)
        with pytest.raises(Problem) as refused:
            await cleo.put_authorization("a1", more)
        assert refused.value.status == 428
        assert (await cleo.put_authorization("a1", more, version=issued.version)).left == 5
        assert (await ann.authorization("a1")).number == "PA-77"
        with pytest.raises(Problem, match="for case_manager"):
            await ann.put_authorization("a2", body)
        with pytest.raises(Problem, match="for case_manager"):
            await ann.revoke("a1")
        assert (await cleo.revoke("a1")).state is AuthorizationState.REVOKED
        assert (await cleo.revoke("a1")).state is AuthorizationState.REVOKED
        with pytest.raises(Problem, match="no authorization a9"):
            await ann.authorization("a9")


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        (BODY | {"last_day": "2026-02-01"}, "before its first day"),
        (FACTS | WEEK, "nobody's"),
        (BODY | {"patient": {"name": "Canary Wren"}}, "add the record number"),
        (BODY | {"services": ["chauffeur"]}, "/services/0"),
        (BODY | {"granted": 0}, "/granted"),
        (BODY | {"last_day": "9999-12-31"}, "no calendar of ours"),
        (BODY | {"first_day": "0001-01-01"}, "no calendar of ours"),
        (BODY | {"patient": {"name": "\u200b"}}, "/patient/name"),
        (BODY | {"number": "PA-77\r\nBcc: x"}, "a number is one line"),
        (BODY | {"payer": "Medicaid\n"}, "a payer is one line"),
        (BODY | {"payer": " "}, "a payer of nothing but blanks"),
        (BODY | {"first_day": "2025-03-01", "last_day": "2025-03-11"}, "the year is mistyped"),
    ],
)
async def test_what_cannot_be_meant_is_refused_with_what_is_wrong(
    api: Api, body: dict[str, Any], wrong: str
) -> None:
    status, problem = await api.call("PUT", "/authorizations/a1", body, role=Role.CASE_MANAGER)
    assert status == 422
    assert wrong in str(problem)


async def test_what_is_submitted_waits_for_it_and_no_answer_or_event_tells_the_patient(api: Api) -> None:
    ride = msgspec.to_builtins(make.trip("r1", authorization="a1")) | PATIENT
    api.clock.ms = make.NOW
    assert (await api.call("POST", "/requests", ride))[0] == 202
    _, view = await api.call("GET", "/requests/r1")
    assert [each["requirement"] for each in view["waits_for"]] == ["authorization"]
    status, answer = await api.call("PUT", "/authorizations/a1", BODY, role=Role.CASE_MANAGER)
    assert status == 201
    _, view = await api.call("GET", "/requests/r1")
    assert (view["state"], view["authorization"]) == ("received", "a1")
    stored = api.store.market(api.market)
    events = [unpack_event(each.event) for each in await api.store.streams.read(stored.keys.events)]
    told = [each.data for each in events if each.type == "dispatch.authorization.changed"]
    assert [(each["authorization_id"], each["code"]) for each in told] == [("a1", "issued")]
    for secret in ("Canary Wren", "C 17"):
        assert secret not in f"{answer} {view} {events}"
    assert "PA-77" not in str(events), "the payer's number is read, and told to nobody"


async def test_a_vendor_that_accepts_what_is_not_authorized_any_more_is_refused_with_words(api: Api) -> None:
    status, _ = await api.call(
        "PUT", "/authorizations/a1", BODY | {"granted": 1, "requests": ["r1"]}, role=Role.CASE_MANAGER
    )
    assert status == 201
    await api.call("PUT", "/tuning", {"values": {"authorization_wheelchair": 1}}, role=Role.OPS)
    api.service.markets.forget_tuning(api.market)
    same = {"role": Role.CASE_MANAGER, "If_Match": "*"}
    other = msgspec.to_builtins(make.patient("r1"))
    await api.call("PUT", "/authorizations/a1", BODY | {"patient": other}, **same)
    offer_id = await offered(api)
    assert (await api.call("POST", "/authorizations/a1/revoke", role=Role.CASE_MANAGER))[0] == 200
    vendor = {"role": Role.VENDOR, "vendor": "v1"}
    for _ in range(2):
        status, problem = await api.call("POST", f"/offers/{offer_id}/accept", {}, **vendor)
        assert (status, problem["type"]) == (409, "/problems/wrong-state")
        assert "authorization_revoked" in problem["detail"]
    assert "no payer has agreed" in problem["detail"], "a repeat is told the same"
    _, view = await api.call("GET", "/requests/r1")
    assert (view["state"], view["attempts"][0]["code"]) == ("on_hold", "authorization_revoked")
    assert view["tasks"] == ["r1.authorization_missing"]


async def test_with_the_passenger_on_board_nothing_calls_it_off(api: Api) -> None:
    offer_id = await offered(api)
    vendor = {"role": Role.VENDOR, "vendor": "v1"}
    assert (await api.call("POST", f"/offers/{offer_id}/accept", {}, **vendor))[0] == 200
    api.clock.ms += 4 * HOUR_MS
    status, _ = await api.call("POST", f"/dispatches/{offer_id}/status", {"status": "on_board"}, **vendor)
    assert status == 200
    for report in ("no_show", "turned_back"):
        status, problem = await api.call(
            "POST", f"/dispatches/{offer_id}/status", {"status": report}, **vendor
        )
        assert (status, "on board" in problem["detail"]) == (409, True)
    for role in (Role.PLATFORM, Role.COORDINATOR, Role.CASE_MANAGER, Role.OPS):
        status, problem = await api.call("POST", "/requests/r1/cancel", role=role)
        assert (status, "on board" in problem["detail"]) == (409, True)
    _, view = await api.call("GET", "/requests/r1")
    assert view["state"] == RequestState.IN_PROGRESS


async def test_case_managers_and_ops_list_what_there_is_by_a_request_and_never_by_a_patients_name(
    api: Api,
) -> None:
    body = msgspec.convert(BODY, Authorization)
    other = msgspec.structs.replace(body, patient=make.patient("r2"), last_day=date(2026, 3, 9))
    ride = msgspec.to_builtins(make.trip("r1")) | PATIENT
    api.clock.ms = make.NOW
    assert (await api.call("POST", "/requests", ride))[0] == 202
    async with care(api, "cleo", Role.CASE_MANAGER) as cleo, care(api, "ann", Role.COORDINATOR) as ann:
        await cleo.put_authorization("a2", other)
        await cleo.put_authorization("a1", body)
        await cleo.revoke("a2")
        assert [each.id async for each in cleo.authorizations()] == ["a1", "a2"]
        assert [each.id async for each in cleo.authorizations(AuthorizationState.REVOKED)] == ["a2"]
        assert [each.id async for each in cleo.authorizations(request="r1")] == ["a1"]
        assert [each.id async for each in cleo.authorizations(expiring_before=date(2026, 3, 9))] == ["a1"]
        with pytest.raises(Problem, match="no request r9"):
            [each async for each in cleo.authorizations(request="r9")]
        with pytest.raises(Problem, match="for case_manager, ops"):
            [each async for each in ann.authorizations()]
    status, page = await api.call("GET", "/authorizations?limit=1", role=Role.OPS)
    assert (status, [each["id"] for each in page["authorizations"]]) == (200, ["a1"])
    assert "Canary" not in str(page)
    after = f"/authorizations?limit=1&cursor={page['cursor']}"
    _, page = await api.call("GET", after, role=Role.OPS)
    assert ([each["id"] for each in page["authorizations"]], page["cursor"]) == (["a2"], "")
    assert (await api.call("GET", "/authorizations?cursor=x", role=Role.OPS))[0] == 400
    for role in (Role.PLATFORM, Role.VENDOR):
        who = {"role": role} | ({"vendor": "v1"} if role is Role.VENDOR else {})
        assert (await api.call("GET", "/authorizations", **who))[0] in {403, 404}


async def test_equipment_is_tuned_by_code_and_the_switch_of_before_is_read_as_all_of_it(api: Api) -> None:
    for sent, told in (({"authorization_hcpcs": ["E13"]}, ["E13"]), ({"authorization_equipment": 1}, ["*"])):
        headers = {"role": Role.OPS, "If_Match": "*"}
        status, view = await api.call("PUT", "/tuning", {"values": sent}, **headers)
        found = {each["name"]: each["value"] for each in view["parameters"]}
        assert (status, found["authorization_hcpcs"]) == (200, told)
    for wrong in (["e13"], ["E13901"], 3):
        status, problem = await api.call(
            "PUT", "/tuning", {"values": {"authorization_hcpcs": wrong}}, **headers
        )
        assert (status, "authorization_hcpcs" in str(problem)) == (422, True)
    status, problem = await api.call("PUT", "/tuning", {"values": {"overdue_minutes": ["E1"]}}, **headers)
    assert status == 422
    stored = api.store.market(api.market).tuning
    old = Tuning(version=3, values={"authorization_equipment": 1})
    await stored.put(old, 2)
    assert (await stored.get()).lists == {"authorization_hcpcs": ("*",)}


async def test_a_duplicate_that_comes_of_an_amendment_is_told_with_the_others_id(api: Api) -> None:
    api.clock.ms = make.NOW
    rides = [msgspec.to_builtins(make.trip(f"r{n}", ahead_ms=n * 4 * HOUR_MS)) | PATIENT for n in (1, 2)]
    assert (await api.call("POST", "/requests", {"requests": rides}))[0] == 202
    later = {"pickup_window": rides[1]["pickup_window"]}
    status, problem = await api.call("POST", "/requests/r1/amend", later)
    assert (status, problem["type"], problem["duplicate_of"]) == (409, "/problems/possible-duplicate", ["r2"])
    assert "Canary" not in str(problem)
    status, answer = await api.call("POST", "/requests/r1/amend", later | {"not_duplicate_of": ["r2"]})
    assert (status, answer["request"]["amendments"][0]["outcome"]) == (200, "made")


async def test_authorizations_that_are_in_no_list_yet_are_put_there_once_after_an_upgrade(api: Api) -> None:
    await api.call("PUT", "/tuning", {"values": {"authorization_wheelchair": 1}}, role=Role.OPS)
    api.service.markets.forget_tuning(api.market)
    api.clock.ms = make.NOW
    for each in ("a1", "a2"):
        body = BODY | {"requests": ["r1"]}
        assert (await api.call("PUT", f"/authorizations/{each}", body, role=Role.CASE_MANAGER))[0] == 201
    ride = msgspec.to_builtins(make.trip("r1", authorization="a1")) | PATIENT
    assert (await api.call("POST", "/requests", ride))[0] == 202
    keys, ask, market = Keys(api.market), api.store.reader.ask, api.store.market(api.market)
    for each in (listed(AuthorizationState.ACTIVE), wanting("a1")):
        assert await ask("DEL", keys.list(each)) == 1
    assert [await list_authorizations(market) for _ in range(2)] == [3, 0]
    _, page = await api.call("GET", "/authorizations", role=Role.CASE_MANAGER)
    assert [each["id"] for each in page["authorizations"]] == ["a1", "a2"]
    assert (await audit(api.store.reader, api.market, []))["findings"] == []


async def test_who_knows_that_little_is_left_is_not_forgotten_before_the_authorization(api: Api) -> None:
    api.clock.ms = make.NOW
    await api.call("PUT", "/tuning", {"values": {"authorization_low_days": 30}}, role=Role.OPS)
    api.service.markets.forget_tuning(api.market)
    assert (await api.call("PUT", "/authorizations/a1", BODY, role=Role.CASE_MANAGER))[0] == 201
    _, task = await api.call("GET", "/tasks/a1.authorization_running_out", role=Role.OPS)
    assert (task["authorization_id"], "request_id" in task) == ("a1", False), "it is about no request"
    done = {"by": "cleo", "outcome": "not_needed"}
    status, _ = await api.call("POST", "/tasks/a1.authorization_running_out/finish", done, role=Role.OPS)
    assert status == 200
    for day in range(11):
        api.clock.ms += 24 * HOUR_MS
        while await Timers(api.service).fire_due(api.market):
            pass
        assert (await audit(api.store.reader, api.market, []))["findings"] == []
        found = [
            (await api.call("GET", f"/{each}", role=Role.OPS))[0]
            for each in ("tasks/a1.authorization_running_out", "authorizations/a1")
        ]
        assert found[0] == found[1], day
    assert found == [404, 404]
