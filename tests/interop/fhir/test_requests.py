"""Orders over HTTP: stored once, found by identifier, cancelled; what is refused, and how that is told."""

from __future__ import annotations

import json
from typing import Any

from contracts.codes import Role
from contracts.instants import DAY_MS
from dispatcher.interop.fhir.canonical import EPISODE_ID, HCPCS, LEVEL, REQUEST_ID, url
from tests.http.test_by_hand import VENDOR, add, answered, put_to
from tests.interop.fhir.conftest import Fhir
from tests.interop.fhir.orders import EHR, extension, location, oxygen, patient, refer, ride

Json = dict[str, Any]


def _facts(outcome: Json) -> Json:
    return {
        part["extension"][0]["valueString"]: json.loads(part["extension"][1]["valueString"])
        for part in outcome.get("extension", ())
    }


async def test_the_same_order_sent_again_is_the_same_request_and_a_changed_one_is_refused(fhir: Fhir) -> None:
    _, made = await fhir.call("POST", "/ServiceRequest", ride())
    status, again = await fhir.call("POST", "/ServiceRequest", ride())
    assert (status, again) == (201, made)
    status, outcome = await fhir.call("POST", "/ServiceRequest", ride(priority="stat"))
    assert (status, outcome["issue"][0]["details"]["coding"][0]["code"]) == (422, "id-reused")
    known = {"If_None_Exist": f"identifier={EHR}|ORD-1"}
    status, found = await fhir.call("POST", "/ServiceRequest", ride(priority="stat"), **known)
    assert (status, found) == (200, made)
    assert fhir.headers["Location"].endswith(f"{made['id']}/_history/1")
    status, new = await fhir.call(
        "POST", "/DeviceRequest", oxygen(), If_None_Exist=f"identifier={EHR}%7CORD-2", Prefer="return=minimal"
    )
    assert (status, new) == (201, {})
    status, outcome = await fhir.call("POST", "/ServiceRequest", ride("ORD-3"), **known)
    assert (status, outcome["issue"][0]["code"]) == (400, "value")
    status, page = await fhir.call("GET", f"/ServiceRequest?identifier={EHR}%7CORD-1")
    assert [each["resource"] for each in page["entry"]] == [made]
    assert (await fhir.call("GET", f"/DeviceRequest?identifier={EHR}%7CORD-1"))[1]["total"] == 0


async def test_all_its_identifiers_are_read_back_and_one_more_makes_it_no_other_order(fhir: Fhir) -> None:
    numbers = [{"system": EHR, "value": "ORD-1"}, {"use": "official", "system": "urn:broker", "value": "T 9"}]
    old = {"use": "old", "system": EHR, "value": "ORD-0"}
    status, made = await fhir.call("POST", "/ServiceRequest", ride(identifier=[*numbers, old, numbers[0]]))
    told = [numbers[0], {"system": "urn:broker", "value": "T 9"}]
    assert (status, made["identifier"][1:]) == (201, told)
    again = await fhir.call("POST", "/ServiceRequest", ride(identifier=[*numbers, {"value": "ACSN-4"}]))
    assert again == (201, made)
    for number, found in (("urn:broker%7CT 9", 1), (f"{EHR}%7CORD-1", 0)):
        assert (await fhir.call("GET", f"/ServiceRequest?identifier={number}"))[1]["total"] == found
    record_number = patient()["identifier"][1]
    status, outcome = await fhir.call("POST", "/ServiceRequest", ride(identifier=[*numbers, record_number]))
    assert (status, outcome["issue"][0]["expression"]) == (422, ["identifier[2]"])
    assert record_number["value"] not in json.dumps(outcome)


async def test_an_order_is_named_and_looked_for_as_engines_do(fhir: Fhir) -> None:
    old = {"use": "old", "system": EHR, "value": "OLD"}
    order = ride(identifier=[old, {"system": EHR, "value": "A, 1"}])
    _, made = await fhir.call("POST", "/ServiceRequest", order)
    search = f"identifier={EHR.replace(':', '%3A')}%7CA%5C%2C+1"
    for condition in (search, f"?{search}", f"ServiceRequest?{search}", f"{ELSE}/ServiceRequest?{search}"):
        assert await fhir.call("POST", "/ServiceRequest", order, If_None_Exist=condition) == (200, made)
    assert (await fhir.call("GET", f"/ServiceRequest?{search}&_count=10"))[1]["total"] == 1
    for path in (
        f"/ServiceRequest?identifier={EHR}%7CA,{EHR}%7CB",
        f"/ServiceRequest?_id={made['id']},{made['id']}",
        f"/ServiceRequest?identifier={REQUEST_ID}%7Ca%20b",
        f"/Task?group-identifier={EPISODE_ID}%7Ca%20b",
        f"/Task?_id={made['id']}&owner=Organization/v1",
        "/Task?owner=Organization/",
        "/Task?owner=Patient/v1",
        f"/Task?focus={ELSE}/ServiceRequest/{made['id']}",
    ):
        status, outcome = await fhir.call("GET", path)
        assert (status, outcome["issue"][0]["code"]) == (400, "value"), path


