"""Proofs of dispatches: said, pictured, read; a day of them to take away."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

import structlog
from aiohttp import web

from contracts.base import OfferId
from contracts.operations import Answer, Body
from contracts.proofs import (
    JPEG,
    MAX_PICTURE_BYTES,
    PNG,
    ZIP,
    KeptPictureQuery,
    PictureQuery,
    PictureView,
    ProofPart,
    ProofQuery,
    ProofReport,
    ProofView,
)
from dispatcher.domain.commands.proof import AttachPicture, GiveProof
from dispatcher.domain.refusals import Refusal
from dispatcher.domain.rights import SEES_PROOF
from dispatcher.http import turns
from dispatcher.http.call import Call, Reply
from dispatcher.http.parts import Parts
from dispatcher.http.routing import MARKET, Routes
from dispatcher.service.proofs import Place
from dispatcher.store.connection import StoreError

PROOF = f"{MARKET}/dispatches/{{offer_id}}/proof"
ROUTES = Routes("proofs", 62, offer_id=OfferId, part=ProofPart)
PICTURE = Body(bytes, media_types={PNG: PNG, JPEG: JPEG}, raw_bytes=MAX_PICTURE_BYTES)
log = structlog.get_logger()
UNSEEN = {"Cache-Control": "no-store"}
# what is shown came from outside: it is a picture, and is taken for nothing else
AS_PICTURE = UNSEEN | {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Content-Disposition": "inline",
}


@ROUTES.post(
    PROOF,
    id="giveProof",
    command=GiveProof,
    body=Body(ProofReport),
    answers={200: Answer("the proof as it is now", ProofView, UNSEEN)},
    problems=("wrong-state", "invalid-request"),
)
async def give(call: Call, parts: Parts) -> Reply:
    """Say that a part of a dispatch was done: when, where, who signed, what was left; it is encrypted."""
    name = call.path["offer_id"]
    key = call.idempotency(f"proof/{name}")
    view = await parts.service.proofs.give(call.principal, call.market, name, call.body, key)
    return Reply(view, headers=UNSEEN)


@ROUTES.get(
    PROOF,
    id="readProof",
    roles=SEES_PROOF,
    answers={200: Answer("the proof, and what it lacks", ProofView, UNSEEN)},
    problems=("wrong-state",),
)
async def read(call: Call, parts: Parts) -> Reply:
    """Read the proof of a dispatch, a vendor that of its own; who did, and when, is kept."""
    view = await parts.service.proofs.view(call.principal, call.market, call.path["offer_id"])
    return Reply(view, headers=UNSEEN)


@ROUTES.put(
    f"{PROOF}/{{part}}/blob",
    id="putProofPicture",
    command=AttachPicture,
    query=PictureQuery,
    body=PICTURE,
    answers={200: Answer("what is kept of it", PictureView, UNSEEN)},
    problems=("wrong-state", "invalid-request"),
)
async def put_picture(call: Call, parts: Parts) -> Reply:
    """Keep a signature or a photo of a part: PNG or JPEG, at most 512 KB; it is encrypted at rest."""
    turns.over(call.raw)  # whoever waits for a slow disk or network holds up nobody
    media = call.raw.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    at = Place(call.path["offer_id"], call.path["part"], call.query.of)
    view = await parts.service.proofs.attach(call.principal, call.market, at, media, call.body)
    return Reply(view, headers=UNSEEN)


@ROUTES.get(
    f"{PROOF}/{{part}}/blob",
    id="readProofPicture",
    roles=SEES_PROOF,
    query=KeptPictureQuery,
    answers={200: Answer("the picture, or as JPEG", None, AS_PICTURE, media=PNG)},
)
async def read_picture(call: Call, parts: Parts) -> web.Response:
    """Read a signature or a photo, the last one if no number is named; who did, and when, is kept."""
    turns.over(call.raw)
    at = Place(call.path["offer_id"], call.path["part"], call.query.of)
    kept, plain = await parts.service.proofs.picture(call.principal, call.market, at, call.query.number)
    headers = AS_PICTURE | {"X-Request-Id": call.call_id}
    return web.Response(body=plain, content_type=kept.media, headers=headers)


@ROUTES.get(
    f"{MARKET}/proofs",
    id="exportProofs",
    roles=SEES_PROOF,
    query=ProofQuery,
    answers={
        200: Answer("pictures by dispatch, and manifest.csv with a line for all", None, UNSEEN, media=ZIP)
    },
)
async def export(call: Call, parts: Parts) -> web.StreamResponse:
    """Take away the proofs of a day (of the agreed start) as a ZIP, a vendor its own; who did is kept."""
    name = f"proofs-{call.market}-{call.query.day.isoformat()}.zip"
    headers = {"X-Request-Id": call.call_id, "Content-Disposition": f'attachment; filename="{name}"'}
    response = web.StreamResponse(headers=UNSEEN | headers)
    response.content_type = ZIP
    pieces = parts.service.proof_export.day(call.principal, call.market, call.query.day)
    async with contextlib.aclosing(pieces):
        first = await anext(pieces)  # what is refused is refused before the answer has begun
        await response.prepare(call.raw)
        turns.over(call.raw)  # it takes as long as its caller takes to read
        if call.raw.method != "HEAD":
            await _written(call, response, first, pieces)
    return response


async def _written(
    call: Call, response: web.StreamResponse, first: bytes, pieces: AsyncIterator[bytes]
) -> None:
    """All of it, or cut off: it is too late to say why, and what is cut off has no end."""
    try:
        await response.write(first)
        async for piece in pieces:
            await response.write(piece)
        await response.write_eof()
    except (Refusal, StoreError, OSError) as error:
        log.warning("export_cut_short", call_id=call.call_id, reason=type(error).__name__)
        if call.raw.transport is not None:
            call.raw.transport.abort()
