"""A request is read back as it was asked; its patient by those who may, and it is written down who did."""

from __future__ import annotations

import json
from typing import Any

from contracts.codes import Role
from contracts.identifiers import Identifier
from contracts.instants import HOUR_MS
from contracts.notifications import Contact
from contracts.patient_reads import PatientRead
from contracts.patients import Patient
from dispatcher.domain.patient_reads import PATIENT_READ_KIND
from dispatcher.jobs.timers import Timers
from tests.http.conftest import Api, trip
from tests.http.test_offers import offered
from tests.http.test_patient_keys import LACKING

PATIENT = {"name": "Canary Read", "phone": "555-0177", "notes": "canary-note"}
ASKED = trip(
    "r1",
    priority="urgent",
    needs={"oxygen_l_min": 2.0, "stairs": 3, "weight_kg": 90},
    preferred_vendors=["v1"],
    excluded_vendors=["v9"],
    service_minutes=12,
    patient=PATIENT,
    identifiers=[{"system": "urn:oid:1.2.3", "value": "ORD-7"}, {"value": "TRIP 9"}],
)


async def reads(api: Api, query: str = "") -> list[dict[str, Any]]:
    status, page = await api.call("GET", f"/patient-reads{query}", role=Role.OPS)
    assert status == 200
    return list(page["reads"])


async def test_all_that_was_asked_is_read_back_but_the_patient(api: Api) -> None:
    assert (await api.call("POST", "/requests", ASKED))[0] == 202
    view = (await api.call("GET", "/requests/r1"))[1]
    wanted = {name: value for name, value in ASKED.items() if name != "patient"}
    window = {end: at.replace("+00:00", "Z") for end, at in wanted["pickup_window"].items()}
    assert view["asked"] == wanted | {"pickup_window": window}
    assert view["doors"] == "exact"


async def test_another_number_makes_it_no_other_request_and_one_number_no_duplicate(api: Api) -> None:
    other = {"identifiers": [{"value": "ORD-8"}]}
    for body in (ASKED, ASKED | other, trip("r2", identifiers=ASKED["identifiers"])):
        assert (await api.call("POST", "/requests", body))[0] == 202
    assert (await api.call("GET", "/requests/r1"))[1]["asked"]["identifiers"] == ASKED["identifiers"]
    assert (await api.call("POST", "/requests", ASKED | {"service_minutes": 13}))[0] == 422


async def test_ops_reads_zones_and_no_door(api: Api) -> None:
    await api.call("POST", "/requests", ASKED)
    view = (await api.call("GET", "/requests/r1", role=Role.OPS))[1]
    assert view["doors"] == "zone"
    assert view["asked"]["priority"] == "urgent"
    for end in ("pickup", "dropoff"):
        assert view["asked"][end]["position"] != ASKED[end]["position"]
        assert str(ASKED[end]["position"])[1:-1] not in json.dumps(view)


async def test_identifiers_are_the_vendors_once_it_has_the_work_and_may_change_until_it_is_done(
    api: Api,
) -> None:
    vendor: dict[str, Any] = {"role": Role.VENDOR, "vendor": "v1"}
    first, other = Identifier(system="broker", value="canary-trip-1"), {"value": "canary-trip-2"}
    offer_id = await offered(api, identifiers=(first,))
    _, offer = await api.call("GET", f"/offers/{offer_id}", **vendor)
    assert "canary-trip" not in json.dumps(offer)
    _, taken = await api.call("POST", f"/offers/{offer_id}/accept", {}, **vendor)
    assert taken["identifiers"] == [{"system": "broker", "value": "canary-trip-1"}]
    status, view = await api.call("POST", "/requests/r1/amend", {"identifiers": [other]})
    assert (status, view["request"]["amendments"][0]["outcome"]) == (200, "made")
    assert (await api.call("GET", f"/dispatches/{offer_id}", **vendor))[1]["identifiers"] == [other]
    told = await api.store.reader.ask("XRANGE", api.store.market(api.market).keys.stream("v1"), "-", "+")
    assert "dispatch.dispatch.amended" in str(told)
    assert "canary-trip" not in str(told)