async def test_of_a_name_with_extensions_the_words_are_read(fhir: Fhir) -> None:
    name = {
        "family": "Wren",
        "given": [None, "Canary"],
        "_given": [{"extension": [{"url": "http://x"}]}, None],
    }
    _, made = await fhir.call("POST", "/ServiceRequest", contained(0, name=[name]))
    _, block = await fhir.api.call("GET", f"/requests/{made['identifier'][0]['value']}/patient")
    assert block["name"] == "Canary Wren"


async def test_without_identifier_a_key_makes_the_order_one(fhir: Fhir) -> None:
    order = ride(identifier=[])
    status, outcome = await fhir.call("POST", "/ServiceRequest", order)
    assert (status, outcome["issue"][0]["code"]) == (400, "required")
    first = await fhir.call("POST", "/ServiceRequest", order, Idempotency_Key="k-1")
    assert first == await fhir.call("POST", "/ServiceRequest", order, Idempotency_Key="k-1")
    assert first[1]["id"] != (await fhir.call("POST", "/ServiceRequest", ride("ORD-9", **LATER)))[1]["id"]


LATER = {"contained": [patient(name=[{"text": "Canary Other"}], identifier=[]), *ride()["contained"][1:]]}


async def test_our_own_ids_come_through_as_they_are(fhir: Fhir) -> None:
    status, made = await fhir.call(
        "POST", "/ServiceRequest", ride(identifier=[{"system": REQUEST_ID, "value": "ride_7-a"}])
    )
    assert (status, made["id"]) == (201, "ride.7-a")
    assert (await fhir.api.call("GET", "/requests/ride_7-a"))[0] == 200
    assert (await fhir.call("GET", "/Task/ride.7-a"))[1]["id"] == "ride.7-a"


async def test_equipment_has_lines_and_no_ride_is_found_under_its_address(fhir: Fhir) -> None:
    further = {
        "coding": [{"system": HCPCS, "code": "E0260"}],
        "extension": [extension("quantity", valuePositiveInt=2), extension("acquisition", valueCode="NU")],
    }
    order = oxygen(extension=[refer("deliver-to", "home"), extension("line", valueCodeableConcept=further)])
    status, made = await fhir.call("POST", "/DeviceRequest", order)
    assert status == 201, made
    _, view = await fhir.api.call("GET", f"/requests/{made['identifier'][0]['value']}")
    assert view["asked"]["lines"] == [
        {"hcpcs": "E1390"},
        {"hcpcs": "E0260", "quantity": 2, "acquisition": "NU"},
    ]
    status, outcome = await fhir.call("GET", f"/ServiceRequest/{made['id']}")
    assert (status, outcome["issue"][0]["code"]) == (404, "not-found")
    assert (await fhir.call("GET", f"/DeviceRequest/{made['id']}/_history/1"))[1] == made
    assert (await fhir.call("GET", f"/DeviceRequest/{made['id']}/_history/2"))[0] == 404


async def test_revoked_cancels_by_put_and_by_patch_once(fhir: Fhir) -> None:
    _, made = await fhir.call("POST", "/ServiceRequest", ride())
    stale = {"If_Match": 'W/"9"'}
    status, outcome = await fhir.call(
        "PUT", f"/ServiceRequest/{made['id']}", made | {"status": "revoked"}, **stale
    )
    assert (status, outcome["issue"][0]["code"]) == (412, "conflict")
    told = made | {"status": "revoked", "extension": [extension("cancel-code", valueCode="NOT_READY")]}
    status, over = await fhir.call("PUT", f"/ServiceRequest/{made['id']}", told, If_Match='W/"1"')
    assert (status, over["status"], over["meta"]["versionId"]) == (200, "revoked", "2")
    _, task = await fhir.call("GET", f"/Task/{made['id']}")
    assert (task["status"], task["statusReason"]["coding"][0]["code"]) == ("cancelled", "NOT_READY")
    patch = [{"op": "replace", "path": "/status", "value": "revoked"}]
    json_patch = {"Content_Type": "application/json-patch+json"}
    path = f"/ServiceRequest/{made['id']}"
    assert await fhir.call("PATCH", path, patch, **json_patch) == (200, over)
    _, done = await fhir.call("PATCH", path, patch, **json_patch, Prefer="return=OperationOutcome")
    assert done["issue"][0]["severity"] == "information"
    changed = [{"op": "replace", "path": "/priority", "value": "stat"}]
    assert (await fhir.call("PATCH", path, changed, **json_patch))[0] == 422
    status, outcome = await fhir.call("PUT", path, made | {"priority": "stat"})
    assert (status, outcome["issue"][0]["expression"]) == (422, ["status"])


