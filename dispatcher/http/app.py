"""The web application: every route of the table with its handler, over a service that is ready to be used."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

import msgspec
from aiohttp import web

from contracts.codec import MAX_BYTES
from contracts.operations import Operation
from dispatcher.delivery.hub import Hub
from dispatcher.http import problem_responses
from dispatcher.http.call import Handler
from dispatcher.http.concurrency import ConcurrencyLimit, Limits
from dispatcher.http.entry import Gate, entry, new_id
from dispatcher.http.handlers.events import Events
from dispatcher.http.handlers.offers import Offers
from dispatcher.http.handlers.requests import Quoter, Requests
from dispatcher.http.handlers.service import Service
from dispatcher.http.handlers.vendors import Vendors
from dispatcher.http.metrics import Metrics
from dispatcher.http.open_routes import SERVICE
from dispatcher.http.routes import OPERATIONS, check
from dispatcher.runtime.clock import Clock
from dispatcher.runtime.errors import UserError
from dispatcher.security.tokens import Authenticator
from dispatcher.service.service import Service as Everything

GATE = web.AppKey("gate", Gate)
Enter = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """What the application is made of; the composition root makes them, and ends them."""

    service: Everything
    hub: Hub
    quoter: Quoter
    clock: Clock
    token_keys: Mapping[str, Any]  # a JWKS
    limits: Limits = Limits()


def build_app(parts: Parts) -> web.Application:
    """The application, not yet running. Raises UserError for a route without role or handler."""
    metrics = Metrics()
    operations = OPERATIONS + SERVICE
    check(operations)
    gate = _gate(parts, metrics)
    events = Events(parts.hub, metrics, parts.limits.keep_alive_s, gate.identify)
    service = Service(parts.service, metrics, operations)
    handlers = _handlers(parts, metrics, events, service)
    app = web.Application(client_max_size=MAX_BYTES + 1, middlewares=[problems])
    app[GATE] = gate
    for operation in operations:
        if operation.id not in handlers:
            raise UserError(f"route {operation.id} has no handler.", "Add it in dispatcher/http/app.py.")
        enter = entry(operation, handlers[operation.id], gate)
        for method in _methods(operation):
            app.router.add_route(method, operation.path, enter)
    app.router.add_get("/", service.index)
    app.router.add_get("/docs/docs.js", service.script)
    app.router.add_get("/docs/docs.css", service.style)
    app.on_shutdown.append(partial(_end_streams, parts.hub))
    return app


def _methods(operation: Operation) -> tuple[str, ...]:
    """What can be read can be asked for without its body (RFC 9110 9.3.2), except what does not end."""
    head = operation.method == "GET" and not operation.resumable
    return (operation.method, "HEAD") if head else (operation.method,)


async def _end_streams(hub: Hub, app: web.Application) -> None:
    """Open streams would hold the shutdown until its time-out."""
    await hub.aclose()


@web.middleware
async def problems(request: web.Request, handler: Enter) -> web.StreamResponse:
    """What aiohttp refuses by itself (no such path, no such method) as a problem, too."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        return problem_responses.answer(error, new_id())


def _gate(parts: Parts, metrics: Metrics) -> Gate:
    limits = parts.limits
    return Gate(
        authenticator=Authenticator(parts.token_keys),
        clock=parts.clock,
        enter=parts.service.markets.authorize,
        calls=ConcurrencyLimit(limits.in_flight, limits.per_caller, limits.retry_after_s),
        streams=ConcurrencyLimit(limits.streams, limits.streams_per_caller, limits.retry_after_s),
        metrics=metrics,
        body_s=limits.body_s,
    )


def _handlers(parts: Parts, metrics: Metrics, events: Events, service: Service) -> Mapping[str, Handler]:
    requests = Requests(parts.service, parts.quoter, metrics)
    vendors, offers = Vendors(parts.service), Offers(parts.service)
    return {
        "submitRequests": requests.submit,
        "listRequests": requests.list,
        "getRequest": requests.get,
        "cancelRequest": requests.cancel,
        "holdRequest": requests.hold,
        "resumeRequest": requests.resume,
        "quote": requests.quote,
        "putVendor": vendors.put,
        "getVendor": vendors.get,
        "putCapacity": vendors.put_capacity,
        "getCapacity": vendors.get_capacity,
        "getTuning": vendors.get_tuning,
        "putTuning": vendors.put_tuning,
        "listOffers": offers.list,
        "acceptOffer": offers.accept,
        "declineOffer": offers.decline,
        "reportStatus": offers.report,
        "getDispatch": offers.dispatch,
        "followEvents": events.follow,
        "live": service.live,
        "ready": service.ready,
        "metrics": service.metrics,
        "openapi": service.openapi,
        "asyncapi": service.asyncapi,
        "docs": service.docs,
        "problem": service.problem,
    }
