"""A person with the vendors' page in hand: signed in by a code of ops, with a cookie, and no token at all."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

import aiohttp
import msgspec

from client.answers import JSON
from client.errors import Problem, UnexpectedAnswer
from client.ops import OpsClient
from client.vendor import VendorClient
from contracts.codes import CredentialKind
from contracts.events import CloudEvent, OfferMade
from contracts.offers import Offer
from simulation.links import HttpLink
from simulation.proofs import SIGNATURE

HEADER, WORD = "X-Requested-With", "dispatcher-vendor"  # what the page sends with each call
SESSION = "/vendor/session"
PAPER = CredentialKind.VEHICLE_INSPECTION


class PageClient(VendorClient):
    """The calls of the page: the API's own, with the session's cookie."""

    def __init__(self, url: str, market: str) -> None:
        super().__init__(url, "", market)
        self.root = url.rstrip("/")
        self._cookies: aiohttp.CookieJar | None = None

    async def sign_in(self, code: str) -> None:
        """As who opens the link. Raises UnexpectedAnswer where it does not hold."""
        async with self.session.post(self.root + SESSION, json={"code": code}) as answer:
            if answer.status != 200:
                raise UnexpectedAnswer(f"POST {SESSION}", answer.status, "the code opens no session")

    def _made(self, connector: aiohttp.TCPConnector) -> aiohttp.ClientSession:
        self._cookies = self._cookies or aiohttp.CookieJar(unsafe=True)  # of a host without a name, too
        return aiohttp.ClientSession(
            headers={HEADER: WORD, "Accept": JSON},
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=self.timeout_s),
            cookie_jar=self._cookies,
        )


class PhoneLink(HttpLink):
    """What is open is loaded, what happens is followed, a tap is a call."""

    def __init__(self, client: PageClient, vendor_id: str, ops: OpsClient) -> None:
        super().__init__(client)
        self.page, self.vendor_id, self.ops = client, vendor_id, ops

    async def open(self) -> None:
        """Ops sends a link; its code signs in."""
        link = await self.ops.sign_in_link(self.vendor_id, "the office")
        await self.page.sign_in(link.code)
        await self._send_paper()

    async def _send_paper(self) -> None:
        """A picture of one of its papers; ops looks at it, and verifies the credential with it."""
        sent = await self.page.put_document(self.vendor_id, PAPER, SIGNATURE)
        await self.ops.document(self.vendor_id, PAPER)
        papers = [each for each in sent.credentials if each.kind is PAPER]
        await self.ops.verify(self.vendor_id, papers)

    async def events(self) -> AsyncIterator[CloudEvent]:
        """What is open; then what happens. Once the feed is there it looks again: nothing falls between."""
        for offer in await self.client.offers():
            yield _made(offer)
        looked = False
        async for received in self.client.events():
            if not looked:
                looked = True
                for offer in await self.client.offers():
                    yield _made(offer)
            yield received.event

    async def accept(self, offer_id: str, reference: str) -> None:
        """Take the work, and look where it is."""
        await super().accept(offer_id, reference)
        with contextlib.suppress(Problem):  # not its own yet: the best of several has it
            await self.client.dispatch(offer_id)


def _made(offer: Offer) -> CloudEvent:
    """An offer that a list had, as the feed would have told it."""
    data = msgspec.to_builtins(OfferMade(offer=offer))
    return CloudEvent(
        id=f"list/{offer.id}", source="list", type="dispatch.offer.made", subject=offer.id, data=data
    )
