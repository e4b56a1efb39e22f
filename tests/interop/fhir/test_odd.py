"""What a careful client tries: at one moment, behind a proxy, in every state, by who may not."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from openapi_spec_validator import OpenAPIV31SpecValidator

from contracts.codes import Role
from contracts.instants import DAY_MS
from contracts.openapi import openapi
from dispatcher.domain.rights import READERS
from dispatcher.interop.fhir.canonical import EPISODE_ID, VENDOR_ID, url
from dispatcher.interop.fhir.routes import ROUTES
from dispatcher.jobs.timers import Timers
from tests.http.conftest import trip
from tests.interop.fhir.conftest import Fhir
from tests.interop.fhir.orders import AT, EHR, extension, oxygen, ride

Json = dict[str, Any]


async def test_what_came_before_and_is_forgotten_is_not_said_to_be_stored(fhir: Fhir) -> None:
    api = fhir.api
    far = AT + timedelta(days=60)
    order = ride(occurrencePeriod={"start": far.isoformat(), "end": (far + timedelta(hours=1)).isoformat()})
    _, made = await fhir.call("POST", "/ServiceRequest", order)
    await fhir.call("PUT", f"/ServiceRequest/{made['id']}", made | {"status": "revoked"})
    api.clock.ms += 5 * DAY_MS
    while await Timers(api.service).fire_due(api.market):
        pass
    assert (await fhir.call("GET", f"/Task/{made['id']}"))[0] == 404
    for condition in ({}, {"If_None_Exist": f"identifier={EHR}|ORD-1"}):
        status, outcome = await fhir.call("POST", "/ServiceRequest", order, **condition)
        assert (status, outcome["issue"][0]["code"]) == (422, "duplicate")
        assert "forgotten" in outcome["issue"][0]["diagnostics"]


async def test_of_many_at_one_moment_one_is_stored_and_all_are_answered(fhir: Fhir) -> None:
    known = {"If_None_Exist": f"identifier={EHR}|ORD-1"}
    same = [fhir.call("POST", "/ServiceRequest", ride()) for _ in range(6)]
    others = [fhir.call("POST", "/ServiceRequest", ride(priority="stat"), **known) for _ in range(6)]
    found = await asyncio.gather(*same, *others)
    assert {status for status, _ in found[6:]} <= {200, 201}
    assert len({each["id"] for status, each in found if status < 300}) == 1
    assert len((await fhir.api.call("GET", "/requests"))[1]["requests"]) == 1


async def test_who_may_not_is_refused_on_every_route_and_who_may_is_served(fhir: Fhir) -> None:
    for operation in (route.operation for route in ROUTES):
        assert operation.roles <= READERS
        path = operation.path.format(market="m", resource_id="none", version="1").partition("/fhir")[2]
        status, outcome = await fhir.call(operation.method, path, role=Role.FACILITY)
        assert (status, outcome["issue"][0]["code"]) == (403, "forbidden"), operation.id
    assert (await fhir.call("GET", "/metadata", Authorization=""))[0] == 401


def test_the_document_of_all_routes_is_valid() -> None:
    document = openapi([route.operation for route in ROUTES], title="FHIR", version="1")
    OpenAPIV31SpecValidator(document).validate()
    assert "patch" in document["paths"]["/v1/markets/{market}/fhir/ServiceRequest/{resource_id}"]


async def test_ops_sees_zones_and_nobody_a_name(fhir: Fhir) -> None:
    _, made = await fhir.call("POST", "/ServiceRequest", ride())
    _, seen = await fhir.call("GET", f"/ServiceRequest/{made['id']}", role=Role.OPS)
    doors = {each["url"]: each.get("valueCode") for each in seen["extension"]}
    assert doors[url("doors")] == "zone"
    assert seen["contained"][0]["position"] != made["contained"][0]["position"]
    assert seen["subject"] == made["subject"]
    assert (await fhir.call("POST", "/ServiceRequest", ride(), role=Role.OPS))[0] == 403


async def test_what_came_by_json_is_read_by_fhir_in_every_state(fhir: Fhir) -> None:
    api = fhir.api
    await api.call("POST", "/requests", trip("r_held", hold=["authorization"]))
    await api.call("POST", "/requests", trip("r_none"))
    will_call = trip("r_call", will_call={"day": "2026-03-03"})
    del will_call["pickup_window"]
    await api.call("POST", "/requests", will_call)
    _, task = await fhir.call("GET", "/Task/r.held")
    assert (task["status"], task["statusReason"]["coding"][0]["code"]) == ("on-hold", "authorization")
    assert (await fhir.call("GET", "/ServiceRequest/r.held"))[1]["status"] == "on-hold"
    _, call = await fhir.call("GET", "/ServiceRequest/r.call")
    assert "occurrencePeriod" not in call
    assert url("will-call") in {each["url"] for each in call["extension"]}
    api.clock.ms += 3 * 86_400_000
    while await Timers(api.service).fire_due(api.market):
        pass
    for name in ("r.none", "r.held"):
        _, task = await fhir.call("GET", f"/Task/{name}")
        assert (task["status"], task["businessStatus"]["coding"][0]["code"]) == ("rejected", "unmatched")
    _, page = await fhir.call("GET", "/Task?status=rejected,cancelled")
    assert {each["resource"]["id"] for each in page["entry"]} >= {"r.none", "r.held"}


async def test_a_patient_may_be_named_by_number_and_a_payer_by_coverage(fhir: Fhir) -> None:
    coverage = {"resourceType": "Coverage", "id": "c", "payor": [{"identifier": {"value": "blue_1"}}]}
    order = ride(
        contained=[*ride()["contained"][1:], coverage],
        subject={"type": "Patient", "identifier": {"value": "MR-9"}, "display": "Canary Wren"},
        insurance=[{"reference": "#c"}],
        performer=[{"type": "Organization", "identifier": {"system": VENDOR_ID, "value": "careful-vans"}}],
    )
    status, made = await fhir.call("POST", "/ServiceRequest", order)
    assert status == 201, made
    unknown = next(each for each in made["extension"] if each["url"] == url("unknown-vendor"))
    assert unknown["valueReference"]["identifier"]["value"] == "careful-vans"
    name = made["identifier"][0]["value"]
    _, block = await fhir.api.call("GET", f"/requests/{name}/patient")
    assert (block["name"], block["record_number"]) == ("Canary Wren", "MR-9")
    asked = (await fhir.api.call("GET", f"/requests/{name}"))[1]["asked"]
    assert (asked["payer"], asked["preferred_vendors"]) == ("blue_1", ["careful-vans"])


async def test_an_order_joins_an_episode_that_is_there_and_a_way_back_names_its_leg(fhir: Fhir) -> None:
    _, made = await fhir.call("POST", "/ServiceRequest", ride())
    name = made["identifier"][0]["value"]
    await fhir.api.call("PUT", "/episodes/stay", {"requests": [name]})
    group = {"system": EPISODE_ID, "value": "stay"}
    status, box = await fhir.call("POST", "/DeviceRequest", oxygen(groupIdentifier=group))
    assert (status, box["groupIdentifier"]["value"]) == (201, "stay"), box
    back = extension("return-of", valueReference={"reference": f"ServiceRequest/{made['id']}"})
    doors = [{**each} for each in ride()["extension"]]
    doors[0]["valueReference"], doors[1]["valueReference"] = (
        doors[1]["valueReference"],
        doors[0]["valueReference"],
    )
    when = extension("will-call", extension=[{"url": "day", "valueDate": "2026-03-03"}])
    order = {
        k: v for k, v in ride("ORD-3", extension=[*doors, back, when]).items() if k != "occurrencePeriod"
    }
    status, home = await fhir.call("POST", "/ServiceRequest", order)
    assert status == 201, home
    assert (await fhir.api.call("GET", f"/requests/{home['identifier'][0]['value']}"))[1]["return_of"] == name


async def test_a_host_that_is_none_is_no_defect(fhir: Fhir) -> None:
    for host in ("[", "a b", "x:99999999", "é"):
        status, _ = await fhir.call("GET", "/metadata", Host=host)
        assert status in (200, 400), host
