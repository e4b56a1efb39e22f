"""ServiceRequest and DeviceRequest over HTTP: created once, read, found by identifier, cancelled."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from aiohttp import web
from msgspec import Meta

from contracts.base import unchecked
from contracts.problems import InvalidMessage, InvalidParameter
from dispatcher.domain.commands.cancel import CancelRequest
from dispatcher.domain.refusals import NotFound, PossibleDuplicate, Reused
from dispatcher.http import if_match
from dispatcher.http.call import Call
from dispatcher.http.commands import execute
from dispatcher.http.duplicates import with_pointers
from dispatcher.http.parts import Parts
from dispatcher.interop.fhir import creating
from dispatcher.interop.fhir.answering import Format, answer, base_of, searchset
from dispatcher.interop.fhir.ids import chosen, one, our_id, request_name, sought
from dispatcher.interop.fhir.references import Around
from dispatcher.interop.fhir.told import KINDS, resource
from dispatcher.store.idempotency import IdempotencyRecord


class RequestQuery(Format):
    """One of the two: what there is, is one or nothing."""

    id: Annotated[str, Meta(max_length=64)] = msgspec.field(name="_id", default="")
    identifier: Annotated[str, Meta(max_length=2_000, description="SYSTEM|VALUE")] = ""
    count: Annotated[int, Meta(ge=1, description="one comes at the most")] = msgspec.field(
        name="_count", default=1
    )


async def search(call: Call, parts: Parts, kind: str) -> web.Response:
    """A searchset of the one that is meant, or of nothing."""
    query: RequestQuery = call.query
    named = {one(query.id)} if query.id else set[str]()
    if query.identifier:
        named.add(sought(query.identifier))
    if len(named) != 1:
        raise InvalidParameter(
            "it is searched for by identifier or _id, one of the two\nMaybe search for Tasks."
        )
    try:
        found = [await shown(call, parts, kind, named.pop())]
    except NotFound:
        found = []
    return answer(call, searchset(call, base_of(call, parts), kind, found))


async def create(call: Call, parts: Parts, kind: str) -> web.Response:
    """Stored once, whatever number of times it is sent: by identifier, or by Idempotency-Key."""
    given = creating.decoded(call.body, kind)
    condition = call.raw.headers.get("If-None-Exist", "")
    name = request_name(chosen(given.identifier, condition), call.principal.caller, call.key)
    if condition and (there := await _there(call, parts, kind, name)) is not None:
        return there
    composing = creating.composed(given, name, Around(given.contained))
    request = creating.made(composing, parts.service.markets.zones[call.market].key).request
    content = msgspec.msgpack.encode(unchecked(request, identifiers=()))  # more of them: the same order
    key = call.idempotency("fhir", content) or IdempotencyRecord.of(
        f"fhir/{call.principal.caller}", name, content
    )
    unknown = await parts.service.vendors.unknown(call.market, [request])
    try:
        await parts.service.requests.submit(call.principal, call.market, [request], key)
    except PossibleDuplicate as refusal:
        raise with_pointers(refusal, (), parts.metrics) from None
    except Reused:
        if condition and (there := await _there(call, parts, kind, name)) is not None:
            return there  # it came at the same moment
        raise
    parts.metrics.accepted.inc()
    return await _changed(call, parts, kind, name, status=201, unknown=tuple(sorted(unknown)))


async def _there(call: Call, parts: Parts, kind: str, name: str) -> web.Response | None:
    """What is known by that identifier already (If-None-Exist); None: nothing."""
    try:
        return await _changed(call, parts, kind, name)
    except NotFound:
        return None


async def _changed(
    call: Call, parts: Parts, kind: str, name: str, *, status: int = 200, unknown: tuple[str, ...] = ()
) -> web.Response:
    """The resource after a change, and where it is: as much of it as is preferred. Raises NotFound."""
    made = await shown(call, parts, kind, name, unknown)
    address = f"{base_of(call, parts)}/{kind}/{made['id']}/_history/{made['meta']['versionId']}"
    return answer(call, made, status, address, changes=True)


async def shown(
    call: Call, parts: Parts, kind: str, name: str, unknown: tuple[str, ...] = ()
) -> dict[str, Any]:
    """A request of this kind as its resource. Raises NotFound."""
    view = await parts.service.requests.view(call.principal, call.market, name)
    if KINDS[view.kind] != kind:
        raise NotFound(f"there is no {kind} {name}\nMaybe it is a {KINDS[view.kind]}.")
    return resource(view, unknown)


async def read(call: Call, parts: Parts, kind: str) -> web.Response:
    """One, as it stands."""
    return answer(call, await shown(call, parts, kind, our_id(call.path["resource_id"])))


async def read_version(call: Call, parts: Parts, kind: str) -> web.Response:
    """One version: only that which stands is kept."""
    name, version = our_id(call.path["resource_id"]), call.path["version"]
    made = await shown(call, parts, kind, name)
    if made["meta"]["versionId"] != version:
        raise NotFound(
            f"version {version} of {kind} {name} is not kept; {made['meta']['versionId']} stands\n"
            "Maybe read that, or the events for what happened."
        )
    return answer(call, made)


async def cancel(call: Call, parts: Parts, kind: str, code: str = "") -> web.Response:
    """As the API's cancel does; with If-Match of that version, or not at all."""
    name = our_id(call.path["resource_id"])
    await shown(call, parts, kind, name)
    given = call.raw.headers.get("If-Match")
    wanted = if_match.parse(given.replace("W/", "")) if given is not None else None  # FHIR's are weak
    await execute(
        msgspec.structs.replace(call, if_match=wanted), parts, CancelRequest(request_id=name, code=code)
    )
    return await _changed(call, parts, kind, name)


async def put(call: Call, parts: Parts, kind: str) -> web.Response:
    """A resource whose status is `revoked`; nothing else can be changed so."""
    body, name = call.body, call.path["resource_id"]
    if body.get("resourceType") != kind or body.get("id") != name:
        raise InvalidMessage.at(
            "/id", f"the path says {kind}/{name}, and the body another\nMaybe one is misspelt."
        )
    if body.get("status") != "revoked":
        raise InvalidMessage.at(
            "/status",
            "a PUT cancels, with status `revoked`; it changes nothing else\n"
            "Maybe amend the request: POST …/requests/{id}/amend.",
        )
    return await cancel(call, parts, kind, creating.cancel_code(body, kind))


async def patch(call: Call, parts: Parts, kind: str) -> web.Response:
    """A JSON Patch that says status `revoked`; `test` operations before it are refused as any other."""
    wanted = [{"op": op, "path": "/status", "value": "revoked"} for op in ("replace", "add")]
    if len(call.body) != 1 or call.body[0] not in wanted:
        raise InvalidMessage.at(
            "/0",
            'a patch is [{"op": "replace", "path": "/status", "value": "revoked"}]\nMaybe amend the request.',
        )
    return await cancel(call, parts, kind)
