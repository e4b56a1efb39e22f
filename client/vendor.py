"""What a vendor does over HTTP: hear offers, accept, decline, report, read the dispatch."""

from __future__ import annotations

from collections.abc import AsyncIterator

from client import sse
from client.answers import about
from client.http import Connection, segment
from contracts.base import Wire
from contracts.codes import DeclineCode
from contracts.dispatches import Dispatch, StatusUpdate
from contracts.offers import Accept, Decline, Offer


class VendorClient(Connection):
    """Calls with a `vendor` token: only what is this vendor's own exists."""

    def events(self, after: str = "") -> AsyncIterator[sse.Received]:
        """This vendor's own feed: offers made and closed, dispatches confirmed."""
        return sse.follow(self, after)

    async def accept(self, offer_id: str, *, reference: str = "", key: str | None = None) -> Dispatch:
        """Take the work. Raises Problem 409 if the offer expired or was taken back."""
        path = f"/offers/{segment(offer_id)}/accept"
        taken = await self.call("POST", path, Dispatch, body=Accept(reference=reference), key=key)
        return about(taken, taken.id, offer_id, f"POST {path}")

    async def decline(self, offer_id: str, code: DeclineCode, *, key: str | None = None) -> None:
        """Leave the work, or turn back before it started; this vendor is not asked for it again."""
        await self._offer(f"/offers/{segment(offer_id)}/decline", offer_id, Decline(code=code), key)

    async def report(self, offer_id: str, update: StatusUpdate, *, key: str | None = None) -> None:
        """Say where the work stands."""
        await self._offer(f"/dispatches/{segment(offer_id)}/status", offer_id, update, key)

    async def dispatch(self, offer_id: str) -> Dispatch:
        """An accepted offer with door, name and phone. Raises Problem 404 before acceptance."""
        path = f"/dispatches/{segment(offer_id)}"
        found = await self.call("GET", path, Dispatch)
        return about(found, found.id, offer_id, f"GET {path}")

    async def _offer(self, path: str, offer_id: str, body: Wire, key: str | None) -> Offer:
        offer = await self.call("POST", path, Offer, body=body, key=key)
        return about(offer, offer.id, offer_id, f"POST {path}")
