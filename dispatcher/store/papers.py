"""Documents of credentials of one market: their records, and how they are sealed beside the store."""

from __future__ import annotations

import hashlib
import secrets

from dispatcher.domain.papers import FILED, PAPER_KIND, KeptFile, PaperKey, PaperRecord
from dispatcher.security.vault import key_of
from dispatcher.store.aside import Item
from dispatcher.store.keys import Keys
from dispatcher.store.node import Node
from dispatcher.store.proofs import Sealed
from dispatcher.store.records import Records
from dispatcher.store.resp import text_of

DOCUMENT = "document"  # what is set aside of a credential beside its record
FOLDER = "papers"  # within a market's: no day is called so
_NAME_BYTES = 8


def folder(market: str) -> str:
    """Where those of a market lie."""
    return f"{market}/{FOLDER}"


def blob_name(market: str, day: str, vendor_id: str, paper: PaperKey, ending: str) -> str:
    """Where a file lies: a name that no other ever had, so that what is removed is nobody's."""
    token = secrets.token_hex(_NAME_BYTES)
    return f"{folder(market)}/{day}/{vendor_id}.{paper.kind}.{token}.{ending}"


def day_of(name: str) -> str:
    """The day on which it was put there."""
    return name.rpartition("/")[0].rpartition("/")[2]


def vendor_of(name: str) -> str:
    """Whose it is."""
    return name.rpartition("/")[2].partition(".")[0]


class PaperPart:
    """The documents of one market's vendors."""

    def __init__(self, node: Node, keys: Keys) -> None:
        self.vault, self.aside, self.keys = node.vault, node.aside, keys
        self.reader, self.market = node.reader, keys.market
        self.records: Records[PaperRecord] = Records(node, keys, PAPER_KIND)

    async def get_all(self) -> dict[str, PaperRecord]:
        """Those that can be read, by vendor."""
        ids = await self.reader.ask("ZRANGE", self.keys.list(FILED), 0, -1)
        return await self.records.get_all([text_of(each) for each in ids]) if ids else {}

    def seal(self, name: str, plain: bytes) -> Sealed:
        """A file as it is kept beside the store; it opens under this name only."""
        content = self.vault.seal(self.market, f"paper/{name}", plain)
        return Sealed(key_of(content), content)

    def open(self, file: KeptFile, sealed: bytes) -> bytes:
        """Its plain bytes. Raises Unreadable, PatientKeyMissing: also where they are not what came."""

        def opened(raw: bytes) -> bytes:
            plain = self.vault.open(self.market, f"paper/{file.name}", raw)
            if hashlib.sha256(plain).hexdigest() != file.sha256:
                raise ValueError("it is not what was sent")
            return plain

        return self.aside.read(self.market, Item(DOCUMENT, file.name), sealed, opened)
