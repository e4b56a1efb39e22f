"""Barriers: said of a request that ended without its service; and patterns, how often which of them."""

from __future__ import annotations

from msgspec.structs import replace

from contracts.barriers import BarrierReport, PatternQuery, Patterns
from contracts.base import Id
from contracts.operations import Answer, Body
from contracts.request_views import RequestView
from dispatcher.domain.commands.barriers import RecordBarrier
from dispatcher.domain.rights import SEES_PATTERNS
from dispatcher.domain.views import request_view
from dispatcher.http.call import Call, Reply
from dispatcher.http.parts import Parts
from dispatcher.http.requests import REQUEST
from dispatcher.http.routing import ETAG, MARKET, Routes
from dispatcher.http.versions import etag

ROUTES = Routes("barriers", 82, request_id=Id)


@ROUTES.post(
    f"{REQUEST}/barrier",
    id="recordBarrier",
    command=RecordBarrier,
    body=Body(BarrierReport),
    answers={200: Answer("the request with its barrier", RequestView, ETAG)},
    problems=("wrong-state",),
)
async def record(call: Call, parts: Parts) -> Reply:
    """Say why a request ended without its service; a note is encrypted at rest."""
    name, barriers = call.path["request_id"], parts.service.barriers
    key = call.idempotency(f"barrier/{name}")
    after = await barriers.record(call.principal, call.market, name, call.body, key)
    view = replace(request_view(after), barrier=barriers.shown(call.market, after))
    return Reply(view, headers=etag(view.version))


@ROUTES.get(
    f"{MARKET}/patterns",
    id="getPatterns",
    roles=SEES_PATTERNS,
    query=PatternQuery,
    answers={200: Answer("the counts", Patterns)},
    problems=("invalid-request",),
)
async def patterns(call: Call, parts: Parts) -> Reply:
    """Count barriers by kind, facility, vendor, class of service and week; small counts are hidden."""
    return Reply(await parts.service.barriers.patterns(call.principal, call.market, call.query))
