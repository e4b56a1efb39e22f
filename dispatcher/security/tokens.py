"""Bearer tokens (JWT, RFC 7519): who calls, in which role, in which markets.

A key of the JWKS is used with the one algorithm that it names itself (`alg`), so that a token cannot choose.
Claims: `sub`, `aud` = "dispatcher", `role` or, for several, `roles` (a list), `markets` (a list of ids, or
"*" for ops), `vendor` or `facility` (its id, for that role), `exp` and, if given, `nbf`, both against the
service's own clock. A vendor's token is a vendor's only, and a facility's alike: what is another's does not
exist for it.
"""

from __future__ import annotations

import hashlib
import secrets
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal

import msgspec
from joserfc import jwk, jwt
from joserfc.errors import JoseError
from msgspec import Meta

from contracts.base import Id
from contracts.codes import Role
from contracts.problems import Unauthenticated
from dispatcher.domain.rights import ALONE
from dispatcher.runtime.errors import UserError
from dispatcher.security.principal import Principal

AUDIENCE = "dispatcher"
SESSION_AUDIENCE = "dispatcher-session"  # a browser's: no bearer token, so that signing out ends it
ALGORITHMS = {"HS256": "oct", "ES256": "EC", "RS256": "RSA", "EdDSA": "OKP"}
MAX_TOKEN_CHARS = 4_096
REMEMBERED = 4_096


class Claims(msgspec.Struct, frozen=True, kw_only=True):
    """What a token says; other claims are ignored."""

    aud: str | tuple[str, ...]
    exp: float
    role: Role | None = None
    roles: tuple[Role, ...] = ()
    sub: Annotated[str, Meta(max_length=128)] = ""
    nbf: float = 0.0
    markets: Literal["*"] | tuple[Id, ...] = ()
    vendor: Id | Literal[""] = ""
    facility: Id | Literal[""] = ""
    mark: Annotated[str, Meta(max_length=64)] = ""  # of a session of a vendor's page

    def principal(self) -> Principal:
        """Who calls. Raises Unauthenticated for a combination that means nothing."""
        roles = self._all_roles()
        for role, name in ((Role.VENDOR, self.vendor), (Role.FACILITY, self.facility)):
            if (role in roles) != bool(name):
                raise Unauthenticated(f"a token names a {role} exactly if its role is {role}")
        if self.markets == "*" and roles != {Role.OPS}:
            raise Unauthenticated(f"a token of role {_named(roles)} lists its markets")
        markets = None if self.markets == "*" else frozenset(self.markets)
        return Principal(
            roles=roles,
            subject=self.sub,
            markets=markets,
            vendor_id=self.vendor,
            facility_id=self.facility,
            mark=self.mark,
        )

    def are_for(self, meant: Iterable[str]) -> bool:
        """Whether the token is for one of these."""
        return not set(meant).isdisjoint(self.aud if isinstance(self.aud, tuple) else (self.aud,))

    def _all_roles(self) -> frozenset[Role]:
        """Of `roles`, or the one of `role`. Raises Unauthenticated where they do not go together."""
        roles = frozenset(self.roles or filter(None, (self.role,)))
        if not roles:
            raise Unauthenticated("the token names no role\nMaybe its claim is called role, or roles.")
        if self.role is not None and self.role not in roles:
            raise Unauthenticated(f"the token's role is {self.role}, and its roles are {_named(roles)}")
        for alone in sorted(roles & ALONE if len(roles) > 1 else ()):
            raise Unauthenticated(
                f"the token's roles are {_named(roles)}: a {alone}'s token is a {alone}'s only\n"
                "Maybe mint two tokens."
            )
        return roles


