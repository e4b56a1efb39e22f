"""Sign-in links for a vendor's page: issued by ops, and every session ended."""

from __future__ import annotations

from aiohttp import web

from contracts.base import Id
from contracts.codes import Role
from contracts.operations import Answer, Body
from contracts.vendor_sign_ins import NewSignInLink, PhoneSessions, SessionsEnded, SignInLink, WhoseSessions
from dispatcher.http.call import Call, Reply
from dispatcher.http.parts import Parts
from dispatcher.http.routing import Routes
from dispatcher.http.vendors import VENDOR

ENTER = "/vendor/enter"  # where a link leads: a page of the console's room
ROUTES = Routes("vendors", 32, vendor_id=Id)


@ROUTES.post(
    f"{VENDOR}/sign-in-links",
    id="issueSignInLink",
    roles={Role.OPS},
    body=Body(NewSignInLink, optional=True),
    answers={200: Answer("a link and a code, each good for one session, once", SignInLink)},
)
async def issue(call: Call, parts: Parts) -> Reply:
    """Issue a one-time link that signs one of a vendor's people in to their page; each call another."""
    vendor_id, asked = call.path["vendor_id"], call.body
    code, expires_at = await parts.service.vendor_sign_ins.issue(
        call.principal, call.market, vendor_id, asked
    )
    url = link(parts.public_url or _own(call.raw), code)
    made = SignInLink(vendor_id=vendor_id, url=url, code=code, expires_at=expires_at, hours=asked.hours)
    return Reply(made)


@ROUTES.get(
    f"{VENDOR}/sessions",
    id="listVendorSessions",
    roles={Role.OPS},
    answers={200: Answer("those that are open", PhoneSessions)},
)
async def listed(call: Call, parts: Parts) -> Reply:
    """List the open sessions of a vendor's page: whose phones, since when, until when."""
    vendor_id = call.path["vendor_id"]
    return Reply(await parts.service.vendor_sign_ins.listed(call.principal, call.market, vendor_id))


@ROUTES.delete(
    f"{VENDOR}/sessions",
    id="endVendorSessions",
    roles={Role.OPS},
    query=WhoseSessions,
    answers={200: Answer("since when", SessionsEnded)},
    problems=("invalid-request",),
)
async def end(call: Call, parts: Parts) -> Reply:
    """End every session of a vendor's page, or one person's, and every link not used yet; tokens stay."""
    call.query.refuse_from_outside()
    vendor_id, subject = call.path["vendor_id"], call.query.subject or ""
    at = await parts.service.vendor_sign_ins.end(call.principal, call.market, vendor_id, subject)
    return Reply(SessionsEnded(vendor_id=vendor_id, at=at, subject=subject))


def link(base: str, code: str) -> str:
    """Where a code is used: it stands behind the #, which no browser sends and no log keeps."""
    return f"{base.rstrip('/')}{ENTER}#{code}"


def _own(request: web.Request) -> str:
    """The service as this caller reaches it."""
    return f"{request.scheme}://{request.host}"
