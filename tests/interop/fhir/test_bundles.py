"""A transaction is an episode: its sequence, its bundle, all or none of it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from dispatcher.interop.fhir.canonical import url
from tests.interop.fhir.conftest import Fhir
from tests.interop.fhir.orders import AT, EHR, extension, location, oxygen, patient, ride

Json = dict[str, Any]
PATIENT, HOME, WARD, RIDE, OXYGEN = (f"urn:uuid:0000000{n}-0000-4000-8000-000000000000" for n in range(5))


def entry(resource: Json, full_url: str = "", **request: Any) -> Json:
    asked = {"method": "POST", "url": resource["resourceType"]} | request
    return {"resource": resource, "request": asked} | ({"fullUrl": full_url} if full_url else {})


def reference(name: str, to: str) -> Json:
    return extension(name, valueReference={"reference": to})


def later_ride(**changes: Any) -> Json:
    at = AT + timedelta(hours=4)
    made = ride(
        contained=[],
        extension=[reference("pickup", WARD), reference("dropoff", HOME)],
        subject={"reference": PATIENT},
        occurrencePeriod={"start": at.isoformat(), "end": (at + timedelta(minutes=30)).isoformat()},
    )
    return made | changes


def group(**changes: Any) -> Json:
    relation = {"actionId": "o", "relationship": "after-end", "offsetDuration": {"value": 15, "code": "min"}}
    actions = [
        {"id": "o", "resource": {"reference": OXYGEN}},
        {"id": "r", "resource": {"reference": RIDE}, "relatedAction": [relation]},
    ]
    return {
        "resourceType": "RequestGroup",
        "status": "active",
        "intent": "order",
        "action": actions,
    } | changes


def discharge(*more: Json, **changes: Any) -> Json:
    here = oxygen(contained=[], extension=[reference("deliver-to", HOME)], subject={"reference": PATIENT})
    entries = [
        entry(patient(), PATIENT),
        entry(location("home", -73.95, 40.76), HOME),
        entry(location("ward", -73.97, 40.78), WARD),
        entry(here, OXYGEN),
        entry(later_ride(), RIDE),
        *more,
    ]
    name = {"system": EHR, "value": "DISCHARGE-1"}
    return {"resourceType": "Bundle", "type": "transaction", "identifier": name, "entry": entries} | changes


async def test_a_discharge_is_stored_as_an_episode_in_sequence_and_sent_again_is_the_same(fhir: Fhir) -> None:
    body = discharge(entry(group()))
    status, told = await fhir.call("POST", "", body)
    assert status == 200, told
    assert [each["response"]["status"][:3] for each in told["entry"]] == ["200"] * 3 + ["201"] * 2 + ["200"]
    oxygen_, ride_ = (told["entry"][n]["resource"] for n in (3, 4))
    names = [each["identifier"][0]["value"] for each in (oxygen_, ride_)]
    episode = ride_["requisition"]["value"]
    _, whole = await fhir.api.call("GET", f"/episodes/{episode}")
    (edge,) = whole["sequence"]
    assert (edge["before"], edge["after"], edge["least_lag_minutes"]) == (*names, 15)
    _, task = await fhir.call("GET", f"/Task/{ride_['id']}")
    assert task["groupIdentifier"]["value"] == episode
    for group_ in (f"{EHR}%7CDISCHARGE-1", f"urn:dispatcher:fhir:episode-id%7C{episode}"):
        _, page = await fhir.call("GET", f"/Task?group-identifier={group_}&status=requested,on-hold")
        assert {each["resource"]["id"] for each in page["entry"]} == {oxygen_["id"], ride_["id"]}
    assert (await fhir.call("GET", f"/Task?group-identifier={EHR}%7CNONE"))[1]["total"] == 0
    more = {"system": "urn:filler", "value": "F-1"}  # makes it no other order
    body["entry"][3]["resource"]["identifier"].append(more)
    status, again = await fhir.call("POST", "", body)
    assert (status, again["entry"][3]["resource"]) == (200, oxygen_)
    assert again["entry"][3]["response"]["status"] == "200 OK"
    _, brief = await fhir.call("POST", "", body, Prefer="return=minimal")
    assert [each["response"] for each in brief["entry"]] == [each["response"] for each in again["entry"]]
    assert not any("resource" in each for each in brief["entry"])
    _, block = await fhir.api.call("GET", f"/requests/{names[1]}/patient")
    assert (block["name"], block["pickup_address"]) == ("Canary B. Wren", "ward street 1, New York, NY 10001")


async def test_entries_refer_to_each_other_as_an_ehr_names_them(fhir: Fhir) -> None:
    text = json.dumps(discharge())
    for name, kind in ((PATIENT, "Patient"), (HOME, "Location"), (WARD, "Location")):
        text = text.replace(f'"fullUrl": "{name}"', f'"fullUrl": "https://ehr.org/r4/{kind}/{name[-36:]}"')
        text = text.replace(f'"reference": "{name}"', f'"reference": "{kind}/{name[-36:]}"')
    body = json.loads(text)
    body["entry"][3]["resource"]["performer"] = {"reference": "Organization/nobody"}
    status, told = await fhir.call("POST", "", body)
    assert status == 200, told
    assert "unknown-vendor" in str(told["entry"][3]["resource"])


async def test_all_or_none_has_its_end_and_what_goes_before_may_be_said_on_the_request(fhir: Fhir) -> None:
    by = (AT - timedelta(hours=2)).isoformat()
    behind = extension("after", extension=[{"url": "request", "valueReference": {"reference": OXYGEN}}])
    whole = {
        "selectionBehavior": "all-or-none",
        "action": [{"resource": {"reference": each}} for each in (OXYGEN, RIDE)],
    }
    bundle = group(action=[whole], extension=[extension("decide-by", valueDateTime=by)])
    body = discharge(entry(bundle))
    body["entry"][4]["resource"]["extension"].append(behind)
    status, told = await fhir.call("POST", "", body)
    assert status == 200, told
    ride_ = told["entry"][4]["resource"]
    _, episode = await fhir.api.call("GET", f"/episodes/{ride_['requisition']['value']}")
    assert (episode["bundle"], episode["decide_by"]) == ("all_or_none", by.replace("+00:00", "Z"))
    assert [edge["stands"] for edge in episode["sequence"]] == ["waiting"]
    (before,) = [each for each in ride_["extension"] if each["url"] == url("after")]
    first = told["entry"][3]["resource"]["identifier"][0]
    assert before["extension"][0]["valueReference"]["identifier"] == first


def _without(body: Json, number: int) -> Json:
    return body | {"entry": [each for n, each in enumerate(body["entry"]) if n != number]}


def _changed(number: int, **changes: Any) -> Json:
    body = discharge()
    return body | {"entry": [each | changes if n == number else each for n, each in enumerate(body["entry"])]}


def behind(**changes: Any) -> list[Json]:
    """The actions of a group, the second with these changes."""
    first, second = group()["action"]
    return [first, second | changes]


SECOND = "entry[5].resource.action[1]"
PAST = {"start": "2026-03-01T10:00:00Z", "end": "2026-03-01T11:00:00Z"}
BESIDE = {"actionId": "o", "relationship": "concurrent"}
BAD: dict[str, tuple[Json, str]] = {
    "a batch": (discharge(type="batch"), "type"),
    "a ride in the past": (
        _changed(4, resource=later_ride(occurrencePeriod=PAST)), "",
    ),
    "no patient": (_without(discharge(), 0), "entry[2].resource.subject"),
    "a place that nobody needs": (discharge(entry(location("x", -73.9, 40.7), "urn:uuid:9")), "entry[5]"),
    "something else": (discharge(entry({"resourceType": "Encounter"})), "entry[5].resource"),
    "a PUT": (_changed(4, request={"method": "PUT", "url": "ServiceRequest/x"}), "entry[4].request"),
    "one wrong request": (_changed(4, resource=later_ride(status="draft")), "entry[4].resource.status"),
    "a wrong relation": (
        discharge(entry(group(action=[
            {"id": "o", "resource": {"reference": OXYGEN}},
            {"id": "r", "resource": {"reference": RIDE}, "relatedAction": [BESIDE]},
        ]))),
        "entry[5].resource.action[1].relatedAction[0]",
    ),
    "a condition": (
        discharge(entry(group(action=behind(condition=[{"kind": "start"}])))), f"{SECOND}.condition",
    ),
    "a time of its own": (
        discharge(entry(group(action=behind(timingDateTime=AT.isoformat())))), f"{SECOND}.timingDateTime",
    ),
    "what may be left out": (
        discharge(entry(group(action=behind(requiredBehavior="could")))), f"{SECOND}.requiredBehavior",
    ),
    "a misspelt relation": (
        discharge(entry(group(action=behind(relatedActions=[])))), f"{SECOND}.relatedActions",
    ),
    "actions and a relation": (
        discharge(entry(group(action=[{"action": group()["action"], "relatedAction": [BESIDE]}]))),
        "entry[5].resource.action[0]",
    ),
    "a plan": (discharge(entry(group(intent="plan"))), "entry[5].resource.intent"),
    "a misspelt name": (discharge(idenitfier={"value": "x"}), "idenitfier"),
    "all or none for ever": (
        discharge(entry(group(action=[{"selectionBehavior": "all-or-none", "action": group()["action"]}]))),
        "entry[5].resource",
    ),
}  # fmt: skip


async def test_of_what_is_wrong_in_one_part_nothing_is_stored(fhir: Fhir) -> None:
    for what, (body, expression) in BAD.items():
        status, outcome = await fhir.call("POST", "", body)
        assert (status, outcome["issue"][0].get("expression", [""])) == (422, [expression]), what
        assert "Canary" not in str(outcome), what
    assert (await fhir.api.call("GET", "/requests"))[1]["requests"] == []


async def test_what_may_be_asked_for_twice_is_told_with_its_entry(fhir: Fhir) -> None:
    await fhir.call("POST", "", discharge())
    again = discharge(identifier={"system": EHR, "value": "D-2"})
    for place, number in ((3, "N-1"), (4, "N-2")):
        again["entry"][place]["resource"]["identifier"] = [{"system": EHR, "value": number}]
    status, outcome = await fhir.call("POST", "", again)
    assert (status, outcome["issue"][0]["code"]) == (409, "duplicate")
    assert "/entry/3/resource" in str(outcome)
    assert "/entry/4/resource" in str(outcome)
