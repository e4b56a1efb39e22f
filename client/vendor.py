"""What a vendor does over HTTP: offers, accept, decline, report, dispatches, capacity."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, datetime

from client import sse
from client.answers import Forms, about
from client.http import segment
from client.papers import PaperSender
from client.posting import Posting
from client.prices import Prices
from client.proofs import ProofGiver
from client.scorecards import ScoreDisputer
from client.statements import StatementReader
from client.threads import Threads
from client.vendor_limits import CapReader, WhyNoOffers
from client.webhooks import WebhookClient
from contracts.amendments import AnswerAmendment, ProposedAmendment
from contracts.base import Wire
from contracts.codes import DeclineCode
from contracts.counters import Counter
from contracts.dispatches import DayDispatch, Dispatch, DispatchPage, StatusUpdate
from contracts.offers import Accept, Decline, Offer, Offers
from contracts.prices import PriceView, ReadyAt, Waiting

TAKEN_OR_NOTED: Forms[Dispatch | Offer] = {200: Dispatch, 202: Offer}


class VendorClient(
    Posting,
    Threads,
    Prices,
    StatementReader,
    ProofGiver,
    PaperSender,
    WebhookClient,
    ScoreDisputer,
    CapReader,
    WhyNoOffers,
):
    """Calls with a `vendor` token: only what is this vendor's own exists."""

    def events(self, after: str = "") -> AsyncIterator[sse.Received]:
        """This vendor's own feed: offers made and closed, dispatches confirmed."""
        return sse.follow(self, after)

    async def offers(self) -> tuple[Offer, ...]:
        """This vendor's open offers and the dispatches it works on, earliest start first."""
        return (await self.listed()).offers

    async def listed(self) -> Offers:
        """The same, with how many messages you have not read on each."""
        return await self.call("GET", "/offers", Offers)

    async def day(self, day: date | None = None, *, limit: int | None = None) -> DispatchPage:
        """This vendor's dispatches of a day, those that are over among them, by their start; None: today.

        All of them, or so many at most; door and patient as long as it may see them.
        """
        found, cursor = list[DayDispatch](), ""
        while True:
            asked = {"day": day.isoformat() if day else "", "cursor": cursor, "limit": str(limit or "")}
            params = {name: value for name, value in asked.items() if value}
            page = await self.call("GET", "/dispatches", DispatchPage, params=params)
            found += page.dispatches
            cursor, day = page.cursor, page.day
            if not cursor or limit:
                return DispatchPage(day=page.day, dispatches=tuple(found), cursor=cursor)

    async def accept(self, offer_id: str, *, reference: str = "", key: str | None = None) -> Dispatch | Offer:
        """Take the work; an Offer that is `willing` where it is decided by its `decided_by` who has it.

        Raises Problem 409 if the offer expired or was taken back, another vendor was first, or there is no
        room any more for one that went to several.
        """
        path, body = f"/offers/{segment(offer_id)}/accept", Accept(reference=reference)
        taken = await self.call("POST", path, TAKEN_OR_NOTED, statuses=TAKEN_OR_NOTED, body=body, key=key)
        return about(taken, taken.id, offer_id, f"POST {path}")

    async def decline(self, offer_id: str, code: DeclineCode, *, key: str | None = None) -> Offer:
        """Leave an offer that is still open; this vendor is not asked for it again.

        Raises Problem 409 once it is accepted: a dispatch is turned back with `report`.
        """
        return await self._offer(f"/offers/{segment(offer_id)}/decline", offer_id, Decline(code=code), key)

    async def counter(self, offer_id: str, counter: Counter, *, key: str | None = None) -> Offer:
        """Offer to do it otherwise. The offer as it is then: `accepted`, if that was taken by itself.

        Else a person decides, and the offer stays good as it was made. Raises Problem 409 once it is not
        open, or where this vendor's own rules or capacity do not allow it.
        """
        return await self._offer(f"/offers/{segment(offer_id)}/counter", offer_id, counter, key)

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

    async def report(self, offer_id: str, update: StatusUpdate, *, key: str | None = None) -> Offer:
        """Say where the work stands."""
        return await self._offer(f"/dispatches/{segment(offer_id)}/status", offer_id, update, key)

    async def waiting(
        self,
        offer_id: str,
        since: datetime | None = None,
        until: datetime | None = None,
        *,
        key: str | None = None,
    ) -> PriceView:
        """Wait at the door, since now or since when; `until`: that is over. Raises Problem 409 on board."""
        return await self._about_price(offer_id, "waiting", Waiting(since=since, until=until), key)

    async def ready(self, offer_id: str, at: datetime | None = None, *, key: str | None = None) -> PriceView:
        """The passenger has come: wait no more. Raises Problem 409 where nobody waited."""
        return await self._about_price(offer_id, "ready", ReadyAt(at=at), key)

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
