"""Signing in with your own directory: OpenID Connect, authorization code with PKCE.

What the directory says of a person becomes a token of this service (`OIDC_ROLES` maps groups to roles), which
the session's cookie holds as any other. What has to be remembered between leaving and coming back stands in a
cookie of its own, signed, for ten minutes: state, nonce and verifier.
"""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

import structlog
from aiohttp import ClientError, ClientSession, ClientTimeout, web
from authlib.oauth2.rfc6749.parameters import parse_authorization_code_response, prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.jwk import KeySet

from contracts.codes import Role
from contracts.problems import Unauthenticated
from dispatcher.http import sessions, turns
from dispatcher.runtime.clock import Clock
from dispatcher.runtime.urls import OidcRoles
from dispatcher.security.tokens import Authenticator, claims, mint, session_token

log = structlog.get_logger()
AUDIENCE = "dispatcher-console-oidc"
COOKIE, PATH, CALLBACK = "dispatcher-oidc", "/console/oidc", "/console/oidc/callback"
LEFT_S = 600  # from leaving for the directory to coming back
HOURS = 12.0
MOST_ASKING = 64  # who leave for the directory, or come back, at once
LEEWAY_S = 60
ALGORITHMS = ["RS256", "ES256", "EdDSA", "PS256", "RS384", "RS512", "ES384"]
TIMEOUT = ClientTimeout(total=10)


class Refused(Exception):
    """It does not end in a session; the word tells the sign-in page why."""


