"""Telegrams from a vendor's dispatch centre, one a call."""

from __future__ import annotations

from aiohttp import web

from contracts.base import Id
from contracts.operations import Answer, Body
from dispatcher.domain.commands.accept import AcceptOffer
from dispatcher.http.call import Call
from dispatcher.http.parts import Parts
from dispatcher.http.routing import MARKET, Routes
from dispatcher.interop.tds.effects import Effects
from dispatcher.interop.tds.reading import telegram
from dispatcher.interop.tds.receipts import answer
from dispatcher.interop.tds.tree import MAX_BYTES, parse

XML = "application/xml"
ROUTES = Routes("telegrams", 54, vendor_id=Id)
TELEGRAM = Body(
    bytes,
    media_types={XML: XML, "text/xml": XML},
    raw_bytes=MAX_BYTES,
    smaller="Maybe send one telegram a call.",
)


@ROUTES.post(
    f"{MARKET}/vendors/{{vendor_id}}/telegrams",
    id="sendTelegram",
    command=AcceptOffer,
    body=TELEGRAM,
    answers={200: Answer("a telegram: that it had its effect", None, media=XML)},
    problems=("wrong-state", "invalid-request", "does-not-fit", "id-reused"),
)
async def send(call: Call, parts: Parts) -> web.Response:
    """Answer offers and report by TCRP 210 telegrams (XML): docs/tds.md."""
    call.principal.refuse_others(call.path["vendor_id"])
    said = telegram(parse(call.body, call.raw.charset or ""))
    offer = await Effects(parts, call.principal, call.market, call.key).of(said)
    return web.Response(
        body=answer(said, offer),
        content_type=XML,
        charset="utf-8",
        headers={"X-Request-Id": call.call_id, "Cache-Control": "no-store"},
    )
