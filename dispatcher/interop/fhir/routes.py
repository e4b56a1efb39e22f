"""Every FHIR interaction there is: the CapabilityStatement is made from this table, and so is true."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Annotated, Any

from aiohttp import web
from msgspec import Meta

from contracts.operations import Answer, Body
from contracts.patterns import whole
from dispatcher.domain.commands.cancel import CancelRequest
from dispatcher.domain.rights import READERS, SUBMITTERS
from dispatcher.http.call import Call, Reply
from dispatcher.http.parts import Parts
from dispatcher.http.routing import Handler, Routes
from dispatcher.interop.fhir import metadata, outcome, requests, tasks, transactions
from dispatcher.interop.fhir.answering import BASE, TAKEN, Format, base_of, media_of
from dispatcher.interop.fhir.canonical import MEDIA
from dispatcher.interop.fhir.ids import FHIR_ID

FhirId = Annotated[str, Meta(pattern=whole(FHIR_ID), description="a FHIR id; `.` stands for `_` of ours")]
Version = Annotated[str, Meta(pattern=whole("[0-9]{1,9}"), description="a version")]
RESOURCE = Body(dict[str, Any], media_types=TAKEN)
PATCH = Body(list[dict[str, Any]], media_types={"application/json-patch+json": "application/json"})
ETAG = {"ETag": "the version, weak"}
SHOWN = {200: Answer("the resource", dict[str, Any], ETAG, MEDIA)}
CREATED = {
    200: Answer("known by If-None-Exist", dict[str, Any], ETAG, MEDIA),
    201: Answer("durable", dict[str, Any], ETAG | {"Location": "where to read it"}, MEDIA),
}
REFUSED = (
    "invalid-request",
    "possible-duplicate",
    "missing-header",
    "id-reused",
    "wrong-state",
    "not-acceptable",
)
ROUTES = Routes("FHIR", 300, outcome.answer, BASE, resource_id=FhirId, version=Version)
TRANSACTED = {200: Answer("a transaction-response; durable", dict[str, Any], {}, MEDIA)}
WORDS = {"ServiceRequest": "a ride", "DeviceRequest": "equipment"}

Act = Callable[[Call, Parts, str], Awaitable[web.Response]]


def _answerable(handler: Handler) -> Handler:
    """It is done only where it can be answered: in a form that is read, with addresses that lead back."""

    @wraps(handler)
    async def handle(call: Call, parts: Parts) -> Reply | web.StreamResponse:
        media_of(call)
        base_of(call, parts)
        return await handler(call, parts)

    return handle


def _of(kind: str, act: Act, words: str) -> Handler:
    """The handler of an act on a kind of resource; `words`: its summary."""

    async def handle(call: Call, parts: Parts) -> web.Response:
        return await act(call, parts, kind)

    handle.__doc__ = words
    return _answerable(handle)


ROUTES.get(
    f"{BASE}/metadata",
    id="capabilities",
    roles=READERS,
    query=Format,
    answers=SHOWN,
    problems=("not-acceptable",),
)(_answerable(metadata.read))
ROUTES.post(
    BASE, id="transact", roles=SUBMITTERS, body=RESOURCE, query=Format, answers=TRANSACTED, problems=REFUSED
)(_answerable(transactions.transact))


def _declare(kind: str, what: str) -> None:
    some, one = f"{BASE}/{kind}", f"{BASE}/{kind}/{{resource_id}}"
    seen: dict[str, Any] = {
        "roles": READERS,
        "query": Format,
        "answers": SHOWN,
        "problems": ("not-acceptable",),
    }
    changed: dict[str, Any] = {"command": CancelRequest, "query": Format, "answers": SHOWN}
    refused = ("wrong-state", "stale-version", "not-acceptable")
    ROUTES.post(
        some,
        id=f"create{kind}",
        roles=SUBMITTERS,
        body=RESOURCE,
        query=Format,
        answers=CREATED,
        problems=REFUSED,
    )(_of(kind, requests.create, f"Ask for {what}: stored once, however often it is sent."))
    ROUTES.get(some, id=f"search{kind}", **seen | {"query": requests.RequestQuery})(
        _of(kind, requests.search, f"Find {what} by identifier, or by id.")
    )
    ROUTES.get(one, id=f"read{kind}", **seen)(_of(kind, requests.read, f"Read what was asked for: {what}."))
    ROUTES.get(f"{one}/_history/{{version}}", id=f"vread{kind}", **seen)(
        _of(kind, requests.read_version, f"Read a version of {kind}: only the current one is kept.")
    )
    ROUTES.put(one, id=f"update{kind}", body=RESOURCE, problems=refused, **changed)(
        _of(kind, requests.put, f"Cancel {what}: a resource with status `revoked`.")
    )
    ROUTES.patch(one, id=f"patch{kind}", body=PATCH, problems=refused, **changed)(
        _of(kind, requests.patch, f"Cancel {what}: a JSON Patch of its status to `revoked`.")
    )


for _kind, _what in WORDS.items():
    _declare(_kind, _what)

ROUTES.get(
    f"{BASE}/Task/{{resource_id}}", id="readTask", roles=READERS, query=Format, answers=SHOWN,
    problems=("not-acceptable",),
)(_answerable(tasks.read))  # fmt: skip
ROUTES.get(
    f"{BASE}/Task", id="searchTask", roles=READERS, query=tasks.TaskQuery, answers=SHOWN,
    problems=("not-acceptable",),
)(_answerable(tasks.search))  # fmt: skip
