"""Sessions: a link or a token becomes a cookie; who is signed in; signing out."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec
from aiohttp import web
from msgspec import Meta

from contracts.base import Wire
from contracts.operations import ANYONE, Answer, Body
from contracts.problems import Unauthenticated
from dispatcher import __version__
from dispatcher.console import links
from dispatcher.http import sessions
from dispatcher.http.call import Call
from dispatcher.http.entry import GATE, Gate
from dispatcher.http.parts import Parts
from dispatcher.http.routing import Routes
from dispatcher.runtime.errors import UserError
from dispatcher.security.principal import Principal
from dispatcher.security.tokens import MAX_TOKEN_CHARS, session_token

JSON = "application/json"
ROUTES = Routes("console", 900)
DIRECTORY = web.AppKey("directory", object)  # whose people may sign in


class Enter(Wire, frozen=True, kw_only=True):
    """What opens a session: the code of a one-time link, or a bearer token."""

    code: Annotated[str, Meta(max_length=MAX_TOKEN_CHARS)] = ""
    token: Annotated[str, Meta(max_length=MAX_TOKEN_CHARS)] = ""


class SessionMarket(Wire, frozen=True, kw_only=True):
    """A market that may be looked at, and its time zone."""

    id: str
    tz: str


class Session(Wire, frozen=True, kw_only=True):
    """Who is signed in; `now_ms` is the service's clock, which may run faster than yours."""

    subject: str
    roles: tuple[str, ...]
    markets: tuple[SessionMarket, ...]
    now_ms: int
    version: str
    map_tiles: str = ""  # pictures below the map; "": none
    map_credit: str = ""


class SignIn(Wire, frozen=True, omit_defaults=False):
    """The ways to sign in."""

    directory: bool = False


@ROUTES.get(
    "/console/session", id="readSession", roles=ANYONE, answers={200: Answer("who is signed in", media=JSON)}
)
async def read(call: Call, parts: Parts) -> web.Response:
    """Who is signed in."""
    return _answer(await call.raw.app[GATE].identify(call.raw), parts)


@ROUTES.get(
    "/console/sign-in",
    id="readSignIn",
    roles=ANYONE,
    answers={200: Answer("the ways to sign in", media=JSON)},
)
async def ways(call: Call, parts: Parts) -> web.Response:
    """The ways to sign in."""
    told = SignIn(directory=call.raw.app.get(DIRECTORY) is not None)
    return web.Response(body=msgspec.json.encode(told), content_type=JSON)


@ROUTES.post(
    "/console/session",
    id="openSession",
    roles=ANYONE,
    body=Body(Enter),
    answers={200: Answer("signed in", media=JSON)},
    problems=("unauthenticated", "forbidden"),
)
async def enter(call: Call, parts: Parts) -> web.Response:
    """Sign in with a one-time link or a token."""
    sessions.refuse_others(call.raw, sessions.WORD)
    authenticator, now_ms = call.raw.app[GATE].authenticator, parts.clock.now_ms()
    given = call.body.token.strip()
    if given:
        authenticator.verify(given, now_ms)
    token = _session_of(given, call, parts) if given else await _redeemed(call, parts)
    answer = _answer(authenticator.session(token, now_ms), parts)
    sessions.set_cookie(call.raw, answer, token, secure=by_tls(call, parts))
    return answer


@ROUTES.delete(
    "/console/session", id="closeSession", roles=ANYONE, answers={204: Answer("signed out", media=JSON)}
)
async def leave(call: Call, parts: Parts) -> web.Response:
    """Sign out: in this browser, and wherever else the session's cookie is."""
    sessions.refuse_others(call.raw, sessions.WORD)
    await end(sessions.token_of(call.raw), call, parts)
    answer = web.Response(status=204)
    sessions.set_cookie(call.raw, answer, "", secure=by_tls(call, parts))
    return answer


def by_tls(call: Call, parts: Parts) -> bool:
    """Whether the browser speaks TLS, with what stands before us: the cookie goes nowhere else then."""
    public = urlsplit(parts.public_url)
    return public.scheme == "https" and public.netloc == call.raw.host


async def _redeemed(call: Call, parts: Parts) -> str:
    """The token that a link's code is worth, the first time. Raises Unauthenticated, Unavailable."""
    said = links.opened(call.raw.app[GATE].authenticator, call.body.code, parts.clock.now_ms())
    if not await parts.service.store.once.first(f"link:{said.jti}", links.USED_FOR_S):
        raise Unauthenticated("the link was used before\nMaybe print a new one: the command `console` does.")
    return session_token(parts.token_keys, said.session)


def _session_of(token: str, call: Call, parts: Parts) -> str:
    """A session of its own by a bearer token; where no key here can sign, the token itself."""
    try:
        made = session_token(parts.token_keys, call.raw.app[GATE].authenticator.signed(token))
    except UserError:
        return token
    return made if len(made) <= MAX_TOKEN_CHARS else token


async def end(token: str, call: Call, parts: Parts) -> None:
    """It opens nothing from here on. Raises Unavailable; what is no session of ours has nothing to end."""
    gate: Gate = call.raw.app[GATE]
    if not token:
        return
    try:
        expires_s = float(gate.authenticator.signed(token)["exp"])
    except (Unauthenticated, KeyError, TypeError, ValueError):
        return
    now_ms = parts.clock.now_ms()
    if (holds_s := expires_s - now_ms / 1000) > 0:
        await gate.signed_out.add(token, holds_s, gate.authenticator.session(token, now_ms))


def _answer(who: Principal, parts: Parts) -> web.Response:
    zones = parts.service.markets.zones
    told: Any = Session(
        subject=who.subject,
        roles=tuple(sorted(who.roles)),
        markets=tuple(
            SessionMarket(id=name, tz=zone.key) for name, zone in zones.items() if who.may_enter(name)
        ),
        now_ms=parts.clock.now_ms(),
        version=__version__,
        map_tiles=parts.map_tiles or "",
        map_credit=parts.map_credit,
    )
    return web.Response(
        body=msgspec.json.encode(told), content_type=JSON, headers={"Cache-Control": "no-store"}
    )