class Directory:
    """An OpenID provider, and who its people are here. `secret` "": a public client, held by PKCE alone."""

    def __init__(
        self,
        *,
        issuer: str,
        client_id: str,
        secret: str,
        roles: OidcRoles,
        claim: str,
        public_url: str,
        markets: tuple[str, ...],
        keys: Mapping[str, Any],
        clock: Clock,
    ) -> None:
        self.issuer, self.client_id, self.secret = issuer.rstrip("/"), client_id, secret
        self.roles, self.claim, self.markets = roles, claim, markets
        self.public_url, self.keys, self.clock = public_url.rstrip("/"), keys, clock
        self._signed = Authenticator(keys).signed
        self._found: dict[str, Any] = {}
        self._asked = 0

    async def leave(self, request: web.Request) -> web.Response:
        """To the directory, with what is to be remembered."""
        try:
            with self._asking(request):
                return await self._leave(request)
        except Refused as refusal:
            return _told(str(refusal))

    @contextlib.contextmanager
    def _asking(self, request: web.Request) -> Iterator[None]:
        """While the directory is asked, which may take its time, the call holds no place among ours.

        Raises Refused where too many wait for it.
        """
        turns.over(request)
        if self._asked >= MOST_ASKING:
            raise Refused("unreachable")
        self._asked += 1
        try:
            yield
        finally:
            self._asked -= 1

    async def _leave(self, request: web.Request) -> web.Response:
        kept = {each: secrets.token_urlsafe(32) for each in ("state", "nonce", "verifier")}
        try:
            place = (await self._metadata())["authorization_endpoint"]
        except (Refused, KeyError):
            return _told("unreachable")
        where = prepare_grant_uri(
            place,
            self.client_id,
            "code",
            redirect_uri=self._back(request),
            scope="openid profile email",
            state=kept["state"],
            nonce=kept["nonce"],
            code_challenge=create_s256_code_challenge(kept["verifier"]),
            code_challenge_method="S256",
        )
        answer = web.Response(status=302, headers={"Location": where, "Cache-Control": "no-store"})
        token = mint(self.keys, {"aud": AUDIENCE, "exp": time.time() + LEFT_S, **kept})
        secure = self._back(request).startswith("https")
        answer.set_cookie(
            COOKIE, token, path=PATH, max_age=LEFT_S, httponly=True, samesite="Lax", secure=secure
        )
        return answer

    async def come_back(self, request: web.Request) -> web.Response:
        """A session for who comes back with a code; else the sign-in page, with why not."""
        try:
            with self._asking(request):
                token = await self._token(request)
        except Refused as refusal:
            log.warning("oidc_refused", why=str(refusal))
            answer = _told(str(refusal))
        else:
            answer = web.Response(status=302, headers={"Location": "/console", "Cache-Control": "no-store"})
            secure = self._back(request).startswith("https")
            sessions.set_cookie(request, answer, token, secure=secure)
        answer.del_cookie(COOKIE, path=PATH)
        return answer

    async def _token(self, request: web.Request) -> str:
        kept = self._kept(request.cookies.get(COOKIE, ""))
        try:
            code = parse_authorization_code_response(str(request.url), kept["state"])["code"]
        except Exception as error:  # what authlib raises for each way in which it may be wrong
            raise Refused("denied" if "error" in request.query else "expired") from error
        said = await self._id_token(code, kept["verifier"], self._back(request))
        return self._mint(await self._checked(said, kept["nonce"]))

    def _kept(self, cookie: str) -> dict[str, Any]:
        try:
            found = self._signed(cookie)
        except Unauthenticated:
            raise Refused("expired") from None
        if found.get("aud") != AUDIENCE or time.time() >= found["exp"]:
            raise Refused("expired")
        return found

    async def _id_token(self, code: str, verifier: str, back: str) -> str:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": back,
            "client_id": self.client_id,
            "code_verifier": verifier,
        }
        form |= {"client_secret": self.secret} if self.secret else {}
        try:
            place = (await self._metadata())["token_endpoint"]
            async with ClientSession(timeout=TIMEOUT) as client, client.post(place, data=form) as answer:
                told = await answer.json(content_type=None)
                return str(told["id_token"])
        except (ClientError, TimeoutError, ValueError, KeyError, TypeError):
            raise Refused("unreachable") from None

    async def _checked(self, token: str, nonce: str) -> CodeIDToken:
        """The claims of an ID token that is this directory's, for us, of this sign-in, and holds now."""
        try:
            found = jwt.decode(token, await self._keys(), algorithms=ALGORITHMS)
            known = CodeIDToken(
                found.claims,
                found.header,
                {"iss": {"essential": True, "value": (await self._metadata())["issuer"]}},
                {"client_id": self.client_id, "nonce": nonce},
            )
            audience = found.claims.get("aud")
            if self.client_id not in (audience if isinstance(audience, list) else [audience]):
                raise Refused("untrusted")
            known.validate(now=int(time.time()), leeway=LEEWAY_S)
        except Refused:
            raise
        except Exception:  # joserfc's and authlib's: each is a token that does not hold
            raise Refused("untrusted") from None
        return known

    def _mint(self, person: CodeIDToken) -> str:
        """A token of this service. Raises Refused for who has no role here."""
        said = person.get(self.claim, ())
        groups = [said] if isinstance(said, str) else list(said or ())
        roles, markets = self.roles.of(groups, self.markets)
        if not roles or not markets:
            raise Refused("no-role")
        subject = str(person.get("email") or person.get("preferred_username") or person["sub"])[:128]
        made = claims(
            *(Role(each) for each in roles),
            markets=markets,
            now_ms=self.clock.now_ms(),
            hours=HOURS,
            subject=subject,
        )
        return session_token(self.keys, made)

    def _back(self, request: web.Request) -> str:
        base = self.public_url or f"{request.scheme}://{request.host}"
        return base + CALLBACK

    async def _metadata(self) -> dict[str, Any]:
        """What the directory says of itself. Raises Refused."""
        if not self._found:
            found = await self._get(f"{self.issuer}/.well-known/openid-configuration")
            if str(found.get("issuer", "")).rstrip("/") != self.issuer:
                raise Refused("untrusted")
            self._found = found
        return self._found

    async def _keys(self) -> KeySet:
        return KeySet.import_key_set(await self._get((await self._metadata())["jwks_uri"]))  # type: ignore[arg-type]

    async def _get(self, url: str) -> dict[str, Any]:
        try:
            async with ClientSession(timeout=TIMEOUT) as client, client.get(url) as answer:
                found = await answer.json(content_type=None)
        except (ClientError, TimeoutError, ValueError):
            raise Refused("unreachable") from None
        if not isinstance(found, dict):
            raise Refused("unreachable")
        return found


def _told(why: str) -> web.Response:
    """Back to the sign-in page, which says why."""
    return web.Response(status=302, headers={"Location": f"/console?refused={quote(why)}"})
