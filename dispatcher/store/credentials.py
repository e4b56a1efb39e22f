"""What was told of vendors' credentials, of one market."""

from __future__ import annotations

from dispatcher.domain.credentials import CREDENTIAL_KIND, WATCHED, CredentialWatch
from dispatcher.domain.request_kind import offers_of
from dispatcher.store.keys import Keys
from dispatcher.store.node import Node
from dispatcher.store.records import Records
from dispatcher.store.resp import text_of

MOST_OFFERS = 1_000


class CredentialPart:
    """By vendor; one of which nothing was told yet has none."""

    def __init__(self, node: Node, keys: Keys) -> None:
        self.reader, self.keys = node.reader, keys
        self.records = Records(node, keys, CREDENTIAL_KIND)

    async def get_all(self) -> dict[str, CredentialWatch]:
        """Those that can be read."""
        ids = await self.reader.ask("ZRANGE", self.keys.list(WATCHED), 0, -1)
        return await self.records.get_all([text_of(each) for each in ids]) if ids else {}

    async def offer_ids(self, vendor_id: str, from_ms: int) -> list[str]:
        """A vendor's open offers and dispatches that begin then or later, the earliest first."""
        name = self.keys.list(offers_of(vendor_id))
        words = ("ZRANGE", name, from_ms, "+inf", "BYSCORE", "LIMIT", 0, MOST_OFFERS)
        return [text_of(each) for each in await self.reader.ask(*words)]
