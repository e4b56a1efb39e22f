"""Transaction Bundles over HTTP."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from aiohttp import web
from msgspec.structs import replace

from contracts.base import unchecked
from contracts.duplicates import Duplicate
from contracts.episode_views import EpisodeSubmission
from dispatcher.domain.refusals import NotFound, PossibleDuplicate
from dispatcher.http.call import Call
from dispatcher.http.parts import Parts
from dispatcher.interop.fhir import requests
from dispatcher.interop.fhir.answering import answer, base_of, prefers, versioned
from dispatcher.interop.fhir.datatypes import REQUESTS
from dispatcher.interop.fhir.transaction import Whole, read_bundle
from dispatcher.store.idempotency import IdempotencyRecord


async def transact(call: Call, parts: Parts) -> web.Response:
    """Ask for what belongs together: an episode with its sequence, stored whole or not at all."""
    who, market = call.principal, call.market
    whole = read_bundle(call.body, who.caller, call.key, parts.service.markets.zones[market].key)
    content = _content(whole.submission)
    unknown = await parts.service.vendors.unknown(market, whole.submission.requests)
    key = call.idempotency("fhir-bundle", content) or IdempotencyRecord.of(
        f"fhir-bundle/{who.caller}", whole.submission.id, content
    )
    is_new = not await _is_there(call, parts, whole.submission.id)
    try:
        await parts.service.episodes.submit(who, market, whole.submission, key)
    except PossibleDuplicate as refusal:
        raise _placed(refusal, whole, parts) from None
    parts.metrics.accepted.inc(len(whole.submission.requests))
    return answer(call, await _response(call, parts, whole, "201 Created" if is_new else "200 OK", unknown))


def _content(submission: EpisodeSubmission) -> bytes:
    """What makes it the same when it is sent again: as of one order, no identifiers."""
    bare = tuple(unchecked(each, identifiers=()) for each in submission.requests)
    return msgspec.msgpack.encode(unchecked(submission, requests=bare))


async def _is_there(call: Call, parts: Parts, name: str) -> bool:
    try:
        await parts.service.episodes.version(call.principal, call.market, name)
    except NotFound:
        return False
    return True


def _placed(refusal: PossibleDuplicate, whole: Whole, parts: Parts) -> PossibleDuplicate:
    """The refusal, which says at which entry each duplicate stands; counted."""
    found: list[Duplicate] = refusal.facts["duplicates"]
    parts.metrics.duplicates.inc(len(found))
    places = {name: f"/entry/{number}/resource" for number, name in enumerate(whole.names)}
    told = [replace(each, pointer=places.get(each.request_id, "")) for each in found]
    return PossibleDuplicate(refusal.detail, **refusal.facts | {"duplicates": told})


async def _response(
    call: Call, parts: Parts, whole: Whole, status: str, unknown: frozenset[str]
) -> dict[str, Any]:
    """An entry for each that came, in order: the request as it stands, or where the rest went."""
    strange = {
        each.id: tuple(name for name in each.named_vendors if name in unknown)
        for each in whole.submission.requests
    }
    entries = await asyncio.gather(
        *(
            _entry(call, parts, asked, status, strange.get(asked[1], ()))
            for asked in zip(whole.kinds, whole.names, strict=True)
        )
    )
    return {"resourceType": "Bundle", "type": "transaction-response", "entry": entries}


async def _entry(
    call: Call, parts: Parts, asked: tuple[str, str], status: str, unknown: tuple[str, ...]
) -> dict[str, Any]:
    kind, name = asked
    if kind not in REQUESTS:
        said = "taken into the requests of the bundle; it has no address of its own here"
        issue = {"severity": "information", "code": "informational", "diagnostics": said}
        return {
            "response": {
                "status": "200 OK",
                "outcome": {"resourceType": "OperationOutcome", "issue": [issue]},
            }
        }
    made = await requests.shown(call, parts, kind, name, unknown)
    version, address = made["meta"]["versionId"], f"{base_of(call, parts)}/{kind}/{made['id']}"
    return {
        "fullUrl": address,
        **({} if prefers(call, "minimal") else {"resource": made}),
        "response": {
            "status": status,
            "location": f"{address}/_history/{version}",
            "etag": versioned(made["meta"])["ETag"],
            "lastModified": made["meta"]["lastUpdated"],
        },
    }
