"""Sessions: a browser's cookie that holds a bearer token, and what keeps other sites from using it.

The cookie is HttpOnly and SameSite=Strict; beside that a call with it has to carry a header that no form and
no link can send, and must not come from another origin by what the browser itself says.
"""

from __future__ import annotations

from aiohttp import web

from contracts.problems import Forbidden

NAME = "dispatcher"
HEADER, WORD = "X-Requested-With", "dispatcher"


def cookie_name(request: web.Request) -> str:
    """The cookie's name: by the port, for a browser sends a host's cookies to each of its ports."""
    port = request.host.rpartition(":")[2] if ":" in request.host.rpartition("]")[2] else ""
    return f"{NAME}-{port}" if port.isdecimal() else NAME


def token_of(request: web.Request) -> str:
    """The token of the caller's session; "": there is none. Raises Forbidden for a call of another site."""
    token = request.cookies.get(cookie_name(request), "")
    if token:
        refuse_others(request)
    return token


def refuse_others(request: web.Request) -> None:
    """Raises Forbidden unless our own page makes this call."""
    given = request.headers
    if given.get(HEADER) != WORD:
        raise Forbidden(
            f"a call with a session needs the header {HEADER}: {WORD}\nMaybe send a bearer token."
        )
    site, origin = given.get("Sec-Fetch-Site", "same-origin"), given.get("Origin")
    if site != "same-origin" or (origin is not None and origin.partition("://")[2] != request.host):
        raise Forbidden("a session is for the console's own page\nMaybe send a bearer token.")


def set_cookie(request: web.Request, answer: web.Response, token: str, *, secure: bool = False) -> None:
    """The session's cookie, until the browser closes; without a token it goes."""
    name, secure = cookie_name(request), secure or request.url.scheme == "https"
    if token:
        answer.set_cookie(name, token, path="/", httponly=True, samesite="Strict", secure=secure)
    else:
        answer.del_cookie(name, path="/", httponly=True, samesite="Strict", secure=secure)
