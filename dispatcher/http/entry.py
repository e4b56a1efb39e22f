"""The one entry of every route: who calls, may they, is a slot free, what do they say; then the handler.

The order is that of cost and of what may be told to whom: token 401, role 403, share 429, slot 503, Accept
406, path 400, market 404, query and headers 400, Content-Encoding 415, size 413, Content-Type 415, body 400
or 422. All of it happens before anything is stored.
"""

from __future__ import annotations

import contextlib
import itertools
import secrets
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, nullcontext

import structlog
from aiohttp import web

from contracts import codec
from contracts.base import Wire
from contracts.operations import Operation
from contracts.problems import Forbidden
from dispatcher.domain.refusals import Unavailable, Unwritable
from dispatcher.http import answers, bodies, negotiation, sessions, turns
from dispatcher.http.call import Call, Reply
from dispatcher.http.concurrency import ConcurrencyLimit
from dispatcher.http.metrics import Metrics
from dispatcher.http.parts import Parts
from dispatcher.http.routing import Route
from dispatcher.http.signed_out import LOOK_S, SignedOut
from dispatcher.runtime import traces
from dispatcher.runtime.clock import Clock
from dispatcher.runtime.traces import Span
from dispatcher.security.principal import Principal
from dispatcher.security.tokens import Authenticator
from dispatcher.service.swapped import refuse_swapped

log = structlog.get_logger()
Enter = Callable[[web.Request], Awaitable[web.StreamResponse]]

CALLER_GONE = 499  # as web servers count it; HTTP has no status for who hung up before it was answered
NOBODY = Principal(roles=frozenset(), subject="anyone")  # of no market: what an open route gets


class Gate:
    """What all routes share: tokens, markets, clock, limits, metrics."""

    def __init__(
        self,
        *,
        authenticator: Authenticator,
        clock: Clock,
        authorize_market: Callable[[Principal, str], None],
        calls: ConcurrencyLimit,
        streams: ConcurrencyLimit,
        strangers: ConcurrencyLimit,
        metrics: Metrics,
        signed_out: SignedOut,
        body_s: float,
        wait_s: float,
    ) -> None:
        self.authenticator, self.clock, self.authorize_market = authenticator, clock, authorize_market
        self.calls, self.streams, self.strangers, self.metrics = calls, streams, strangers, metrics
        self.signed_out, self.body_s, self.wait_s = signed_out, body_s, wait_s

    async def identify(self, request: web.Request) -> Principal:
        """Who calls, by a token or a session that holds now.

        Raises Unauthenticated, Forbidden, Unavailable.
        """
        if token := _session(request):
            principal = self.authenticator.session(token, self.clock.now_ms())
            await self.signed_out.refuse(token, principal)
            return principal
        authorization = request.headers.get("Authorization", "")
        return self.authenticator.principal(authorization, self.clock.now_ms())

    async def still(self, request: web.Request, *, news: bool = False) -> None:
        """A stream ends with its caller's token or session; a vendor's before any `news` that came after.

        Raises Unauthenticated.
        """
        token = _session(request)
        if not token:
            self.authenticator.principal(request.headers.get("Authorization", ""), self.clock.now_ms())
            return
        principal = self.authenticator.session(token, self.clock.now_ms())
        with contextlib.suppress(Unavailable):  # nothing is read from the store either, and it is asked again
            fresh = news and principal.is_vendor
            await self.signed_out.refuse_lasting(token, principal, fresh=fresh)

    def waits_s(self, request: web.Request, keep_alive_s: float) -> float:
        """How long a stream may wait for news before it asks whether its caller may still hear them."""
        return min(LOOK_S, keep_alive_s) if _session(request) else keep_alive_s

    async def admit(self, request: web.Request, operation: Operation) -> Principal:
        """Who calls. Raises Unauthenticated, Forbidden, Unavailable."""
        if not operation.roles:
            return NOBODY
        principal = await self.identify(request)
        if not principal.may(operation.roles):
            allowed, has = (", ".join(sorted(each)) for each in (operation.roles, principal.roles))
            raise Forbidden(f"this is for {allowed}, and the token's role is {has}\nMaybe use another token.")
        return principal

    def slot(
        self, request: web.Request, operation: Operation, principal: Principal
    ) -> AbstractContextManager[None]:
        """A slot among the calls, or among the streams, which stay open. Raises TooMany, Overloaded.

        Whoever needs no token takes none, but while its body is on its way: few at once: it holds a place.
        """
        if not operation.roles:
            return nullcontext() if request.content.is_eof() else self.strangers.slot(principal.caller)
        limit = self.streams if operation.stream else self.calls
        return limit.slot(principal.caller)


