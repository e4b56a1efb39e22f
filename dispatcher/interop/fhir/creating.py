"""A resource that comes: which request of ours it asks for, under which id."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from contracts.codes import ProviderCancelCode
from contracts.problems import InvalidMessage
from contracts.requests import Request
from dispatcher.interop.fhir import device_request, extensions, service_request
from dispatcher.interop.fhir.canonical import url
from dispatcher.interop.fhir.composing import Composing
from dispatcher.interop.fhir.datatypes import REQUESTS, Asked, DeviceRequest, Element, ServiceRequest
from dispatcher.interop.fhir.elements import refuse_unknown
from dispatcher.interop.fhir.references import Around, read
from dispatcher.service.swapped import refuse_swapped


class Made(NamedTuple):
    """A request of ours, and what it was composed as: it knows where each field stood."""

    request: Request
    composing: Composing


def decoded(body: Mapping[str, Any], kind: str, at: str = "") -> Asked:
    """The resource, with nothing in it that is not understood. Raises InvalidMessage."""
    said = body.get("resourceType")
    if said != kind:
        shown = said[:40] if isinstance(said, str) else "not said"
        raise InvalidMessage.at(
            f"{at}/resourceType", f"it is {shown}, and {kind} belongs here\nMaybe POST it there."
        )
    refuse_unknown(body, kind, at)
    return read(body, REQUESTS[kind], at)


def composed(given: Asked, name: str, around: Around, at: str = "") -> Composing:
    """What it asks for. Raises InvalidMessage."""
    if isinstance(given, ServiceRequest):
        return service_request.composed(given, name, around, at)
    assert isinstance(given, DeviceRequest)  # noqa: S101  (REQUESTS has these two)
    return device_request.composed(given, name, around, at)


def made(composing: Composing, zone: str) -> Made:
    """The request. Raises InvalidMessage, at places of the resource."""
    form = service_request.FORM if composing.ours["kind"] == "trip" else device_request.FORM
    request = composing.message(form)
    try:
        refuse_swapped(request, zone)
    except InvalidMessage as error:
        raise composing.told(error) from None
    return Made(request, composing)


def cancel_code(body: Mapping[str, Any], kind: str) -> str:
    """Why a request is cancelled, by the extension that says so; "": not said. Raises InvalidMessage."""
    given = read({"extension": body.get("extension", [])}, Element).extension
    ours = [each for each in given if each.get("url") == url("cancel-code")]
    said = extensions.found(ours, kind, Around(()), "").get("cancel-code", ())
    for value, pointer in said:
        if value not in tuple(ProviderCancelCode):
            raise InvalidMessage.at(
                pointer, f"{value[:40]!r} is none of our codes\nMaybe one of {', '.join(ProviderCancelCode)}."
            )
    return said[0][0] if said else ""
