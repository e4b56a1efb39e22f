"""Health and metrics: open to anyone, for they show no request, no vendor and no patient.

A thousand who ask at once cost no more than one: see `Probes`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Collection, Sequence
from functools import partial

from aiohttp import web
from msgspec.structs import replace

from contracts.health import Health, Matching, Routing
from contracts.operations import ANYONE, Answer
from dispatcher.domain.kinds import kinds
from dispatcher.domain.refusals import Unavailable, Unreadable
from dispatcher.http.call import Call, Reply
from dispatcher.http.metrics import CONTENT_TYPE
from dispatcher.http.parts import Parts
from dispatcher.http.routing import Routes
from dispatcher.http.shared import Shared
from dispatcher.service.clocks import wrong_clocks
from dispatcher.service.loops import TROUBLES
from dispatcher.store.connection import StoreError
from dispatcher.store.pulse import of_workers

TEXT, METRICS = "text/plain", "application/openmetrics-text"
PROBE_S = 1.0  # real seconds: whoever asks whether we are ready does not wait long
KEEP_S = 0.2  # real seconds: so old may an answer about readiness be
ROUTES = Routes("service", 990)


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
    """The service takes work: Redis answers, is durable, holds what it held, and lets us work.

    Of a cluster one server that is well and has a market of ours is enough; all others are named.
    """
    health = await call.raw.app[PROBES].health.get()
    return Reply(health, 200 if health.ready else 503)


@ROUTES.get("/metrics", id="metrics", roles=ANYONE, answers={200: Answer(media=METRICS)})
async def metrics(call: Call, parts: Parts) -> web.Response:
    """Metrics for Prometheus.

    Those of the store are left as they were while it does not answer.
    """
    page = await call.raw.app[PROBES].page.get()
    return web.Response(body=page, headers={"Content-Type": CONTENT_TYPE})


GIVEN_AWAY = {
    "replies": ("web-apart", frozenset({"web", "replies"})),
    "jobs": ("matcher-apart", frozenset({"matcher", "jobs"})),
}


class Probes:
    """What is asked by machines, again and again: made once for all who wait for it."""

    def __init__(self, parts: Parts) -> None:
        self.health = Shared(partial(_health, parts), KEEP_S)
        self.page = Shared(partial(_page, parts))


PROBES = web.AppKey("probes", Probes)


async def _health(parts: Parts) -> Health:
    return replace(await _of_store(parts), routing=_routing(parts))


def _routing(parts: Parts) -> Routing | None:
    """How the routing server does: told, never a reason not to be ready."""
    if (engine := parts.engine) is None:
        return None
    breaker = engine.breaker
    return Routing(
        server=engine.url.kind,
        answers=breaker.answers,
        trouble=breaker.trouble,
        pairs=len(engine.cache),
        waiting=engine.waiting,
    )


async def _of_store(parts: Parts) -> Health:
    try:
        found = await asyncio.wait_for(parts.service.store.health(), PROBE_S)
        told = Health(ready=found.ready, durable=found.durable, reasons=found.reasons)
        served = [each for each in parts.service.markets if found.durable or each in found.served]
        return await asyncio.wait_for(_with_markets(told, parts, served), PROBE_S) if told.ready else told
    except Unavailable as error:
        return Health(ready=False, reasons=(error.reason,))
    except TimeoutError:
        return Health(ready=False, reasons=(f"{parts.service.store.silent} within {PROBE_S:g} s",))


async def _with_markets(told: Health, parts: Parts, served: Sequence[str]) -> Health:
    markets, matching = await asyncio.gather(_troubles(parts, served), _matching(parts, served))
    return replace(told, markets=markets, matching=matching)


async def _matching(parts: Parts, markets: Sequence[str]) -> dict[str, Matching]:
    """Of each market how its matching goes; without those of which a key is not ours to read."""
    found = await asyncio.gather(*(_of_market(parts, each) for each in markets), return_exceptions=True)
    return {market: each for market, each in zip(markets, found, strict=True) if isinstance(each, Matching)}


async def _of_market(parts: Parts, market: str) -> Matching:
    """How the matching of one market goes. Raises Unavailable, ResponseError."""
    stored = parts.service.store.market(market)
    pulse, (waiting, first_ms) = await asyncio.gather(stored.pulse.read(), stored.requests.waiting())
    waited_ms = max(0, parts.clock.now_ms() - first_ms) if first_ms else 0
    return Matching(
        held_s=pulse.held_s,
        batch_age_s=pulse.batch_age_s,
        waiting=waiting,
        oldest_s=waited_ms / 1000,
        **of_workers(pulse.workers),
    )


async def _troubles(parts: Parts, markets: Sequence[str]) -> dict[str, dict[str, str]]:
    """Of each market the loops that fail now, what cannot be read, whose clock is wrong; in any process."""
    store = parts.service.store
    found = await asyncio.gather(*(store.market(each).troubles.now(TROUBLES) for each in markets))
    told = {market: dict(failing) for market, failing in zip(markets, found, strict=True)}
    for market in store.formats.wrong.intersection(told):
        told[market]["formats"] = "what is stored there cannot be read"
    for market in told:
        told[market] |= undone(store.agreement.roles(market)) | wrong_clocks(store.agreement.clocks(market))
    return {market: failing for market, failing in told.items() if failing}


def undone(roles: Collection[str]) -> dict[str, str]:
    """Work that was given away (`serve --apart`), and that nobody does."""
    return {
        work: f"no process does them; maybe start `serve --role {work}`"
        for work, (giver, doers) in GIVEN_AWAY.items()
        if giver in roles and not doers.intersection(roles)
    }


async def _page(parts: Parts) -> bytes:
    await _tell_store(parts)
    with contextlib.suppress(TimeoutError, Unavailable):
        async with asyncio.timeout(PROBE_S):
            for market, each in (await _matching(parts, list(parts.service.markets))).items():
                parts.metrics.matching.found(market, each)
            await asyncio.gather(*(_count(parts, each) for each in parts.service.markets))
    if (routing := _routing(parts)) is not None and parts.engine is not None:
        parts.metrics.routing.found(routing, parts.engine.pairs, parts.engine.calls)
    return parts.metrics.page()


async def _tell_store(parts: Parts) -> None:
    """How it does; one that gives no answer in time is not ready, whatever it was before."""
    try:
        parts.metrics.store.found(await asyncio.wait_for(parts.service.store.health(), PROBE_S))
    except (TimeoutError, Unavailable):
        parts.metrics.store.silent()


async def _count(parts: Parts, market: str) -> None:
    """What is stored of one market; what is in a key of another type stays as it was."""
    stored, metrics = parts.service.store.market(market), parts.metrics
    clocks = parts.service.store.agreement.clocks(market)
    metrics.wrong_clocks.labels(market).set(sum(map(bool, clocks.values())))
    with contextlib.suppress(StoreError, ValueError):
        metrics.counted(market, await stored.requests.counts())
    with contextlib.suppress(StoreError, ValueError):
        metrics.will_calls.labels(market).set(await stored.requests.uncalled())
    with contextlib.suppress(StoreError, ValueError):
        now_ms = parts.clock.now_ms()
        metrics.tasks.found(market, await stored.tasks.backlogs(now_ms), now_ms)
    with contextlib.suppress(StoreError, ValueError):
        metrics.troubles.found(market, await stored.troubles.counts())
    with contextlib.suppress(StoreError, ValueError):
        metrics.replaced.labels(market).set(await stored.retention.set_aside())
    with contextlib.suppress(StoreError, ValueError):
        metrics.due.dead.labels(market).set(await stored.dead_letters.count())
    await _count_work(parts, market)


async def _count_work(parts: Parts, market: str) -> None:
    """What all processes counted, this one's own up to now, and what falls due."""
    stored, metrics, now_ms = parts.service.store.market(market), parts.metrics, parts.clock.now_ms()
    with contextlib.suppress(StoreError):
        await parts.service.measures.tell(market, stored.measures)
        metrics.measures.found(market, await stored.measures.read())
    with contextlib.suppress(StoreError, ValueError):
        metrics.due.found(market, await stored.soon(now_ms))
    with contextlib.suppress(StoreError, Unreadable):
        metrics.due.asked(market, (await stored.what_ifs.all()).values())
    with contextlib.suppress(StoreError, ValueError):
        metrics.due.timers(market, await stored.due_times.first_of(kinds()), now_ms)
