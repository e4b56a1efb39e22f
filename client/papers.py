"""Documents of credentials: sent and read by their vendor, and by ops."""

from __future__ import annotations

from datetime import date

from client.answers import about
from client.http import Connection, segment
from contracts.codes import CredentialKind
from contracts.papers import JPEG, MAGIC, PDF, PNG, KeptDocuments
from contracts.vendors import Vendor


class PaperSender(Connection):
    """Calls with a vendor's token, about its own; of ops, of all. That somebody looked is kept."""

    async def put_document(
        self, vendor_id: str, kind: CredentialKind, content: bytes, *, expires_on: date | None = None
    ) -> Vendor:
        """Send a PNG, JPEG or PDF of at most 2 MB; the credential is to be verified anew.

        Without a day it is of the credential of this kind that holds longest. Put again it is there once.
        Raises Problem 404: none is claimed; 422: it is nothing of the three.
        """
        path = _document(vendor_id, kind)
        media = next((each for each, magic in MAGIC.items() if content.startswith(magic)), PDF)
        sent = {"Content-Type": media}
        received = await self.bytes_of("PUT", path, content=content, params=_asked(expires_on), headers=sent)
        vendor = received.documented(Vendor, {200}).value
        return about(vendor, vendor.id, vendor_id, f"PUT {path}")

    async def document(
        self, vendor_id: str, kind: CredentialKind, *, expires_on: date | None = None, sha256: str = ""
    ) -> bytes:
        """PNG, JPEG or PDF. `sha256`: one that was replaced. Raises Problem 404: there is none."""
        asked = _asked(expires_on) | ({"sha256": sha256} if sha256 else {})
        received = await self.bytes_of("GET", _document(vendor_id, kind), params=asked)
        return received.bytes_in(PNG, JPEG, PDF)

    async def documents(self, vendor_id: str) -> KeptDocuments:
        """All that are kept, the newest first, with those that were replaced."""
        path = f"/vendors/{segment(vendor_id)}/documents"
        found = await self.call("GET", path, KeptDocuments)
        return about(found, found.vendor_id, vendor_id, f"GET {path}")


def _asked(expires_on: date | None) -> dict[str, str]:
    return {"expires_on": expires_on.isoformat()} if expires_on else {}


def _document(vendor_id: str, kind: CredentialKind) -> str:
    return f"/vendors/{segment(vendor_id)}/credentials/{segment(kind)}/document"
