"""Documents of credentials: sent by a vendor or by ops in its name, and looked at by these two alone."""

from __future__ import annotations

from aiohttp import web

from contracts.base import Id
from contracts.codes import CredentialKind
from contracts.operations import Answer, Body
from contracts.papers import (
    JPEG,
    MAX_DOCUMENT_BYTES,
    PDF,
    PNG,
    DocumentQuery,
    KeptDocumentQuery,
    KeptDocuments,
)
from contracts.vendors import Vendor
from dispatcher.http import turns
from dispatcher.http.call import Call, Reply
from dispatcher.http.parts import Parts
from dispatcher.http.proofs import AS_PICTURE, UNSEEN
from dispatcher.http.routing import ETAG, MARKET, Routes
from dispatcher.http.versions import etag
from dispatcher.service.papers import HANDLES, PaperAt

VENDOR = f"{MARKET}/vendors/{{vendor_id}}"
DOCUMENT = f"{VENDOR}/credentials/{{kind}}/document"
ROUTES = Routes("vendors", 31, vendor_id=Id, kind=CredentialKind)
FILE = Body(bytes, media_types={each: each for each in (PNG, JPEG, PDF)}, raw_bytes=MAX_DOCUMENT_BYTES)


@ROUTES.put(
    DOCUMENT,
    id="putCredentialDocument",
    roles=HANDLES,
    query=DocumentQuery,
    body=FILE,
    answers={200: Answer("the vendor with its papers", Vendor, {**ETAG, **UNSEEN})},
    problems=("invalid-request",),
)
async def put(call: Call, parts: Parts) -> Reply:
    """Send the document of a credential: PNG, JPEG or PDF, at most 2 MB; it is encrypted at rest.

    Another than before is to be verified anew.
    """
    turns.over(call.raw)  # whoever waits for a slow disk or network holds up nobody
    media = call.raw.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    found = await parts.service.papers.put(call.principal, call.market, _at(call), media, call.body)
    return Reply(found.value, headers={**etag(found.version), **UNSEEN})


@ROUTES.get(
    DOCUMENT,
    id="readCredentialDocument",
    roles=HANDLES,
    query=KeptDocumentQuery,
    answers={200: Answer("the document, or as JPEG or PDF", None, AS_PICTURE, media=PNG)},
)
async def read(call: Call, parts: Parts) -> web.Response:
    """Read the document of a credential; who did, and when, is kept."""
    turns.over(call.raw)
    papers = parts.service.papers
    kept, plain = await papers.read(call.principal, call.market, _at(call), call.query.sha256)
    headers = AS_PICTURE | {"X-Request-Id": call.call_id}
    return web.Response(body=plain, content_type=kept.media, headers=headers)


@ROUTES.get(
    f"{VENDOR}/documents",
    id="listCredentialDocuments",
    roles=HANDLES,
    answers={200: Answer("those that are kept", KeptDocuments)},
)
async def listed(call: Call, parts: Parts) -> Reply:
    """List the documents of a vendor's credentials, the newest first, with those that were replaced."""
    return Reply(await parts.service.papers.kept(call.principal, call.market, call.path["vendor_id"]))


def _at(call: Call) -> PaperAt:
    return PaperAt(call.path["vendor_id"], CredentialKind(call.path["kind"]), call.query.expires_on)
