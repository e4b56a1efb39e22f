"""OperationOutcome: a problem of ours (RFC 9457) as a FHIR client reads one, with all its facts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec
from aiohttp import web

from contracts.problems import PREFIX, PROBLEM_TYPES
from dispatcher.http import problem_responses
from dispatcher.interop.fhir.canonical import MEDIA, PROBLEM, url

ISSUES: Mapping[str, str] = {  # FHIR's issue-type of each of our problem types
    "malformed-call": "structure",
    "malformed-body": "structure",
    "missing-header": "required",
    "invalid-parameter": "value",
    "unauthenticated": "login",
    "forbidden": "forbidden",
    "not-found": "not-found",
    "method-not-allowed": "not-supported",
    "not-acceptable": "not-supported",
    "too-slow": "timeout",
    "wrong-state": "conflict",
    "over-booked": "conflict",
    "does-not-fit": "business-rule",
    "possible-duplicate": "duplicate",
    "stale-version": "conflict",
    "too-large": "too-long",
    "unsupported-media-type": "not-supported",
    "expectation-failed": "not-supported",
    "invalid-message": "invalid",
    "invalid-request": "business-rule",
    "id-reused": "duplicate",
    "missing-precondition": "required",
    "too-many": "throttled",
    "internal": "exception",
    "unreadable": "exception",
    "patient-key-missing": "transient",
    "unavailable": "transient",
    "unsupported-http-version": "not-supported",
}
OWN = frozenset({"type", "title", "status", "detail", "errors"})  # what has a place of its own
_STEP = re.compile(r"/([^/]+)")


def answer(error: Exception, call_id: str, media: str = "") -> web.Response:
    """The response for whatever was raised: status and headers as elsewhere, the body as FHIR has it."""
    response, members = problem_responses.told(error, call_id)
    response.headers["Content-Type"] = MEDIA
    response.body = msgspec.json.encode(outcome(members))
    return response


def outcome(members: Mapping[str, Any]) -> dict[str, Any]:
    """The members of a problem as an OperationOutcome: an issue a place, the other facts as extensions."""
    problem = members["type"].removeprefix(PREFIX)
    severity = "fatal" if members["status"] >= 500 else "error"
    details = {"coding": [{"system": PROBLEM, "code": problem}], "text": members["title"]}
    shared = {"severity": severity, "code": ISSUES[problem], "details": details}
    places = members.get("errors") or [{}]
    issues = [shared | _place(each, members.get("detail", "")) for each in places]
    facts = [_fact(name, value) for name, value in members.items() if name not in OWN]
    made = {"resourceType": "OperationOutcome", "issue": issues}
    return made | ({"extension": facts} if facts else {})


def problem_of(made: Mapping[str, Any]) -> dict[str, Any]:
    """The members of the problem again: as a client of ours gets it, but for the places of errors."""
    (coding,) = made["issue"][0]["details"]["coding"]
    known = PROBLEM_TYPES[coding["code"]]
    facts = {}
    for each in made.get("extension", ()):
        said = {part["url"]: part["valueString"] for part in each["extension"]}
        facts[said["name"]] = msgspec.json.decode(said["value"])
    return {"type": PREFIX + coding["code"], "title": known.title, "status": known.status} | facts


def _place(each: Mapping[str, Any], detail: str) -> dict[str, Any]:
    said = each.get("detail", detail)
    expression = path(each.get("pointer", ""))
    return ({"diagnostics": said} if said else {}) | ({"expression": [expression]} if expression else {})


def path(pointer: str) -> str:
    """A JSON pointer as FHIRPath, from the resource that was sent."""
    steps = [f"[{each}]" if each.isdigit() else f".{each}" for each in _STEP.findall(pointer)]
    return "".join(steps).removeprefix(".")


def _fact(name: str, value: Any) -> dict[str, Any]:
    said = msgspec.json.encode(value).decode()
    return {
        "url": url("fact"),
        "extension": [{"url": "name", "valueString": name}, {"url": "value", "valueString": said}],
    }