async def test_a_vendor_that_takes_the_work_is_its_owner_and_cancelling_late_costs(fhir: Fhir) -> None:
    api = fhir.api
    card = VENDOR.get("rate_card", {})
    await add(
        api,
        "v1",
        npi="1234567893",
        rate_card=card | {"late_cancel_cents": 2_500, "late_cancel_minutes": 10_080},
    )
    _, made = await fhir.call("POST", "/ServiceRequest", ride())
    name = made["identifier"][0]["value"]
    status, view = await put_to(api, "v1", name)
    assert status == 200, view
    _, task = await fhir.call("GET", f"/Task/{made['id']}")
    npi = {"system": "http://hl7.org/fhir/sid/us-npi", "value": "1234567893"}
    assert (task["status"], task["owner"]["identifier"]) == ("received", npi)
    await answered(api, f"{name}.1", "accept", "v1")
    _, task = await fhir.call("GET", f"/Task/{made['id']}")
    assert (task["status"], task["contained"][0]["status"]) == ("accepted", "accepted")
    agreed = next(each for each in task["extension"] if each["url"] == url("agreed"))
    assert agreed["valuePeriod"]["start"] == view["match"]["start_at"]
    _, page = await fhir.call("GET", "/Task?owner=Organization/v1&status=accepted,in-progress")
    assert [each["resource"] for each in page["entry"]] == [
        {k: v for k, v in task.items() if k != "priority"}
    ]
    _, over = await fhir.call("PUT", f"/ServiceRequest/{made['id']}", made | {"status": "revoked"})
    assert over["status"] == "revoked"
    fee = [each["valueMoney"] for each in over["extension"] if each["url"] == url("charge")]
    assert fee == [{"value": 25.0, "currency": "USD"}]
    _, task = await fhir.call("GET", f"/Task/{made['id']}")
    assert (task["status"], task["contained"][0]["status"]) == ("cancelled", "cancelled")


async def test_who_is_on_board_cannot_be_cancelled_and_the_refusal_says_so(fhir: Fhir) -> None:
    await add(fhir.api, "v1")
    _, made = await fhir.call("POST", "/ServiceRequest", ride())
    name = made["identifier"][0]["value"]
    await put_to(fhir.api, "v1", name)
    await answered(fhir.api, f"{name}.1", "accept", "v1")
    fhir.api.clock.ms += DAY_MS
    for step in ("en_route", "at_pickup", "on_board"):
        report = {"status": step}
        path = f"/dispatches/{name}.1/status"
        found = await fhir.api.call("POST", path, report, role=Role.VENDOR, vendor="v1")
        assert found[0] == 200, found
    _, task = await fhir.call("GET", f"/Task/{made['id']}")
    assert (task["status"], task["businessStatus"]["coding"][1]["code"]) == ("in-progress", "on_board")
    assert set(task["executionPeriod"]) == {"start"}
    status, outcome = await fhir.call("PUT", f"/ServiceRequest/{made['id']}", made | {"status": "revoked"})
    assert (status, outcome["issue"][0]["code"]) == (409, "conflict")
    assert _facts(outcome)["tracking_status"] == "on_board"
    await fhir.api.call(
        "POST", f"/dispatches/{name}.1/status", {"status": "completed"}, role=Role.VENDOR, vendor="v1"
    )
    _, task = await fhir.call("GET", f"/Task/{made['id']}")
    assert (task["status"], set(task["executionPeriod"])) == ("completed", {"start", "end"})
    assert (await fhir.call("GET", f"/ServiceRequest/{made['id']}"))[1]["status"] == "completed"


