"""Answers in FHIR's form: media type, version headers, what Prefer asks for, addresses."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from email.utils import format_datetime
from typing import Annotated, Any
from urllib.parse import urlencode

import msgspec
from aiohttp import web
from msgspec import Meta

from contracts.base import Wire
from contracts.problems import NotAcceptable, Problem
from dispatcher.http.call import Call
from dispatcher.http.parts import Parts
from dispatcher.http.routing import MARKET
from dispatcher.interop.fhir.canonical import MEDIA

BASE = f"{MARKET}/fhir"
JSON = "application/json"
FORMS = {
    MEDIA: MEDIA,
    JSON: JSON,
    "text/json": JSON,
    "application/json+fhir": MEDIA,
    "*/*": MEDIA,
    "application/*": MEDIA,
    "json": MEDIA,
}
TAKEN = {MEDIA: JSON, JSON: JSON, "application/json+fhir": JSON}  # Content-Type: all read as JSON


class Format(Wire):
    """What any FHIR call may say of its answer; `_format` before Accept."""

    form: Annotated[str, Meta(max_length=80, description="json; before Accept")] = msgspec.field(
        name="_format", default=""
    )
    pretty: Annotated[str, Meta(max_length=5, description="taken, and without effect")] = msgspec.field(
        name="_pretty", default=""
    )


def media_of(call: Call) -> str:
    """The form to answer in. Raises NotAcceptable: XML, say."""
    asked = call.query.form or call.raw.headers.get("Accept", "") or MEDIA
    for part in asked.split(","):
        name = part.partition(";")[0].strip().lower().replace(" ", "+")  # `+` of a query is a blank
        if name in FORMS:
            return FORMS[name]
    raise NotAcceptable(f"no form of answer fits {asked[:80]!r}\nMaybe accept {MEDIA}.")


def base_of(call: Call, parts: Parts) -> str:
    """Under which address this market's FHIR is reached; behind a proxy as the setting `public_url` says.

    Raises Problem: without that, Host has to be a name.
    """
    return (parts.public_url.rstrip("/") or _origin(call)) + BASE.format(market=call.market)


def _origin(call: Call) -> str:
    try:
        return str(call.raw.url.origin())
    except ValueError:
        raise Problem(
            "Host is no name of a host\nMaybe a proxy changed it: set DISPATCHER_PUBLIC_URL.",
            type="malformed-call",
        ) from None


def answer(
    call: Call, resource: dict[str, Any], status: int = 200, location: str = "", *, changes: bool = False
) -> web.Response:
    """A resource; of one that `changes` something as much as Prefer asks for."""
    headers = {
        "Content-Type": media_of(call),
        "X-Request-Id": call.call_id,
        "Cache-Control": "no-store",
        **versioned(resource.get("meta", {})),
        **({"Location": location} if location else {}),
    }
    if changes and prefers(call, "minimal"):
        return web.Response(status=status, headers=headers)
    said = done(location) if changes and prefers(call, "OperationOutcome") else resource
    return web.Response(status=status, headers=headers, body=msgspec.json.encode(said))


def prefers(call: Call, form: str) -> bool:
    """Whether what was changed is to be answered so: `minimal`, `OperationOutcome`."""
    return f"return={form}" in call.raw.headers.get("Prefer", "")


def versioned(meta: dict[str, Any]) -> dict[str, str]:
    """ETag and Last-Modified of a resource that has a version."""
    if "versionId" not in meta:
        return {}
    at = datetime.fromisoformat(meta["lastUpdated"])
    return {"ETag": f'W/"{meta["versionId"]}"', "Last-Modified": format_datetime(at, usegmt=True)}


def searchset(
    call: Call,
    base: str,
    kind: str,
    found: Sequence[dict[str, Any]],
    *,
    cursor: str | None = None,
    whole: bool = True,
) -> dict[str, Any]:
    """What a search has found; with a `cursor`, where it goes on; `whole`: there is nothing else."""
    asked = dict(call.raw.query)
    links = [{"relation": "self", "url": f"{base}/{kind}?{urlencode(asked)}"}]
    if cursor:
        links.append({"relation": "next", "url": f"{base}/{kind}?{urlencode({**asked, '_cursor': cursor})}"})
    entries = [
        {"fullUrl": f"{base}/{kind}/{each['id']}", "resource": each, "search": {"mode": "match"}}
        for each in found
    ]
    made = {"resourceType": "Bundle", "type": "searchset", "link": links}
    return made | ({"total": len(found)} if whole else {}) | ({"entry": entries} if entries else {})


def done(what: str) -> dict[str, Any]:
    """An OperationOutcome of a call that went well."""
    issue = {"severity": "information", "code": "informational", "diagnostics": f"stored: {what}"}
    return {"resourceType": "OperationOutcome", "issue": [issue]}
