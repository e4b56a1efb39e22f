"""Health and metrics: open to anyone, for they show no request, no vendor and no patient."""

from __future__ import annotations

import asyncio
import contextlib

from aiohttp import web

from contracts.health import Health
from contracts.operations import ANYONE, Answer
from dispatcher.domain.refusals import Unavailable
from dispatcher.http.call import Call, Reply
from dispatcher.http.metrics import CONTENT_TYPE
from dispatcher.http.parts import Parts
from dispatcher.http.routing import Routes

TEXT, METRICS = "text/plain", "application/openmetrics-text"
PROBE_S = 1.0  # real seconds: whoever asks whether we are ready does not wait long
ROUTES = Routes("service")


@ROUTES.get("/livez", id="live", roles=ANYONE, answers={200: Answer(media=TEXT)})
async def live(call: Call, parts: Parts) -> web.Response:
    """The process answers."""
    return web.Response(text="alive\n")


@ROUTES.get(
    "/readyz",
    id="ready",
    roles=ANYONE,
    answers={200: Answer("ready", Health), 503: Answer("not ready, and why", Health)},
)
async def ready(call: Call, parts: Parts) -> Reply:
    """The service takes work: Redis answers, is durable, holds what it held, and lets us work."""
    try:
        found = await asyncio.wait_for(parts.service.store.health(), PROBE_S)
        health = Health(ready=not found.reasons, durable=found.durable, reasons=found.reasons)
    except TimeoutError:
        health = Health(ready=False, reasons=(f"the store gave no answer within {PROBE_S:g} s",))
    return Reply(health, 200 if health.ready else 503)


@ROUTES.get("/metrics", id="metrics", roles=ANYONE, answers={200: Answer(media=METRICS)})
async def metrics(call: Call, parts: Parts) -> web.Response:
    """Metrics for Prometheus.

    Those of the store are left as they were while it does not answer.
    """
    with contextlib.suppress(TimeoutError, Unavailable):
        async with asyncio.timeout(PROBE_S):
            for market in parts.service.markets:
                stored = parts.service.store.market(market)
                parts.metrics.counted(market, await stored.requests.counts())
                parts.metrics.replaced.labels(market).set(await stored.retention.set_aside())
    return web.Response(body=parts.metrics.page(), headers={"Content-Type": CONTENT_TYPE})
