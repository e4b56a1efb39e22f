"""Authorizations: issued, renewed, listed, read, revoked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date

from client.answers import about
from client.http import Connection, segment
from client.pages import pages
from client.posting import STORED
from contracts.authorizations import (
    Authorization,
    AuthorizationPage,
    AuthorizationState,
    AuthorizationView,
)

AUTHORIZATIONS = "/authorizations"


class AuthorizationClient(Connection):
    """Calls with a token of role case_manager; all but vendors read."""

    async def put_authorization(
        self, authorization_id: str, authorization: Authorization, *, version: int | None = None
    ) -> AuthorizationView:
        """Issue it, or renew that `version`; requests on hold that it covers are freed.

        After Unreachable, call again: the same once more is no change. Raises Problem 428 when another is
        there and no `version` is given, 412 when that is not current: what is booked draws on it, too.
        """
        condition = {"If-Match": f'"{version}"'} if version is not None else {}
        path = _path(authorization_id)
        view = await self.call(
            "PUT", path, AuthorizationView, statuses=STORED, body=authorization, headers=condition
        )
        return about(view, view.id, authorization_id, f"PUT {path}")

    async def authorization(self, authorization_id: str) -> AuthorizationView:
        """One, and what is left of it. Raises Problem 404."""
        path = _path(authorization_id)
        view = await self.call("GET", path, AuthorizationView)
        return about(view, view.id, authorization_id, f"GET {path}")

    async def authorizations(
        self,
        state: AuthorizationState | None = None,
        *,
        expiring_before: date | None = None,
        request: str | None = None,
    ) -> AsyncIterator[AuthorizationView]:
        """The market's, the first to end first; of one state, before a day, or of a request's patient.

        For case managers and ops. Raises Problem 404 for a request that is not there.
        """
        asked = {
            "state": state.value if state else "",
            "expiring_before": expiring_before.isoformat() if expiring_before else "",
            "request": request or "",
        }
        given = {name: value for name, value in asked.items() if value}
        async for page in pages(self, AUTHORIZATIONS, AuthorizationPage, given):
            for one in page.authorizations:
                yield one

    async def revoke(self, authorization_id: str) -> AuthorizationView:
        """Nothing more is drawn on it; what is booked stays booked."""
        path = f"{_path(authorization_id)}/revoke"
        view = await self.call("POST", path, AuthorizationView)
        return about(view, view.id, authorization_id, f"POST {path}")


def _path(authorization_id: str) -> str:
    return f"{AUTHORIZATIONS}/{segment(authorization_id)}"