class Authenticator:
    """Tokens to principals. A token that held is remembered, so that a caller's next one costs a look-up."""

    def __init__(self, keys: Mapping[str, Any]) -> None:
        """`keys`: a JWKS, each key with `kid` and `alg`. Raises UserError for a key that cannot be used."""
        self._keys = {(each.get("kid", ""), each.get("alg", "")): _key(each) for each in keys["keys"]}
        if len({name for name, _ in self._keys}) != len(keys["keys"]):
            raise UserError("two token keys have the same kid.", "Give each key a kid of its own.")
        self._known: OrderedDict[bytes, tuple[Claims, Principal]] = OrderedDict()

    def principal(self, authorization: str, now_ms: int) -> Principal:
        """Who calls, by the Authorization header. Raises Unauthenticated; never repeats the token."""
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Unauthenticated("there is no bearer token\nMaybe send Authorization: Bearer <token>.")
        return self.verify(token.strip(), now_ms)

    def known(self, token: str) -> Principal | None:
        """Who a bare token that has held before speaks for, whether or not it holds still; a look-up."""
        found = self._known.get(_digest(token))
        return found[1] if found else None

    def session(self, token: str, now_ms: int) -> Principal:
        """Who a session's token speaks for, one of ours or a bearer token. Raises Unauthenticated."""
        return self.verify(token, now_ms, meant=(SESSION_AUDIENCE, AUDIENCE))

    def verify(self, token: str, now_ms: int, meant: tuple[str, ...] = (AUDIENCE,)) -> Principal:
        """Who a bare token speaks for that is meant for one of these. Raises Unauthenticated."""
        digest = _digest(token)
        known = self._known.get(digest)
        if known is None:
            claims = self._claims(token)
            known = claims, claims.principal()
        claims, principal = known
        if not claims.are_for(meant):
            raise Unauthenticated(f"the token is not meant for {meant[-1]}\nMaybe it is another service's.")
        _in_time(claims, now_ms / 1000)
        self._known[digest] = known
        self._known.move_to_end(digest)
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return principal

    def signed(self, token: str) -> dict[str, Any]:
        """What a token of ours says, whatever it is for and until whenever. Raises Unauthenticated."""
        if len(token) > MAX_TOKEN_CHARS:
            raise Unauthenticated(f"the token has more than {MAX_TOKEN_CHARS:,} characters")
        try:
            return dict(jwt.decode(token, self._find, algorithms=list(ALGORITHMS)).claims)
        except (JoseError, ValueError, KeyError, TypeError):
            raise Unauthenticated(
                "the token does not hold\nMaybe it was cut, or signed by another key."
            ) from None

    def _claims(self, token: str) -> Claims:
        try:
            return msgspec.convert(self.signed(token), Claims)
        except msgspec.ValidationError as error:
            raise Unauthenticated(f"the token's claims are not as described: {error}") from None

    def _find(self, token: Any) -> jwk.Key:
        """The key that the header names, if it is one of that algorithm; KeyError otherwise."""
        header = token.headers()
        if "kid" in header:
            return self._keys[header["kid"], header["alg"]]
        (only,) = [key for (_, algorithm), key in self._keys.items() if algorithm == header["alg"]]
        return only


def _digest(token: str) -> bytes:
    return hashlib.blake2b(token.encode("utf-8", "replace"), digest_size=32).digest()


def mint(keys: Mapping[str, Any], claims: Mapping[str, Any]) -> str:
    """A token signed with the first key of the JWKS that can sign. Raises UserError if none can."""
    for each in keys["keys"]:
        if "k" in each or "d" in each:
            key = _key(each)
            header = {"alg": each["alg"], "kid": each["kid"]}
            return jwt.encode(header, {"aud": AUDIENCE, **claims}, key, algorithms=[each["alg"]])
    raise UserError("the key file has public keys only.", "Maybe mint tokens where the private key is.")


def session_token(keys: Mapping[str, Any], said: Mapping[str, Any]) -> str:
    """A token for one browser's session, with a name of its own: its end is that of no other, and no bearer.

    Raises UserError if no key can sign.
    """
    kept = {name: said[name] for name in Claims.__struct_fields__ if name in said}
    return mint(keys, kept | {"aud": SESSION_AUDIENCE, "jti": secrets.token_hex(12)})


def claims(
    *roles: Role,
    markets: Sequence[str],
    vendor_id: str = "",
    facility_id: str = "",
    now_ms: int,
    hours: float,
    subject: str = "",
) -> dict[str, Any]:
    """The claims of a token that holds from now for some hours; of one role or several."""
    now_s = now_ms // 1000
    named = list(dict.fromkeys(each.value for each in roles))
    made: dict[str, Any] = {"sub": subject or vendor_id or facility_id or "+".join(named)}
    made |= {"role": named[0]} if len(named) == 1 else {"roles": named}
    made |= {"markets": "*" if list(markets) == ["*"] else list(markets)}
    made |= {"vendor": vendor_id} if vendor_id else {}
    made |= {"facility": facility_id} if facility_id else {}
    return made | {"iat": now_s, "nbf": now_s - 60, "exp": now_s + round(hours * 3600)}


def _named(roles: Iterable[Role]) -> str:
    return ", ".join(sorted(roles))


def _in_time(claims: Claims, now_s: float) -> None:
    if not claims.nbf <= now_s:
        raise Unauthenticated("the token does not hold yet\nMaybe the clocks differ.")
    if not now_s < claims.exp:
        raise Unauthenticated(
            "the token has expired\n"
            "Maybe get a new one; for development, the command `token` of the service mints one."
        )


def _key(described: Mapping[str, Any]) -> jwk.Key:
    algorithm, kind = described.get("alg", ""), described.get("kty", "")
    if ALGORITHMS.get(algorithm) != kind or not described.get("kid"):
        raise UserError(
            f"a token key has kid {described.get('kid')!r}, kty {kind!r} and alg {algorithm!r}.",
            f"Give every key a kid and one alg of its kty: {ALGORITHMS}.",
        )
    try:
        return jwk.import_key(dict(described))
    except (JoseError, ValueError, KeyError, TypeError) as error:  # its text may hold the key
        raise UserError(
            f"the token key {described['kid']!r} is no {kind} key ({type(error).__name__}).",
            "Maybe it was cut.",
        ) from None