ELSE = "https://ehr.example.org/fhir"


def covered(payor: Json) -> Json:
    """A ride that a Coverage pays for."""
    coverage = {"resourceType": "Coverage", "id": "cov", "status": "active", "payor": [payor]}
    return ride(contained=[*ride()["contained"], coverage], insurance=[{"reference": "#cov"}])


def contained(number: int, **changes: Any) -> Json:
    """A ride of which one contained resource is otherwise."""
    return ride(
        contained=[each | changes if n == number else each for n, each in enumerate(ride()["contained"])]
    )


MORE = {"url": "oxygen", "valueQuantity": {"value": 2, "comparator": ">=", "code": "L/min"}}
BAD: dict[str, tuple[Json, int, str]] = {
    "a modifier extension": (
        ride(modifierExtension=[{"url": "http://x.org/no", "valueBoolean": True}]), 422, "modifierExtension",
    ),
    "not to be done": (ride(doNotPerform=True), 422, "doNotPerform"),
    "a draft": (ride(status="draft"), 422, "status"),
    "a plan": (ride(intent="plan"), 422, "intent"),
    "a priority of nobody's": (ride(priority="emergency"), 422, "priority"),
    "what FHIR has not": (ride(ocurrencePeriod={}), 422, "ocurrencePeriod"),
    "no time": ({k: v for k, v in ride().items() if k != "occurrencePeriod"}, 422, "occurrencePeriod"),
    "a day": (ride(occurrencePeriod={"start": "2026-03-03", "end": "2026-03-04"}), 422,
              "occurrencePeriod.start"),
    "an end before its start": (
        ride(occurrencePeriod={"start": "2026-03-03T15:00:00Z", "end": "2026-03-03T14:00:00Z"}),
        422, "occurrencePeriod",
    ),
    "a code of no ride": (ride(code={"coding": [{"system": HCPCS, "code": "E1390"}]}), 422, "code"),
    "two levels": (
        ride(code={"coding": [{"system": HCPCS, "code": "A0130"}, {"system": LEVEL, "code": "stretcher"}]}),
        422, "code",
    ),
    "no dropoff": (ride(extension=[refer("pickup", "ward")]), 422, "extension"),
    "a patient elsewhere": (ride(subject={"reference": "Patient/7"}), 422, "subject"),
    "an unknown extension of ours": (
        ride(extension=[*ride()["extension"], extension("needz", valueCode="x")]), 422, "extension[2]",
    ),
    "what nobody refers to": (
        ride(contained=[*ride()["contained"], {"resourceType": "Observation", "id": "o"}]),
        422, "contained[3]",
    ),
    "beyond the poles": (
        ride(contained=[patient(), location("ward", 40.78, -173.97), location("home", -73.95, 40.76)]),
        422, "contained[1].position",
    ),
    "two times": (ride(occurrenceDateTime="2026-03-03T15:00:00Z"), 422, "occurrenceDateTime"),
    "a null": (ride(priority=None), 422, "priority"),
    "a misspelt phone": (contained(0, telekom=[]), 422, "contained[0].telekom"),
    "a Coverage by its member's number": (
        ride(insurance=[{"type": "Coverage", "identifier": {"system": EHR, "value": "Canary-77"}}]),
        422, "insurance[0]",
    ),
    "a person who pays": (covered({"reference": "Patient/Canary"}), 422, "insurance[0]"),
    "a person who pays elsewhere": (
        covered({"reference": f"{ELSE}/Patient/9", "identifier": {"value": "Canary"}}), 422, "insurance[0]"),
    "an authorization that is kept elsewhere": (
        ride(insurance=[{"reference": "ClaimResponse/9"}]), 422, "insurance[0]"),
    "another server's vendor": (
        ride(performer=[{"reference": f"{ELSE}/Organization/9"}]), 422, "performer[0]"),
    "another server's ride": (
        ride(extension=[*ride()["extension"], extension(
            "return-of", valueReference={"reference": f"{ELSE}/ServiceRequest/9"})]),
        422, "extension[2].valueReference",
    ),
    "a patient who has died": (
        contained(0, deceasedDateTime="2026-03-01"), 422, "contained[0].deceasedDateTime",
    ),
    "a record that is not in use": (contained(0, active=False), 422, "contained[0].active"),
    "a record that was merged": (
        contained(0, link=[{"other": {}, "type": "replaced-by"}]), 422, "contained[0].link[0].type",
    ),
    "a closed door": (contained(1, status="suspended"), 422, "contained[1].status"),
    "a kind of place": (contained(2, mode="kind"), 422, "contained[2].mode"),
    "an old address": (contained(1, address={"use": "old", "text": "x"}), 422, "contained[1].address.use"),
    "at least so much": (
        ride(extension=[*ride()["extension"], extension("needs", extension=[MORE])]),
        422, "extension[2].extension[0].valueQuantity",
    ),
    "a cover that was cancelled": (
        ride(contained=[*ride()["contained"], {"resourceType": "Coverage", "id": "c", "status": "cancelled"}],
             insurance=[{"reference": "#c"}]),
        422, "contained[3].status",
    ),
    "no position": (
        ride(contained=[patient(), {"resourceType": "Location", "id": "ward"}, location("home", -73, 40)]),
        422, "contained[1]",
    ),
}  # fmt: skip


