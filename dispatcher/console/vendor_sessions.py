"""Sessions of the vendors' page: a code that ops issued becomes a cookie of its own; who is signed in."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from aiohttp import web
from msgspec import Meta

from contracts.base import Wire
from contracts.codes import Role
from contracts.operations import ANYONE, Answer, Body
from contracts.problems import Forbidden, Unauthenticated
from dispatcher import __version__
from dispatcher.console.sessions import JSON, by_tls, end
from dispatcher.http import sessions
from dispatcher.http.call import Call
from dispatcher.http.entry import GATE
from dispatcher.http.parts import Parts
from dispatcher.http.routing import Routes
from dispatcher.http.signed_out import listed_as
from dispatcher.runtime.places import Place
from dispatcher.security.principal import Principal
from dispatcher.security.tokens import claims, session_token

ROUTES = Routes("vendor page", 910)


class EnterCode(Wire, frozen=True, kw_only=True):
    """What opens a session: a code that ops issued, by its link or typed."""

    code: Annotated[str, Meta(min_length=1, max_length=64)]


class VendorSession(Wire, frozen=True, kw_only=True, omit_defaults=False):
    """Who is signed in; `now_ms` is the service's clock, which may run faster than yours."""

    vendor_id: str
    subject: str
    market: str
    tz: str
    now_ms: int
    version: str
    places: tuple[Place, ...] = ()  # named ones of the market: [name, longitude, latitude]


@ROUTES.get(
    "/vendor/session",
    id="readVendorSession",
    roles=ANYONE,
    answers={200: Answer("who is signed in", media=JSON)},
)
async def read(call: Call, parts: Parts) -> web.Response:
    """Who is signed in to the vendors' page."""
    return _answer(await call.raw.app[GATE].identify(call.raw), parts)


@ROUTES.post(
    "/vendor/session",
    id="openVendorSession",
    roles=ANYONE,
    body=Body(EnterCode),
    answers={200: Answer("signed in", media=JSON)},
    problems=("unauthenticated", "forbidden"),
)
async def enter(call: Call, parts: Parts) -> web.Response:
    """Sign in to the vendors' page with the code of a one-time link."""
    sessions.refuse_others(call.raw, sessions.VENDOR_WORD)
    said = await parts.service.vendor_sign_ins.redeem(call.body.code)
    if said is None:
        raise Unauthenticated(
            "the code does not hold: it was used, is too old, or was misspelt\nMaybe ask ops for another."
        )
    now_ms, market = parts.clock.now_ms(), [said.market]
    made = claims(
        Role.VENDOR,
        markets=market,
        vendor_id=said.vendor_id,
        now_ms=now_ms,
        hours=said.hours,
        subject=said.subject,
    )
    token = session_token(parts.token_keys, made | {"mark": said.mark})
    answer = _answer(call.raw.app[GATE].authenticator.session(token, now_ms), parts)
    await parts.service.vendor_sign_ins.opened(said, listed_as(token))
    holds_s = said.hours * 3600  # a phone closes its browser whenever it likes
    sessions.set_cookie(call.raw, answer, token, secure=by_tls(call, parts), holds_s=holds_s)
    return answer


@ROUTES.delete(
    "/vendor/session",
    id="closeVendorSession",
    roles=ANYONE,
    answers={204: Answer("signed out", media=JSON)},
)
async def leave(call: Call, parts: Parts) -> web.Response:
    """Sign out of the vendors' page: on this phone, and wherever else the session's cookie is."""
    sessions.refuse_others(call.raw, sessions.VENDOR_WORD)
    await end(sessions.token_of(call.raw), call, parts)
    answer = web.Response(status=204)
    sessions.set_cookie(call.raw, answer, "", secure=by_tls(call, parts))
    return answer


def _answer(who: Principal, parts: Parts) -> web.Response:
    """Raises Forbidden for who is no vendor of a market of this service."""
    zones = parts.service.markets.zones
    market = next((name for name in zones if who.may_enter(name)), "")
    if not who.is_vendor or not market:
        raise Forbidden("this page is for a vendor's people\nMaybe it is the console that you look for.")
    told: Any = VendorSession(
        vendor_id=who.vendor_id,
        subject=who.subject,
        market=market,
        tz=zones[market].key,
        now_ms=parts.clock.now_ms(),
        version=__version__,
        places=parts.places.get(market, ()),
    )
    return web.Response(
        body=msgspec.json.encode(told), content_type=JSON, headers={"Cache-Control": "no-store"}
    )
