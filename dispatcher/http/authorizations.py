"""Authorizations: issued, renewed, listed, read, revoked."""

from __future__ import annotations

from contracts.authorizations import Authorization, AuthorizationPage, AuthorizationQuery, AuthorizationView
from contracts.base import Id
from contracts.operations import Answer, Body
from dispatcher.domain.authorization_view import view
from dispatcher.domain.authorizations import AuthorizationRecord
from dispatcher.domain.commands.authorizations import ISSUERS, RevokeAuthorization
from dispatcher.domain.rights import LISTS_AUTHORIZATIONS, READERS
from dispatcher.http import versions
from dispatcher.http.call import Call, Reply
from dispatcher.http.parts import Parts
from dispatcher.http.routing import ETAG, MARKET, Routes

ALL = f"{MARKET}/authorizations"
ONE = f"{ALL}/{{authorization_id}}"
ROUTES = Routes("authorizations", 37, authorization_id=Id)


@ROUTES.put(
    ONE,
    id="putAuthorization",
    roles=ISSUERS,
    body=Body(Authorization),
    versioned=True,
    answers={
        200: Answer("the authorization; what is booked keeps what it drew", AuthorizationView, ETAG),
        201: Answer("it is new", AuthorizationView, ETAG),
    },
    problems=("invalid-request", "wrong-state"),
)
async def put(call: Call, parts: Parts) -> Reply:
    """Issue an authorization, or renew it; requests on hold that it covers are freed."""
    name, who, market = call.path["authorization_id"], call.principal, call.market
    authorizations = parts.service.authorizations

    async def put_over(version: int) -> AuthorizationRecord:
        return await authorizations.put(who, market, name, call.body, version)

    async def current() -> int:
        return (await authorizations.get(who, market, name)).version

    record, status = await versions.put(call, put_over, current)
    return _shown(record, status)


@ROUTES.get(
    ALL,
    id="listAuthorizations",
    roles=LISTS_AUTHORIZATIONS,
    query=AuthorizationQuery,
    answers={200: Answer("a page", AuthorizationPage)},
)
async def list_authorizations(call: Call, parts: Parts) -> Reply:
    """List authorizations, the first to end first, by state and end, or of the patient of one request."""
    found, cursor = await parts.service.authorizations.page(call.principal, call.market, call.query)
    return Reply(AuthorizationPage(authorizations=tuple(map(view, found)), cursor=cursor or ""))


@ROUTES.get(
    ONE,
    id="getAuthorization",
    roles=READERS,
    answers={200: Answer("the authorization", AuthorizationView, ETAG)},
)
async def read(call: Call, parts: Parts) -> Reply:
    """Read an authorization and its balance, without the patient."""
    name = call.path["authorization_id"]
    return _shown(await parts.service.authorizations.get(call.principal, call.market, name))


@ROUTES.post(
    f"{ONE}/revoke",
    id="revokeAuthorization",
    command=RevokeAuthorization,
    answers={200: Answer("the authorization, revoked", AuthorizationView, ETAG)},
)
async def revoke(call: Call, parts: Parts) -> Reply:
    """Revoke an authorization: nothing more is drawn on it, unanswered offers that would are taken back.

    What is booked stays booked.
    """
    command = RevokeAuthorization(authorization_id=call.path["authorization_id"])
    key = call.idempotency(f"{type(command).__name__}/{command.named}")
    return _shown(await parts.service.authorizations.revoke(call.principal, call.market, command, key))


def _shown(record: AuthorizationRecord, status: int = 200) -> Reply:
    return Reply(view(record), status, versions.etag(record.version))
