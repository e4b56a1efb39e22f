"""Documents of credentials: a picture or PDF of a paper, sealed where proofs lie, for ops to see."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from contracts import proofs
from contracts.base import Day, Id, Instant, Wire
from contracts.codes import CredentialKind
from contracts.patterns import whole

MAX_DOCUMENT_BYTES = 2_000_000  # a page as a scanner of an office makes it; as much as any body may have
PNG, JPEG, PDF = proofs.PNG, proofs.JPEG, "application/pdf"
MAGIC = {**proofs.MAGIC, PDF: b"%PDF-"}
Sha256 = Annotated[
    str, Meta(pattern=whole("[0-9a-f]{64}"), description="of the bytes, as 64 hexadecimal digits")
]


class PaperFile(Wire):
    """The document of a credential, as it came; its bytes are a call of their own."""

    media: str
    bytes: Annotated[int, Meta(ge=0, le=MAX_DOCUMENT_BYTES)]
    sha256: Sha256
    at: Instant
    by: str  # `vendor:<id>`, or `ops` for what a vendor brings on paper
    subject: str = ""


class DocumentQuery(Wire):
    """Which credential of a kind: that of this last valid day; left out: the one that holds longest."""

    expires_on: Day | None = None


class KeptDocumentQuery(DocumentQuery):
    """Which document; `sha256`: one that was replaced, as long as it is kept."""

    sha256: Sha256 | None = None


class KeptDocument(Wire, omit_defaults=False):
    """One that is kept. `over_at`: since when it is no credential's; null: it is one's."""

    kind: CredentialKind
    expires_on: Day
    file: PaperFile
    over_at: Instant | None = None
    kept_until: Instant  # if the market's `document_days` stay as they are


class KeptDocuments(Wire, omit_defaults=False):
    """All of one vendor, the newest first."""

    vendor_id: Id
    documents: tuple[KeptDocument, ...] = ()
