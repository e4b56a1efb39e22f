"""What the service says of its FHIR is what it does: no more, and no less."""

from __future__ import annotations

import pytest
from fhir.resources.R4B import get_fhir_model_class

from contracts.codes import OfferState, RequestState
from contracts.problems import PROBLEM_TYPES, FieldError, InvalidMessage, Problem
from dispatcher.http import problem_responses
from dispatcher.interop.fhir import along, metadata, outcome, states
from dispatcher.interop.fhir.answering import BASE
from dispatcher.interop.fhir.elements import ELEMENTS
from dispatcher.interop.fhir.routes import ROUTES
from tests.interop.fhir.conftest import Fhir, judged
from tests.interop.fhir.orders import oxygen, ride


async def test_the_statement_names_every_route_and_every_search_parameter(fhir: Fhir) -> None:
    status, said = await fhir.call("GET", "/metadata")
    assert (status, said["fhirVersion"]) == (200, "4.0.1")
    told = {
        (kind["type"], each["code"]) for kind in said["rest"][0]["resource"] for each in kind["interaction"]
    }
    operations = [route.operation for route in ROUTES]
    kinds = ("ServiceRequest", "DeviceRequest", "Task")
    there = {
        (kind, metadata.INTERACTIONS[each.id.removesuffix(kind)])
        for each in operations
        for kind in kinds
        if each.path.startswith((f"{BASE}/{kind}/", f"{BASE}/{kind}{{")) or each.path == f"{BASE}/{kind}"
    }
    assert told == there
    assert len(there) + 2 == len(operations)  # metadata and the transaction
    for kind in said["rest"][0]["resource"]:
        names = {each["name"] for each in kind["searchParam"]}
        (query,) = [each.query for each in operations if each.id == f"search{kind['type']}" and each.query]
        known = {
            field
            for field in query.__struct_encode_fields__
            if field not in ("_format", "_pretty", "_count", "_cursor")
        }
        assert names == {each.partition(":")[0] for each in known}


async def test_tasks_are_found_by_what_they_are_about_and_their_status_in_pages(fhir: Fhir) -> None:
    made = [
        (
            await fhir.call(
                "POST", "/ServiceRequest", ride(f"O-{n}", subject=NOBODY, contained=DOORS, note=[])
            )
        )[1]
        for n in range(3)
    ]
    _, box = await fhir.call("POST", "/DeviceRequest", oxygen("O-9"))
    seen, path = [], "/Task?status=requested,received&_count=2"
    for _ in range(3):
        status, page = await fhir.call("GET", path)
        assert status == 200
        seen += [each["resource"]["id"] for each in page.get("entry", ())]
        links = {each["relation"]: each["url"] for each in page["link"]}
        if "next" not in links:
            break
        path = links["next"].partition("/fhir")[2]
    assert sorted(seen) == sorted([*(each["id"] for each in made), box["id"]])
    for query, expected in (
        (f"focus=DeviceRequest/{box['id']}", 1),
        (f"focus=ServiceRequest/{box['id']}", 0),
        (f"focus={{base}}/ServiceRequest/{made[0]['id']}", 1),
        (f"based-on=DeviceRequest/{box['id']}/_history/1", 1),
        (f"_id={box['id']}&status=completed", 0),
        ("focus:identifier=urn:oid:1.2.36.146.595.217.0.1%7CO-9", 1),
        ("status=draft", 0),
    ):
        base = str(fhir.api.client.make_url(f"{fhir.api.base}/fhir"))
        _, page = await fhir.call("GET", f"/Task?{query.format(base=base)}")
        assert page["total"] == expected, query


NOBODY = {
    "extension": [
        {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "masked"}
    ]
}
DOORS = [{k: v for k, v in each.items() if k != "address"} for each in ride()["contained"][1:]]


@pytest.mark.parametrize("kind", list(ELEMENTS))
def test_what_becomes_of_every_element_is_said_and_of_no_other(kind: str) -> None:
    known = {name for name in get_fhir_model_class(kind).elements_sequence() if name != "id"}
    assert set(ELEMENTS[kind]) == known | {"id", "resourceType"}


@pytest.mark.parametrize("kind", list(along.NAMES))
def test_every_element_of_what_comes_along_is_known_and_no_other(kind: str) -> None:
    name = "".join(each[0].upper() + each[1:] for each in kind.split("."))
    model = get_fhir_model_class(name)
    resource = {"resourceType"} if "." not in kind else set()
    assert along.NAMES[kind] == {*model.elements_sequence(), "id"} | resource
    assert set(along.MODIFIERS.get(kind, ())) <= along.NAMES[kind]


def test_every_state_of_ours_is_a_status_of_fhir() -> None:
    assert set(states.REQUESTS) == set(RequestState)
    assert set(states.OFFERS) == set(OfferState)
    told = {row.task for row in states.REQUESTS.values()} | set(states.OFFERS.values())
    assert told <= set(states.TASK_STATUSES)
    assert {row.request for row in states.REQUESTS.values()} <= {"active", "on-hold", "revoked", "completed"}


def test_every_problem_is_an_outcome_and_none_of_its_facts_is_lost() -> None:
    assert set(outcome.ISSUES) == set(PROBLEM_TYPES)
    for name in PROBLEM_TYPES:
        error = Problem("the value is 7\nMaybe 8.", type=name, retry_after_s=2.5, ids=["a", {"b": None}])
        _, members = problem_responses.told(error, "call-1")
        made = judged(outcome.outcome(members))
        assert outcome.problem_of(made) == {k: v for k, v in members.items() if k != "detail"}
        assert made["issue"][0]["diagnostics"] == members["detail"]


def test_each_place_that_is_wrong_is_an_issue() -> None:
    errors = [FieldError("/entry/0/resource/status", "one"), FieldError("", "two")]
    _, members = problem_responses.told(InvalidMessage("both", errors=errors), "c")
    issues = judged(outcome.outcome(members))["issue"]
    assert [(each["diagnostics"], each.get("expression")) for each in issues] == [
        ("one", ["entry[0].resource.status"]),
        ("two", None),
    ]
