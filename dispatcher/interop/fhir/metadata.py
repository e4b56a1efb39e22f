"""CapabilityStatement: what there is, made from the routes, so that it is true."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from aiohttp import web

from contracts.operations import Operation
from dispatcher import __version__
from dispatcher.http.call import Call
from dispatcher.http.parts import Parts
from dispatcher.interop.fhir.answering import BASE, answer, base_of
from dispatcher.interop.fhir.canonical import FHIR_VERSION, url

SINCE = "2026-11-30"
INTERACTIONS: Mapping[str, str] = {  # by how an operation's id begins
    "create": "create",
    "read": "read",
    "vread": "vread",
    "update": "update",
    "patch": "patch",
    "search": "search-type",
}
SEARCHES: Mapping[str, Mapping[str, str]] = {  # parameters by resource, with their types
    "Task": {
        "_id": "token",
        "focus": "reference",
        "based-on": "reference",
        "group-identifier": "token",
        "status": "token",
        "owner": "reference",
    },
    "ServiceRequest": {"_id": "token", "identifier": "token"},
    "DeviceRequest": {"_id": "token", "identifier": "token"},
}
CREATES = {"conditionalCreate": True, "versioning": "versioned-update"}


async def read(call: Call, parts: Parts) -> web.Response:
    """Read what this FHIR interface can do: its CapabilityStatement."""
    from dispatcher.interop.fhir.routes import ROUTES  # noqa: PLC0415  (it declares this route, too)

    operations = [route.operation for route in ROUTES]
    return answer(call, statement(operations, base_of(call, parts)))


def statement(operations: Iterable[Operation], base: str) -> dict[str, Any]:
    """Of a server at this address that has these operations."""
    found = dict[str, dict[str, str]]()
    for each in operations:
        kind = each.path.removeprefix(BASE).strip("/").partition("/")[0]
        name = INTERACTIONS.get(each.id.removesuffix(kind)) if kind else None
        if name is not None:
            found.setdefault(kind, {})[name] = each.summary
    return {
        "resourceType": "CapabilityStatement",
        "url": url("capability"),
        "version": __version__,
        "status": "active",
        "date": SINCE,
        "kind": "instance",
        "software": {"name": "dispatcher", "version": __version__},
        "implementation": {"description": "Vendor dispatch and matching for patient logistics", "url": base},
        "fhirVersion": FHIR_VERSION,
        "format": ["json"],
        "patchFormat": ["application/json-patch+json"],
        "rest": [
            {
                "mode": "server",
                "security": {"description": "a bearer token (JWT) whose markets name this one"},
                "resource": [_resource(kind, acts) for kind, acts in sorted(found.items())],
                "interaction": [{"code": "transaction"}],
            }
        ],
    }


def _resource(kind: str, acts: Mapping[str, str]) -> dict[str, Any]:
    """Of a kind, with its interactions and what each does: an update here cancels, and no more."""
    searches = [{"name": name, "type": type_} for name, type_ in SEARCHES[kind].items()]
    made: dict[str, Any] = {
        "type": kind,
        "interaction": [{"code": name, "documentation": words} for name, words in acts.items()],
        "searchParam": searches,
    }
    made |= CREATES if "create" in acts else {"versioning": "no-version"}
    return made
