"""Authorizations: issued, renewed, read, revoked."""

from __future__ import annotations

from client.answers import about
from client.http import Connection, segment
from client.posting import STORED
from contracts.authorizations import Authorization, AuthorizationView


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

    async def revoke(self, authorization_id: str) -> AuthorizationView:
        """Nothing more is drawn on it; what is booked stays booked."""
        path = f"{_path(authorization_id)}/revoke"
        view = await self.call("POST", path, AuthorizationView)
        return about(view, view.id, authorization_id, f"POST {path}")


def _path(authorization_id: str) -> str:
    return f"/authorizations/{segment(authorization_id)}"