def _session(request: web.Request) -> str:
    """The token of a caller that has a session and no token of its own; "": it has none."""
    return "" if request.headers.get("Authorization", "") else sessions.token_of(request)


GATE = web.AppKey("gate", Gate)


def entry(route: Route, parts: Parts, gate: Gate) -> Enter:
    """The aiohttp handler of a route."""
    operation = route.operation
    plain = any(answer.media for answer in operation.answers.values())

    async def answer(request: web.Request) -> web.StreamResponse:
        call_id, started, media, principal = new_id(), time.perf_counter(), codec.JSON, NOBODY
        try:
            principal = await gate.admit(request, operation)
            with gate.slot(request, operation, principal):
                if operation.stream:
                    turns.over(request)
                if not plain:
                    media = negotiation.wanted(request.headers.get("Accept", ""))
                call = await _call(request, operation, principal, gate, call_id)
                _refuse_swapped(call, operation, parts)
                made = await route.handler(call, parts)
                response = made if not isinstance(made, Reply) else _response(made, media, call_id)
        except bodies.CallerGone:
            response = web.Response(status=CALLER_GONE)  # nobody reads it; the metric counts it
        except Exception as error:
            response = route.tell(_told(error, principal, call_id), call_id, media)
        if "Expect" in request.headers and not request.content.is_eof():
            response.force_close()  # a body that was not wanted may still come: it is no next call
        gate.metrics.answered(operation.id, response.status, time.perf_counter() - started)
        log.debug("answered", operation=operation.id, status=response.status, call_id=call_id)
        return response

    async def enter(request: web.Request) -> web.StreamResponse:
        if not traces.on() or operation.stream or not operation.roles:  # no stream, no probe
            return await answer(request)
        with _span(request, operation) as span:
            response = await answer(request)
            span.note(http__response__status_code=response.status)
            span.note(dispatcher__call_id=response.headers.get("X-Request-Id", ""))
            if response.status >= 500:
                span.fail(str(response.status))
        return response

    return enter


def _span(request: web.Request, operation: Operation) -> AbstractContextManager[Span]:
    """By the route, as its caller traces it: the URL as it was asked stands in none."""
    return traces.span(
        f"{operation.method} {operation.path}",
        kind="server",
        parent=traces.read(request.headers.get("traceparent")),
        http__request__method=operation.method,
        http__route=operation.path,
        dispatcher__operation=operation.id,
    )


def _told(error: Exception, principal: Principal, call_id: str) -> Exception:
    """What the caller hears; who is outside not which key cannot be written: it may be another's."""
    if not isinstance(error, Unwritable):
        return error
    log.error("commit_refused", call_id=call_id, **error.facts)
    if not principal.is_outside:
        return error
    return Unavailable(
        "the store cannot take this now; nothing was stored\nMaybe try again; ask ops if it lasts.",
        retry_after_s=error.facts["retry_after_s"],
    )


async def _call(
    request: web.Request, operation: Operation, principal: Principal, gate: Gate, call_id: str
) -> Call:
    """The call, decoded; raises the Problem that it is otherwise."""
    path = negotiation.parameters(request, operation)
    if operation.market:
        gate.authorize_market(principal, path["market"])  # NotFound: unknown, or not theirs
    return Call(
        principal=principal,
        path=path,
        query=negotiation.query(request, operation),
        **negotiation.headers(request, operation),
        body=await bodies.read(request, operation.body, gate.body_s, gate.wait_s),
        call_id=call_id,
        raw=request,
    )


def _refuse_swapped(call: Call, operation: Operation, parts: Parts) -> None:
    """Raises InvalidMessage for a door that stands the wrong way round, in whatever message it comes."""
    if operation.market and isinstance(call.body, Wire):
        refuse_swapped(call.body, parts.service.markets.zones[call.market].key)


def _response(reply: Reply, media: str, call_id: str) -> answers.Whole:
    headers = {
        "Content-Type": media,
        "X-Request-Id": call_id,
        "Cache-Control": "no-store",
        **reply.headers,
    }
    return answers.Whole(status=reply.status, body=codec.encode(reply.message, media), headers=headers)


_PROCESS, _NUMBERS = secrets.token_hex(5), itertools.count(1)


def new_id() -> str:
    """A call's id: ours, never the caller's, which could hold anything."""
    return f"{_PROCESS}{next(_NUMBERS):06x}"
