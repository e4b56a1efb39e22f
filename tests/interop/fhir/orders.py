"""Orders as a hospital's integration engine sends them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from dispatcher.interop.fhir.canonical import HCPCS, IDENTIFIER_TYPE, url
from tests.http.conftest import NOW

Json = dict[str, Any]
EHR = "urn:oid:1.2.36.146.595.217.0.1"
AT = NOW + timedelta(days=1)


def patient(**changes: Any) -> Json:
    """Nobody, with all that an EHR knows."""
    number = {
        "type": {"coding": [{"system": IDENTIFIER_TYPE, "code": "MR"}]},
        "system": f"{EHR}.9",
        "value": "MR-77",
    }
    return {
        "resourceType": "Patient",
        "id": "pat",
        "identifier": [{"system": "http://hl7.org/fhir/sid/us-ssn", "value": "000-00-0000"}, number],
        "name": [{"use": "old", "text": "Canary Former"}, {"family": "Wren", "given": ["Canary", "B."]}],
        "telecom": [{"system": "email", "value": "c@d.org"}, {"system": "phone", "value": "+1-555-0100"}],
        "birthDate": "1950-04-01",
        "gender": "female",
    } | changes


def location(name: str, lon: float, lat: float, **changes: Any) -> Json:
    """A door."""
    address = {"line": [f"{name} street 1"], "city": "New York", "state": "NY", "postalCode": "10001"}
    position = {"longitude": lon, "latitude": lat}
    return {"resourceType": "Location", "id": name, "position": position, "address": address} | changes


def extension(name: str, **value: Any) -> Json:
    """One of ours."""
    return {"url": url(name)} | value


def refer(name: str, to: str) -> Json:
    """One of ours that refers to something contained."""
    return extension(name, valueReference={"reference": f"#{to}"})


def ride(number: str = "ORD-1", **changes: Any) -> Json:
    """A wheelchair van tomorrow."""
    return {
        "resourceType": "ServiceRequest",
        "contained": [patient(), location("ward", -73.97, 40.78), location("home", -73.95, 40.76)],
        "extension": [refer("pickup", "ward"), refer("dropoff", "home")],
        "identifier": [{"system": EHR, "value": number}],
        "status": "active",
        "intent": "order",
        "priority": "urgent",
        "code": {"coding": [{"system": HCPCS, "code": "A0130"}]},
        "subject": {"reference": "#pat"},
        "occurrencePeriod": {
            "start": AT.isoformat(),
            "end": (AT + timedelta(minutes=30)).isoformat(),
        },
        "authoredOn": NOW.isoformat(),
        "requester": {"display": "Ward 4"},
        "note": [{"text": "canary note: ring twice"}],
    } | changes


def oxygen(number: str = "ORD-2", **changes: Any) -> Json:
    """A concentrator, delivered tomorrow."""
    return {
        "resourceType": "DeviceRequest",
        "contained": [patient(), location("home", -73.95, 40.76)],
        "extension": [refer("deliver-to", "home")],
        "identifier": [{"system": EHR, "value": number}],
        "status": "active",
        "intent": "order",
        "codeCodeableConcept": {"coding": [{"system": HCPCS, "code": "E1390"}]},
        "subject": {"reference": "#pat"},
        "occurrencePeriod": {"start": AT.isoformat(), "end": (AT + timedelta(hours=2)).isoformat()},
    } | changes
