"""How a patient wants to be told is nobody's at the vendor; what is agreed anew is reminded of anew."""

from __future__ import annotations

import json
from typing import Any

import pytest

from contracts.codes import Role
from contracts.instants import to_instant
from dispatcher.domain.notifications import NOTIFICATION_KIND
from dispatcher.jobs.timers import Timers
from tests.http.conftest import Api, trip
from tests.http.test_amendments import (  # noqa: F401  (a fixture)
    LATER,
    PATIENT,
    accepted,
    amend,
    answer,
    as_vendor,
    town,
)

CONTACT = {"email": "canary@example.org", "language": "es", "tz": "America/Chicago"}


async def planned(api: Api, state: str = "planned") -> list[Any]:
    """Notifications in that state."""
    records = api.store.market(api.market).records(NOTIFICATION_KIND)
    ids = await records.due_in(f"notifications:{state}", 2**52, 10)
    return list((await records.get_all(ids)).values())


async def test_a_time_that_was_agreed_anew_is_reminded_of_and_the_old_one_is_not(town: Api) -> None:  # noqa: F811
    await town.call(
        "PUT", "/tuning", {"values": {"notify_appointment_hours": 1}, "reason": "short"}, role=Role.OPS
    )
    town.service.markets.forget_tuning(town.market)
    await accepted(town)
    (first,) = await planned(town)
    await amend(town, LATER)
    _, offer = await answer(town, "agree")
    starts = [to_instant(each.start_ms).isoformat().replace("+00:00", "Z") for each in await planned(town)]
    assert starts[1:] == [offer["start_at"]]
    town.clock.ms = first.due_ms
    await Timers(town.service).fire_due(town.market)
    assert [each.code for each in await planned(town, "dropped")] == ["moved"]
    assert len(await planned(town)) == 1
    assert await planned(town, "due") == []


async def test_no_vendor_sees_how_a_patient_is_reached_beyond_the_phone(town: Api) -> None:  # noqa: F811
    await town.call("POST", "/requests/r1/cancel", {})
    request = trip("r2", patient=PATIENT | {"contact": CONTACT})
    assert (await town.call("POST", "/requests", request))[0] == 202
    status, offer = await town.call("POST", "/requests/r2/offer", {"vendor_id": "v1"}, role=Role.OPS)
    assert status == 200, offer
    _, taken = await as_vendor(town, "POST", "/offers/r2.1/accept", {})
    _, dispatch = await as_vendor(town, "GET", "/dispatches/r2.1")
    assert taken["patient"]["name"] == PATIENT["name"]
    await town.call("POST", "/requests/r2/amend", LATER)
    _, proposed = await as_vendor(town, "GET", "/offers/r2.1/amendment")
    assert proposed["dispatch"]["patient"]["name"] == PATIENT["name"]
    assert "canary@" not in json.dumps([taken, dispatch, proposed])
    stored = await town.store.market(town.market).requests.patient("r2")
    assert stored is not None
    assert stored.contact is not None
    assert stored.contact.email == CONTACT["email"]


@pytest.mark.parametrize(
    "contact",
    [
        {"tz": "Mars/Olympus"},
        {"email": "a@b\r\nBcc: c@d"},
        {"email": "a@b, c@d"},
        {"email": "Canary <a@b>"},
        {"language": "english"},
        {"opt_out": "yes"},
        {"fax": "1"},
    ],
)
async def test_a_contact_that_cannot_be_used_is_refused_without_repeating_it(
    api: Api, contact: dict[str, Any]
) -> None:
    status, problem = await api.call("POST", "/requests", trip("r1", patient=PATIENT | {"contact": contact}))
    assert status == 422
    assert problem["errors"][0]["pointer"].startswith("/patient/contact")
    assert not any(str(value) in json.dumps(problem) for value in contact.values() if value != "1")