async def test_lists_and_answers_to_commands_stay_light(api: Api) -> None:
    await api.call("POST", "/requests", ASKED)
    page = (await api.call("GET", "/requests"))[1]
    assert "asked" not in page["requests"][0]
    assert "asked" not in (await api.call("POST", "/requests/r1/hold"))[1]


async def test_who_reads_a_patient_block_is_written_down_before_it_is_shown(api: Api) -> None:
    await api.call("POST", "/requests", ASKED)
    assert await api.call("GET", "/requests/r1/patient?reason=call_back") == (200, PATIENT)
    api.clock.ms += 1
    assert await api.call("GET", "/requests/r1/patient", role=Role.OPS) == (200, PATIENT)
    found = await reads(api, "?request_id=r1")
    assert [(each["by"], each.get("reason")) for each in found] == [("platform", "call_back"), ("ops", None)]
    assert {each["request_id"] for each in found} == {"r1"}
    assert await reads(api) == found
    assert not any(value in json.dumps(found) for value in PATIENT.values())


async def test_a_vendor_reads_no_patient_block_this_way_and_leaves_no_entry(api: Api) -> None:
    await api.call("POST", "/requests", ASKED)
    status, _ = await api.call("GET", "/requests/r1/patient", role=Role.VENDOR, vendor="v1")
    assert status == 403
    assert await reads(api) == []


async def test_a_vendors_look_at_its_dispatch_is_kept_once_an_hour_and_shows_no_record_number(
    api: Api,
) -> None:
    contact = Contact(email="canary@example.org")
    patient = Patient(**PATIENT, record_number="canary-number", contact=contact)
    vendor = {"role": Role.VENDOR, "vendor": "v1"}
    offer_id = await offered(api, patient=patient)
    assert await reads(api) == []
    answers = [await api.call("POST", f"/offers/{offer_id}/accept", {}, **vendor)]
    for pause_ms in (60_000, 60_000, HOUR_MS):
        api.clock.ms += pause_ms
        answers.append(await api.call("GET", f"/dispatches/{offer_id}", **vendor))
    assert [(status, seen["patient"]) for status, seen in answers] == [(200, PATIENT)] * 4
    found = await reads(api, "?request_id=r1")
    assert [each["by"] for each in found] == ["vendor:v1"] * 2
    assert (await api.call("GET", f"/dispatches/{offer_id}", role=Role.VENDOR, vendor="v2"))[0] == 404
    assert await reads(api) == found


async def test_an_unknown_request_and_one_without_a_patient_are_told_in_the_same_words(api: Api) -> None:
    await api.call("POST", "/requests", trip("r2"))
    answers = [await api.call("GET", f"/requests/{each}/patient") for each in ("r2", "r3")]
    assert [status for status, _ in answers] == [404, 404]
    assert answers[0][1]["detail"] == answers[1][1]["detail"].replace("r3", "r2")
    assert await reads(api) == []


async def test_without_the_key_nothing_is_read_and_no_entry_says_so(api: Api) -> None:
    await api.call("POST", "/requests", ASKED)
    api.store.vault.take(LACKING)
    status, problem = await api.call("GET", "/requests/r1/patient")
    assert (status, problem["type"]) == (503, "/problems/patient-key-missing")
    status, view = await api.call("GET", "/requests/r1")
    assert (status, "asked" in view) == (200, False)
    assert await reads(api) == []


async def test_an_entry_outlives_its_request_and_is_forgotten_in_its_time(api: Api) -> None:
    await api.call("POST", "/requests", ASKED)
    await api.call("GET", "/requests/r1/patient")
    await api.call("POST", "/requests/r1/cancel")
    api.clock.ms += 30 * 24 * 3_600_000
    timers = Timers(api.service)
    while await timers.fire_due(api.market):
        pass
    assert (await api.call("GET", "/requests/r1"))[0] == 404
    assert len(await reads(api)) == 1
    api.clock.ms += 340 * 24 * 3_600_000
    while await timers.fire_due(api.market):  # the patient's card goes, too
        pass
    assert await reads(api) == []
    assert await api.store.market(api.market).records(PATIENT_READ_KIND).next_due_ms() is None


def test_an_entry_has_no_field_for_anything_of_the_patient() -> None:
    assert PatientRead.__struct_fields__ == ("id", "request_id", "at", "by", "subject", "reason")
