"""What a vendor does over HTTP: hear offers, accept, decline, report, read the dispatch."""

from __future__ import annotations

from collections.abc import AsyncIterator

from client import sse
from client.http import Connection
from contracts.codes import DeclineCode
from contracts.dispatches import Dispatch, StatusUpdate
from contracts.offers import Accept, Decline


class VendorClient(Connection):
    """Calls with a `vendor` token: only what is this vendor's own exists."""

    def events(self, after: str = "") -> AsyncIterator[sse.Received]:
        """This vendor's own feed: offers made and closed, dispatches confirmed."""
        return sse.follow(self, after)

    async def accept(self, offer_id: str, *, reference: str = "", key: str | None = None) -> Dispatch:
        """Take the work. Raises Problem 409 if the offer expired or was taken back."""
        body = Accept(reference=reference)
        return await self.call("POST", f"/offers/{offer_id}/accept", Dispatch, body=body, key=key)

    async def decline(self, offer_id: str, code: DeclineCode, *, key: str | None = None) -> None:
        """Leave the work, or turn back before it started; this vendor is not asked for it again."""
        await self.exchange("POST", f"/offers/{offer_id}/decline", body=Decline(code=code), key=key)

    async def report(self, offer_id: str, update: StatusUpdate, *, key: str | None = None) -> None:
        """Say where the work stands."""
        await self.exchange("POST", f"/dispatches/{offer_id}/status", body=update, key=key)

    async def dispatch(self, offer_id: str) -> Dispatch:
        """An accepted offer with door, name and phone. Raises Problem 404 before acceptance."""
        return await self.call("GET", f"/dispatches/{offer_id}", Dispatch)
