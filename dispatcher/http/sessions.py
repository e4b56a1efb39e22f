"""Sessions: a browser's cookie that holds a token, and what keeps other sites from using it.

The cookie is HttpOnly and SameSite=Strict; beside that a call with it has to carry a header that no form and
no link can send, and must not come from another origin by what the browser itself says. The header's word
says whose page calls: the console and the vendors' page have a cookie each, so that both may be open at once.
"""

from __future__ import annotations

from aiohttp import web

from contracts.problems import Forbidden

HEADER, WORD, VENDOR_WORD = "X-Requested-With", "dispatcher", "dispatcher-vendor"
WORDS = (WORD, VENDOR_WORD)  # each page's, and what its cookie is called


def cookie_name(request: web.Request) -> str:
    """The cookie's name: by the page, and by the port, for a browser sends a host's cookies to each of its
    ports."""
    said = request.headers.get(HEADER, "")
    name = said if said in WORDS else WORD
    port = request.host.rpartition(":")[2] if ":" in request.host.rpartition("]")[2] else ""
    return f"{name}-{port}" if port.isdecimal() else name


def token_of(request: web.Request) -> str:
    """The token of the caller's session; "": there is none. Raises Forbidden for a call of another site."""
    token = request.cookies.get(cookie_name(request), "")
    if token:
        refuse_others(request)
    return token


def refuse_others(request: web.Request, *words: str) -> None:
    """Raises Forbidden unless one of our own pages makes this call, or the one of these words."""
    given, words = request.headers, words or WORDS
    if given.get(HEADER) not in words:
        raise Forbidden(
            f"a call with a session needs the header {HEADER}: {words[0]}\nMaybe send a bearer token."
        )
    site, origin = given.get("Sec-Fetch-Site", "same-origin"), given.get("Origin")
    if site != "same-origin" or (origin is not None and origin.partition("://")[2] != request.host):
        raise Forbidden("a session is for our own page\nMaybe send a bearer token.")


def set_cookie(
    request: web.Request,
    answer: web.Response,
    token: str,
    *,
    secure: bool = False,
    holds_s: int | None = None,
) -> None:
    """The session's cookie, until the browser closes or for so long; without a token it goes."""
    name, secure = cookie_name(request), secure or request.url.scheme == "https"
    if token:
        answer.set_cookie(
            name, token, path="/", httponly=True, samesite="Strict", secure=secure, max_age=holds_s
        )
    else:
        answer.del_cookie(name, path="/", httponly=True, samesite="Strict", secure=secure)
