"""The web application: the routes of every subject, over a service that is ready to be used."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import partial

from aiohttp import web

from contracts import codec
from contracts.codec import MAX_BYTES
from contracts.codes import Role
from contracts.operations import Operation
from dispatcher.delivery.board import Boards
from dispatcher.delivery.hub import Hub
from dispatcher.http import answers, documents, problem_responses
from dispatcher.http.board import BOARDS
from dispatcher.http.concurrency import ConcurrencyLimit
from dispatcher.http.documents import DOCUMENTS, Documents
from dispatcher.http.entry import GATE, Enter, Gate, entry, new_id
from dispatcher.http.health import PROBES, Probes
from dispatcher.http.lanes import Lanes
from dispatcher.http.parts import Parts
from dispatcher.http.routing import Route, Routes, Tell, check, subjects
from dispatcher.http.server import LANES, LIMITS, SWITCH
from dispatcher.http.signed_out import SignedOut
from dispatcher.http.switch import Switch
from dispatcher.security.tokens import Authenticator

VENDORS = frozenset({Role.VENDOR})
TELLS = web.AppKey("tells", list[tuple[re.Pattern[str], Tell]])  # how problems are told under a path


def build_app(parts: Parts, more: Iterable[Routes] = ()) -> web.Application:
    """The application, not yet running, with `more` routes than its own.

    Raises UserError for a route without roles, or one that is declared twice.
    """
    all_subjects = (*subjects(), *more)
    routes = [route for subject in all_subjects for route in subject]
    operations = [route.operation for route in routes]
    check(operations)
    app = web.Application(client_max_size=MAX_BYTES + 1, middlewares=[problems])
    app[GATE], app[DOCUMENTS], app[LIMITS] = _gate(parts), Documents(operations), parts.limits
    app[PROBES], app[LANES] = Probes(parts), _lanes(parts, routes, app[GATE].authenticator)
    app[SWITCH] = Switch(app)
    app[TELLS] = [(under(each.base), each.tell) for each in all_subjects if each.base]
    app.on_response_prepare.append(answers.mark)
    for route in routes:
        _add(app, route, parts)
    app.router.add_get("/", documents.index)
    app.router.add_get("/docs/docs.js", documents.script)
    app.router.add_get("/docs/docs.css", documents.style)
    app[BOARDS] = Boards(parts.clock)
    app.on_shutdown.append(partial(_end_streams, parts.hub, app[BOARDS]))
    return app


def _add(app: web.Application, route: Route, parts: Parts) -> None:
    enter = entry(route, parts, app[GATE])
    app[SWITCH].add(_methods(route.operation), route.operation.path, enter)


def _methods(operation: Operation) -> tuple[str, ...]:
    """What can be read can be asked for without its body (RFC 9110 9.3.2), except what does not end."""
    head = operation.method == "GET" and not operation.stream
    return (operation.method, "HEAD") if head else (operation.method,)


async def _end_streams(hub: Hub, boards: Boards, app: web.Application) -> None:
    """Open streams would hold the shutdown until its time-out."""
    await boards.aclose()
    await hub.aclose()


@web.middleware
async def problems(request: web.Request, handler: Enter) -> web.StreamResponse:
    """What aiohttp refuses by itself, as a problem: no such path, no such method of an operation's path."""
    try:
        return await handler(request)
    except web.HTTPException as refused:
        methods = request.app[SWITCH].methods(request)
        error = web.HTTPMethodNotAllowed(request.method, methods) if methods else refused
        found = (tell for begins, tell in request.app[TELLS] if begins.match(request.path))
        return next(found, problem_responses.answer)(error, new_id(), codec.JSON)


def under(base: str) -> re.Pattern[str]:
    """Paths that begin with this one, whatever its parameters are."""
    return re.compile("/".join("[^/]+" if part[:1] == "{" else part for part in base.split("/")) + "(/|$)")


def _lanes(parts: Parts, routes: Iterable[Route], authenticator: Authenticator) -> Lanes:
    answers = [each.operation for each in routes if each.command and each.operation.roles == VENDORS]
    lanes = Lanes(parts.limits, answers, authenticator.known, parts.metrics.refused_unread)
    parts.metrics.waiting.set_function(lambda: lanes.waiting)
    parts.metrics.store.waiting.set_function(lambda: parts.service.store.committer.waiting)
    return lanes


def _gate(parts: Parts) -> Gate:
    limits = parts.limits
    calls = ConcurrencyLimit(limits.in_flight, limits.per_caller, limits.retry_after_s)
    parts.metrics.in_flight.set_function(lambda: calls.taken)
    return Gate(
        authenticator=Authenticator(parts.token_keys),
        clock=parts.clock,
        authorize_market=parts.service.markets.authorize,
        calls=calls,
        strangers=ConcurrencyLimit(limits.strangers, limits.in_flight, limits.retry_after_s),
        streams=ConcurrencyLimit(limits.streams, limits.streams_per_caller, limits.retry_after_s),
        metrics=parts.metrics,
        signed_out=SignedOut(parts.service.store.once, parts.service.store.sign_ins),
        body_s=limits.body_s,
        wait_s=limits.wait_s,
    )
