"""One-time links: who reads the terminal opens the console without typing a token.

The code is a token for another audience, so that it opens nothing but a session; it stands behind the `#` of
the address, which no browser sends and no log keeps; and it is used once.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

import msgspec

from contracts.problems import Unauthenticated
from dispatcher.security.tokens import Authenticator, mint

AUDIENCE = "dispatcher-console-link"
MINUTES = 15
USED_FOR_S = 86_400  # real seconds that a used code is remembered: longer than one holds


class LinkClaims(msgspec.Struct, frozen=True):
    """What a code says: until when it holds, and the claims of the session that it opens."""

    aud: str
    jti: str
    exp: float
    session: dict[str, Any]


def code(keys: Mapping[str, Any], session: Mapping[str, Any], now_ms: int, *, speed: float = 1.0) -> str:
    """A code that holds for a quarter of an hour. `session`: claims. `speed`: a scaled clock's."""
    until_s = now_ms // 1000 + round(MINUTES * 60 * max(1.0, speed))
    return mint(
        keys, {"aud": AUDIENCE, "jti": secrets.token_hex(16), "exp": until_s, "session": dict(session)}
    )


def link(url: str, code: str) -> str:
    """Where a code is used."""
    return f"{url}/console/enter#{code}"


def opened(authenticator: Authenticator, code: str, now_ms: int) -> LinkClaims:
    """What a code says, if it holds. Raises Unauthenticated."""
    try:
        claims = msgspec.convert(authenticator.signed(code), LinkClaims)
    except msgspec.ValidationError:
        raise Unauthenticated("this is no link of ours\nMaybe it was cut.") from None
    if claims.aud != AUDIENCE:
        raise Unauthenticated("this is no link of ours\nMaybe it is a bearer token.")
    if now_ms / 1000 >= claims.exp:
        raise Unauthenticated("the link has expired\nMaybe print a new one: the command `console` does.")
    return claims
