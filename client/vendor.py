"""What a vendor does over HTTP: offers, accept, decline, report, dispatches, capacity."""

from __future__ import annotations

from collections.abc import AsyncIterator

from client import sse
from client.answers import about
from client.http import segment
from client.posting import Posting
from client.proofs import ProofGiver
from client.threads import Threads
from contracts.amendments import AnswerAmendment, ProposedAmendment
from contracts.base import Wire
from contracts.codes import DeclineCode
from contracts.dispatches import Dispatch, StatusUpdate
from contracts.offers import Accept, Decline, Offer, Offers


class VendorClient(Posting, Threads, ProofGiver):
    """Calls with a `vendor` token: only what is this vendor's own exists."""

    def events(self, after: str = "") -> AsyncIterator[sse.Received]:
        """This vendor's own feed: offers made and closed, dispatches confirmed."""
        return sse.follow(self, after)

    async def offers(self) -> tuple[Offer, ...]:
        """This vendor's open offers and the dispatches it works on, earliest start first."""
        return (await self.call("GET", "/offers", Offers)).offers

    async def accept(self, offer_id: str, *, reference: str = "", key: str | None = None) -> Dispatch:
        """Take the work. Raises Problem 409 if the offer expired or was taken back."""
        path = f"/offers/{segment(offer_id)}/accept"
        taken = await self.call("POST", path, Dispatch, body=Accept(reference=reference), key=key)
        return about(taken, taken.id, offer_id, f"POST {path}")

    async def decline(self, offer_id: str, code: DeclineCode, *, key: str | None = None) -> None:
        """Leave an offer that is still open; this vendor is not asked for it again.

        Raises Problem 409 once it is accepted: a dispatch is turned back with `report`.
        """
        await self._offer(f"/offers/{segment(offer_id)}/decline", offer_id, Decline(code=code), key)

    async def amendment(self, offer_id: str) -> ProposedAmendment:
        """What this vendor is asked to agree to. Raises Problem 404 where it is asked nothing."""
        path = f"/offers/{segment(offer_id)}/amendment"
        found = await self.call("GET", path, ProposedAmendment)
        return about(found, found.offer_id, offer_id, f"GET {path}")

    async def agree(self, offer_id: str, number: int, *, key: str | None = None) -> Offer:
        """Keep the work as it is wanted now. `cancelled` is its state if there was no room for it after all.

        Raises Problem 409 when it is too late: expired, withdrawn, or another amendment came.
        """
        return await self._offer(
            f"/offers/{segment(offer_id)}/amendment/agree", offer_id, AnswerAmendment(number=number), key
        )

    async def refuse(self, offer_id: str, number: int, *, key: str | None = None) -> Offer:
        """Do not do the work as it is wanted now: another vendor is sought. Raises Problem as `agree`."""
        return await self._offer(
            f"/offers/{segment(offer_id)}/amendment/refuse", offer_id, AnswerAmendment(number=number), key
        )

    async def report(self, offer_id: str, update: StatusUpdate, *, key: str | None = None) -> None:
        """Say where the work stands."""
        await self._offer(f"/dispatches/{segment(offer_id)}/status", offer_id, update, key)

    async def dispatch(self, offer_id: str) -> Dispatch:
        """An accepted offer with door, name and phone.

        Raises Problem 409 before acceptance and after the work was given back, 404 for another vendor's.
        """
        path = f"/dispatches/{segment(offer_id)}"
        found = await self.call("GET", path, Dispatch)
        return about(found, found.id, offer_id, f"GET {path}")

    async def _offer(self, path: str, offer_id: str, body: Wire, key: str | None) -> Offer:
        offer = await self.call("POST", path, Offer, body=body, key=key)
        return about(offer, offer.id, offer_id, f"POST {path}")