async def test_what_cannot_be_meant_is_refused_at_its_place_and_nothing_of_the_patient_is_repeated(
    fhir: Fhir,
) -> None:
    for what, (body, expected, expression) in BAD.items():
        status, outcome = await fhir.call("POST", "/ServiceRequest", body)
        issue = outcome["issue"][0]
        assert (status, issue.get("expression"), issue["severity"]) == (expected, [expression], "error"), what
        assert "Canary" not in str(outcome), what
        assert "Maybe" in issue["diagnostics"], what
        assert ("moment, such as" in issue["diagnostics"]) is (what == "a day"), what
    assert (await fhir.api.call("GET", "/requests"))[1]["requests"] == []


async def test_what_is_wrong_within_the_patient_is_told_without_it(fhir: Fhir) -> None:
    wrong = ride(contained=[patient(name=[{"text": ["Canary"]}]), *ride()["contained"][1:]])
    status, outcome = await fhir.call("POST", "/ServiceRequest", wrong)
    assert (status, outcome["issue"][0]["expression"]) == (422, ["contained[0].name[0].text"])
    nameless = ride(contained=[patient(name=[{"use": "old", "text": "Canary"}]), *ride()["contained"][1:]])
    status, outcome = await fhir.call("POST", "/ServiceRequest", nameless)
    assert (status, outcome["issue"][0]["expression"]) == (422, ["contained[0].name"])
    assert "Canary" not in str(outcome)


async def test_problems_have_the_form_of_fhir_and_all_facts_whatever_is_wrong(fhir: Fhir) -> None:
    for method, path, status, code in (
        ("GET", "/Nothing", 404, "not-found"),
        ("DELETE", "/ServiceRequest/x", 405, "not-supported"),
        ("GET", "/Task/none", 404, "not-found"),
        ("GET", "/Task?status=nope", 400, "value"),
        ("GET", "/Task?_lastUpdated=gt2026-01-01", 400, "value"),
        ("GET", "/Task/no_underscore", 400, "value"),
    ):
        found, outcome = await fhir.call(method, path)
        assert (found, outcome["issue"][0]["code"]) == (status, code), path
        assert fhir.headers["Content-Type"] == "application/fhir+json"
    status, outcome = await fhir.call("GET", "/Task/x", Accept="application/fhir+xml")
    assert (status, outcome["issue"][0]["code"]) == (406, "not-supported")
    status, outcome = await fhir.call("GET", "/Task/x", role=Role.FACILITY)
    assert (status, outcome["issue"][0]["code"]) == (403, "forbidden")
    await fhir.call("POST", "/ServiceRequest", ride())
    status, outcome = await fhir.call("POST", "/ServiceRequest", ride("ORD-4"))
    assert (status, outcome["issue"][0]["code"]) == (409, "duplicate")
    facts = _facts(outcome)
    assert facts["duplicates"][0]["duplicate_of"] == facts["duplicate_of"]
    assert facts["call_id"] == fhir.headers["X-Request-Id"]


async def test_json_is_answered_where_it_is_asked_for(fhir: Fhir) -> None:
    status, made = await fhir.call(
        "POST", "/ServiceRequest", ride(), Content_Type="application/json", Accept="*/*"
    )
    assert status == 201
    await fhir.call("HEAD", f"/ServiceRequest/{made['id']}", Prefer="return=minimal")
    assert "Location" not in fhir.headers
    assert int(fhir.headers["Content-Length"]) > 2
    await fhir.call("GET", "/Task?_format=application/json&_pretty=true")
    assert fhir.headers["Content-Type"] == "application/json"
    assert url("x") == "urn:dispatcher:fhir:x"
