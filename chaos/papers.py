"""Documents of credentials amid kills: a vendor has what was answered, whole, or what came after."""

from __future__ import annotations

import hashlib
import random

from client.errors import Problem
from client.ops import OpsClient
from contracts.papers import MAGIC, PDF
from contracts.vendors import Credential, Vendor
from simulation.cast import Cast

LARGEST = 50_000


class Filing:
    """Sends documents of the day's vendors, as ops does, and knows which may be there."""

    def __init__(self, ops: OpsClient, cast: Cast, chance: random.Random) -> None:
        self.ops, self.chance = ops, chance
        self.vendors = [each for each in cast.day.vendors if each.credentials]
        self.sent = dict[str, set[str]]()  #: by vendor: what was answered last, and what was sent since

    async def file(self) -> None:
        """A vendor's paper gets another document. Raises Problem."""
        if not self.vendors:
            return
        vendor = self.chance.choice(self.vendors)
        content = MAGIC[PDF] + self.chance.randbytes(self.chance.randrange(1, LARGEST))
        digest = hashlib.sha256(content).hexdigest()
        self.sent.setdefault(vendor.id, set()).add(digest)
        paper = vendor.credentials[0]
        await self.ops.put_document(vendor.id, paper.kind, content, expires_on=paper.expires_on)
        self.sent[vendor.id] = {digest}

    async def lost(self) -> list[str]:
        """Vendors whose paper has no document, another than was sent, or one that is damaged."""
        gone = []
        for vendor in self.vendors:
            if wanted := self.sent.get(vendor.id):
                try:
                    found = await self._there(vendor)
                except Problem:
                    found = ""
                if found not in wanted:
                    gone.append(f"the document of {vendor.id} is {found[:8] or 'not there'}")
        return gone

    async def _there(self, vendor: Vendor) -> str:
        """The digest of what is read, if the vendor's own document says the same."""
        paper = vendor.credentials[0]
        now = (await self.ops.vendor(vendor.id)).value
        plain = await self.ops.document(vendor.id, paper.kind, expires_on=paper.expires_on)
        digest = hashlib.sha256(plain).hexdigest()
        said = {each.file.sha256 for each in now.credentials if _is(each, paper) and each.file is not None}
        return digest if said == {digest} else ""


def _is(one: Credential, other: Credential) -> bool:
    return (one.kind, one.expires_on) == (other.kind, other.expires_on)
