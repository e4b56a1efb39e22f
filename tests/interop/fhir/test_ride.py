"""The whole way: a ServiceRequest becomes a ride, and its Task is followed."""

from __future__ import annotations

from tests.interop.fhir.conftest import Fhir
from tests.interop.fhir.orders import ride


async def test_a_ride_is_asked_for_read_back_and_followed(fhir: Fhir) -> None:
    status, made = await fhir.call("POST", "/ServiceRequest", ride())
    assert status == 201, made
    assert fhir.headers["Location"].endswith(f"/fhir/ServiceRequest/{made['id']}/_history/1")
    assert fhir.headers["ETag"] == 'W/"1"'
    status, read = await fhir.call("GET", f"/ServiceRequest/{made['id']}")
    assert (status, read) == (200, made)
    assert (read["status"], read["priority"]) == ("active", "urgent")
    status, task = await fhir.call("GET", f"/Task/{made['id']}")
    assert (status, task["status"]) == (200, "requested")
    assert task["focus"]["reference"] == f"ServiceRequest/{made['id']}"
    assert task["businessStatus"]["coding"][0]["code"] == "received"
    name = made["identifier"][0]["value"]
    status, view = await fhir.api.call("GET", f"/requests/{name}")
    assert (view["asked"]["level_of_service"], view["asked"]["priority"]) == ("wheelchair", "urgent")
    assert view["asked"]["pickup"] == {"position": [-73.97, 40.78]}
    _, block = await fhir.api.call("GET", f"/requests/{name}/patient")
    assert block == {
        "name": "Canary B. Wren",
        "phone": "+1-555-0100",
        "record_number": "MR-77",
        "pickup_address": "ward street 1, New York, NY 10001",
        "dropoff_address": "home street 1, New York, NY 10001",
        "notes": "canary note: ring twice",
    }
    assert "Canary" not in str(read) + str(task)
