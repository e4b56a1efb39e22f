"""A request as ServiceRequest or DeviceRequest: what its reader sees of it, and no patient."""

from __future__ import annotations

from typing import Any

import msgspec

from contracts.request_views import Attempt, RequestView
from dispatcher.interop.fhir import device_request, service_request
from dispatcher.interop.fhir.canonical import EPISODE_ID, REQUEST_ID, url
from dispatcher.interop.fhir.ids import fhir_id
from dispatcher.interop.fhir.people import MASKED
from dispatcher.interop.fhir.references import vendor
from dispatcher.interop.fhir.states import REQUESTS

KINDS = {"trip": "ServiceRequest", "equipment": "DeviceRequest"}
WRITTEN = {"trip": service_request.written, "equipment": device_request.written}
GROUP = {"trip": "requisition", "equipment": "groupIdentifier"}


def instant(at: Any) -> str:
    """As JSON has it."""
    return str(msgspec.to_builtins(at))


def meta(view: RequestView) -> dict[str, Any]:
    """The version, and since when it stands."""
    last = view.history[-1].at if view.history else view.received_at
    return {"versionId": str(view.version), "lastUpdated": instant(last)}


def resource(view: RequestView, unknown_vendors: tuple[str, ...] = ()) -> dict[str, Any]:
    """The resource; what cannot be read of what was asked is left out."""
    made: dict[str, Any] = {
        "resourceType": KINDS[view.kind],
        "id": fhir_id(view.id),
        "meta": meta(view),
        "identifier": [{"system": REQUEST_ID, "value": view.id}],
        "status": REQUESTS[view.state].request,
        "intent": "order",
        "subject": MASKED,
        "authoredOn": instant(view.received_at),
    }
    said = [{"url": url("unknown-vendor"), "valueReference": vendor(each)} for each in unknown_vendors]
    if view.asked is not None:
        asked = WRITTEN[view.kind](msgspec.to_builtins(view.asked))
        said = [*asked.pop("extension"), *said]
        made["identifier"] += asked.pop("identifier", [])
        made |= asked
    elif view.kind == "equipment":
        made["codeCodeableConcept"] = {"text": "what was asked cannot be read"}  # FHIR demands a code
    if view.doors is not None:
        said.append({"url": url("doors"), "valueCode": view.doors.value})
    said += charges(view)
    if view.episode:
        made[GROUP[view.kind]] = {"system": EPISODE_ID, "value": view.episode}
    return made | ({"extension": said} if said else {})


def charges(view: RequestView) -> list[dict[str, Any]]:
    """What vendors charge for it, of those that have had the work; a fee after a cancellation, too."""
    return [charge(each) for each in view.attempts if each.price_cents is not None]


def charge(attempt: Attempt) -> dict[str, Any]:
    """What one vendor charges."""
    cents = attempt.price_cents or 0
    return {"url": url("charge"), "valueMoney": {"value": cents / 100, "currency": "USD"}}
