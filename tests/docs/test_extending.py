"""`docs/extending.md` does what it says: one of each is added to a whole service, and used end to end."""

from __future__ import annotations

import asyncio
import pickle
from datetime import date, datetime
from importlib import import_module
from typing import Any

import msgspec
import numpy as np
import pytest

from contracts.codes import CredentialKind, Role
from contracts.event_types import event_types
from contracts.instants import HOUR_MS, MINUTE_MS, to_ms
from contracts.vendors import Credential
from dispatcher.audit.auditor import audit
from dispatcher.domain.commands.table import commands
from dispatcher.domain.kinds import kinds
from dispatcher.jobs.timers import Timers
from dispatcher.matching.process import run_matchers
from dispatcher.matching.solvers import Solvers
from dispatcher.store.events import unpack_event
from dispatcher.store.keys import Keys
from solvers.planning import plan
from solvers.rules import registry as rules
from tests.domain import make
from tests.http.conftest import Api
from tests.http.test_versions import POOLS
from tests.solvers.town import asked, screening, trip, vendor

PAPERS = tuple(Credential(kind=kind, expires_on=date(2027, 1, 1)) for kind in CredentialKind)
FALL = {"request_id": "r1", "code": "fall"}


async def ops(api: Api, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
    return await api.call(method, path, body, role=Role.OPS, **headers)


async def open_for_rides(api: Api) -> None:
    """One vendor that may take a ride of `make.trip()`, which is 4 km long."""
    api.clock.ms = make.NOW
    one = msgspec.structs.replace(make.vendor(), credentials=PAPERS)
    assert (await ops(api, "PUT", "/vendors/v1", msgspec.to_builtins(one)))[0] == 201
    assert (await ops(api, "PUT", "/vendors/v1/capacity/2026-03-02", POOLS))[0] == 201


async def tune(api: Api, **values: float) -> None:
    assert (await ops(api, "PUT", "/tuning", {"values": values, "reason": "a test"}))[0] == 200


async def told(api: Api) -> list[str]:
    """The types of the events about incidents, in order."""
    entries = await api.store.streams.read(Keys(api.market).events)
    found = [unpack_event(entry.event).type for entry in entries]
    return [each for each in found if each.startswith("dispatch.incident.")]


async def listed(api: Api) -> list[str]:
    status, page = await ops(api, "GET", "/incidents")
    assert status == 200
    return [each["id"] for each in page["incidents"]]


async def sound(api: Api) -> bool:
    return (await audit(api.store.reader, api.market, streams=True))["findings"] == []


async def test_a_command_is_given_over_http_and_has_its_effect_once(api: Api) -> None:
    for _ in range(2):
        status, incident = await ops(api, "POST", "/incidents/i1", FALL, Idempotency_Key="k1")
        assert (status, incident["closed"], incident["version"]) == (200, False, 1)
    assert (await ops(api, "POST", "/incidents/i1", FALL | {"code": "breakdown"}))[0] == 409
    other = FALL | {"request_id": "r2"}
    status, problem = await ops(api, "POST", "/incidents/i1", other, Idempotency_Key="k1")
    assert (status, problem["type"]) == (422, "/problems/id-reused")
    for _ in range(2):
        status, incident = await ops(api, "POST", "/incidents/i1/close", Idempotency_Key="k2")
        assert (status, incident["closed"], incident["version"]) == (200, True, 2)
    assert await told(api) == ["dispatch.incident.reported", "dispatch.incident.closed"]
    assert await sound(api)


async def test_of_several_that_report_it_at_once_one_creates_the_record(api: Api) -> None:
    answers = await asyncio.gather(*(ops(api, "POST", "/incidents/i1", FALL) for _ in range(8)))
    assert [(status, incident["version"]) for status, incident in answers] == [(200, 1)] * 8
    assert await told(api) == ["dispatch.incident.reported"]


async def test_a_command_is_for_the_roles_of_its_decision(api: Api) -> None:
    for role, who in ((Role.PLATFORM, ""), (Role.VENDOR, "v1")):
        status, problem = await api.call("POST", "/incidents/i1", FALL, role=role, vendor=who)
        assert (status, problem["type"]) == (403, "/problems/forbidden")
    assert await listed(api) == []
    assert (await ops(api, "POST", "/incidents/i1/close"))[0] == 404


async def test_a_record_kind_is_listed_due_by_its_own_timer_and_judged_by_the_audit(api: Api) -> None:
    for name in ("i1", "i2"):
        await ops(api, "POST", f"/incidents/{name}", FALL)
        api.clock.ms += MINUTE_MS
    assert await listed(api) == ["i1", "i2"]
    timers = Timers(api.service)
    assert await timers.fire_due(api.market) == 0
    api.clock.ms += HOUR_MS - MINUTE_MS
    assert await timers.fire_due(api.market) == 2
    assert (await told(api)).count("dispatch.incident.unreviewed") == 2
    await ops(api, "POST", "/incidents/i1/close")
    assert await listed(api) == ["i2"]
    assert await sound(api)
    await api.store.reader.ask("ZREM", Keys(api.market).list("incidents:open"), "i2")
    findings = (await audit(api.store.reader, api.market))["findings"]
    assert [(each["rule"], each["subject"]) for each in findings] == [("lists", "i2")]


async def test_a_closed_record_is_forgotten_by_its_timer(api: Api) -> None:
    await ops(api, "POST", "/incidents/i1", FALL)
    await ops(api, "POST", "/incidents/i1/close")
    api.clock.ms += 72 * HOUR_MS
    assert await Timers(api.service).fire_due(api.market) == 1
    assert (await ops(api, "POST", "/incidents/i1/close"))[0] == 404
    assert await sound(api)


async def test_a_type_of_event_and_a_route_are_in_the_documents(api: Api) -> None:
    async with api.client.get("/asyncapi.json") as answer:
        document = await answer.json()
    assert "dispatch.incident.reported" in document["components"]["messages"]
    channels = document["channels"].items()
    assert [name for name, each in channels if "dispatch.incident.closed" in each["messages"]] == ["events"]
    async with api.client.get("/openapi.json") as answer:
        paths = (await answer.json())["paths"]
    close = paths["/v1/markets/{market}/incidents/{incident_id}/close"]["post"]
    assert close["summary"] == "Close an incident: somebody has looked at it"
    assert close["security"] == [{"bearer": ["ops"]}]


async def test_a_parameter_is_in_tuning_and_changes_the_result(api: Api) -> None:
    _, view = await ops(api, "GET", "/tuning")
    parameters = {each["name"]: each for each in view["parameters"]}
    assert parameters["incident_review_minutes"]["value"] == 60
    assert parameters["longest_ride_km"]["unit"] == "km"
    await tune(api, incident_review_minutes=5)
    _, incident = await ops(api, "POST", "/incidents/i1", FALL)
    assert to_ms(datetime.fromisoformat(incident["review_by"])) == api.clock.ms + 5 * MINUTE_MS
    nothing = {"values": {"incident_review_minutes": 0}}
    status, problem = await ops(api, "PUT", "/tuning", nothing, If_Match='"1"')
    assert (status, problem["type"]) == (422, "/problems/invalid-request")


async def test_a_rule_removes_a_vendor_and_is_named_in_the_reasons(api: Api) -> None:
    await open_for_rides(api)
    wanted = msgspec.to_builtins(msgspec.structs.replace(make.trip(), patient=None))
    _, found = await api.call("POST", "/quotes", wanted)
    assert [each["vendor_id"] for each in found["quotes"]] == ["v1"]
    await tune(api, longest_ride_km=1)
    _, found = await api.call("POST", "/quotes", wanted)
    assert found["unmatched"]["last_rule"] == "longest_ride"
    assert {"rule": "longest_ride", "vendors": 1} in found["unmatched"]["removed"]


async def test_a_solver_plans_the_batches_of_the_matcher(api: Api) -> None:
    await open_for_rides(api)
    solvers: Solvers = import_module("dispatcher.matching.first_come").FirstCome()
    assert (await api.call("POST", "/requests", msgspec.to_builtins(make.trip())))[0] == 202
    matchers = asyncio.create_task(run_matchers(api.service, solvers, "test"))
    try:
        async with asyncio.timeout(100):  # only a matcher that does not work makes this wait so long
            while (view := (await api.call("GET", "/requests/r1"))[1])["state"] != "offered":
                await asyncio.sleep(0.02)
    finally:
        matchers.cancel()
        await asyncio.gather(matchers, return_exceptions=True)
    assert view["match"]["vendor_id"] == "v1"
    assert await sound(api)


@pytest.mark.usefixtures("page")
def test_a_plan_is_checked_whoever_made_it() -> None:
    first_come = import_module("solvers.first_come").first_come
    one = screening([asked(trip("r1")), asked(trip("r2"))], [vendor()])
    assert plan(one, first_come).chosen.request.tolist() == [0]
    with pytest.raises(ValueError, match="breaks"):
        plan(one, lambda problem: np.zeros(problem.requests, np.int64))


@pytest.mark.usefixtures("page")
def test_the_example_rule_passes_the_example_test() -> None:
    import_module(
        "tests.solvers.rules.test_longest_ride"
    ).test_a_ride_that_is_too_long_has_no_candidate_and_says_why()


@pytest.mark.usefixtures("page")
def test_the_example_travel_times_are_a_source() -> None:
    source = import_module("solvers.crow_flight").travel_of({})
    ends = np.array([[127.0, 37.5]]), np.array([[127.0, 37.6]])
    travel = source.between(*ends, np.array([12]))
    assert travel.seconds[0] == pytest.approx(travel.metres[0] * 3.6 / 60)
    assert pickle.loads(pickle.dumps(source)).between(*ends, np.array([12])).metres == travel.metres


def test_nothing_is_left_of_the_page() -> None:
    assert "longest_ride" not in {rule.code for rule in rules.rules()}
    assert "incident" not in {kind.name for kind in kinds()}
    assert not [name for name in event_types() if "incident" in name]
    assert not [each for each in commands() if "Incident" in each.__name__]


def test_what_is_declared_twice_is_refused() -> None:
    capacity = next(rule for rule in rules.rules() if rule.code == "capacity")
    other = type("Other", (type(capacity),), {"code": "capacity"})
    with pytest.raises(ValueError, match="two rules have the code 'capacity'"), rules.with_rule(other()):
        pass
    assert capacity in rules.rules()
