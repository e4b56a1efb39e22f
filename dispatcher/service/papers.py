"""Documents of credentials: a file's way to where it is sealed, and back to its vendor and ops."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

from contracts.codes import CredentialKind, Role
from contracts.instants import HOUR_MS, to_instant
from contracts.papers import JPEG, MAGIC, PDF, PNG, KeptDocuments
from contracts.proofs import refuse_odd_picture
from contracts.vendors import Credential, Vendor
from dispatcher.domain import acts, papers
from dispatcher.domain.acts import ACT_KIND
from dispatcher.domain.decision import Change, Decision
from dispatcher.domain.papers import KeptFile, PaperRecord
from dispatcher.domain.refusals import NotFound, Unavailable, Unreadable
from dispatcher.runtime.clock import Clock
from dispatcher.security.principal import Principal
from dispatcher.service.acts import Acts
from dispatcher.service.execute import ATTEMPTS, too_busy
from dispatcher.service.markets import Markets
from dispatcher.service.proofs import Proofs
from dispatcher.service.vendors import Vendors
from dispatcher.store.codec import Versioned
from dispatcher.store.outcome import Status
from dispatcher.store.papers import blob_name

HANDLES = frozenset({Role.VENDOR, Role.OPS})  # a vendor its own; ops: what a vendor brings on paper
ENDINGS: Mapping[str, str] = {PNG: "png", JPEG: "jpg", PDF: "pdf"}
LOOK = "see_document"


class PaperAt(NamedTuple):
    """Which credential of which vendor; without a day the one that holds longest."""

    vendor_id: str
    kind: CredentialKind
    expires_on: date | None = None


class Sent(NamedTuple):
    """A document as it came."""

    media: str
    plain: bytes
    sha256: str


class Papers:
    """They raise NotFound for what is unknown or another's, in the same words, and Unavailable."""

    def __init__(self, markets: Markets, vendors: Vendors, acts: Acts, clock: Clock, proofs: Proofs) -> None:
        self.markets, self.vendors, self.acts = markets, vendors, acts
        self.clock, self.proofs = clock, proofs

    async def put(
        self, who: Principal, market: str, at: PaperAt, media: str, plain: bytes
    ) -> Versioned[Vendor]:
        """Keep the document of a credential, sealed, which is to be verified anew; sent again it is there
        once, and stays verified. Raises Invalid, InvalidMessage.
        """
        found = await self._vendor(who, market, at.vendor_id)
        refuse_odd_picture(plain, media, MAGIC)
        sent = Sent(media, plain, hashlib.sha256(plain).hexdigest())
        stored, unnamed = self.markets.store(market), dict[papers.PaperKey, KeptFile]()
        try:
            for _ in range(ATTEMPTS):
                paper = papers.claimed(found.value, at.kind, at.expires_on)
                record, known_by = await stored.papers.records.get(at.vendor_id), papers.key_of(paper)
                if await self._is_there(market, record, paper, sent):
                    return found
                if known_by not in unnamed:
                    papers.put(record, found.value, _draft(known_by))  # before its bytes are kept
                    unnamed[known_by] = await self._kept(who, market, paper, sent, at.vendor_id)
                file = unnamed.pop(known_by)  # once it is committed, or may be, it is not for us to remove
                outcome = await self._committed(who, market, found, record, file)
                if outcome is not None:
                    return outcome
                unnamed[known_by] = file
                found = await self._vendor(who, market, at.vendor_id)
            raise too_busy(f"vendor {at.vendor_id}")
        finally:
            if unnamed:
                await self._remove(market, at.vendor_id, {each.name for each in unnamed.values()})

    async def read(
        self, who: Principal, market: str, at: PaperAt, sha256: str | None
    ) -> tuple[KeptFile, bytes]:
        """A document; that it was seen is durable before it is shown. Raises Unreadable."""
        found = await self._vendor(who, market, at.vendor_id)
        record = await self.markets.store(market).papers.records.get(at.vendor_id)
        file = _named(found.value, record, at, sha256)
        if file is None:
            raise NotFound(
                f"vendor {at.vendor_id} has no such document of {at.kind.value}\n"
                "Maybe none was sent, or it was kept for as long as `document_days` says."
            )
        await self._note_look(who, market, at.vendor_id, file)
        return file, await self.opened(market, file)

    async def kept(self, who: Principal, market: str, vendor_id: str) -> KeptDocuments:
        """All that are kept of a vendor, the newest first."""
        await self._vendor(who, market, vendor_id)
        record = await self.markets.store(market).papers.records.get(vendor_id)
        values = (await self.markets.tuning(market)).values
        files = reversed(record.files if record else ())
        return KeptDocuments(
            vendor_id=vendor_id, documents=tuple(papers.listed(each, values) for each in files)
        )

    async def opened(self, market: str, file: KeptFile) -> bytes:
        """Its plain bytes. Raises Unreadable, also where its blob is gone; Unavailable."""
        sealed = await self.proofs.beside(self.proofs.blobs.get, file.name)
        return self.markets.store(market).papers.open(file, sealed or b"")

    async def _vendor(self, who: Principal, market: str, vendor_id: str) -> Versioned[Vendor]:
        """The vendor, for who may see its papers."""
        self.markets.authorize(who, market)
        if not who.may(HANDLES):
            raise NotFound(f"there is no vendor {vendor_id}\nMaybe it is for another role.")
        return await self.vendors.get(who, market, vendor_id)

    async def _is_there(self, market: str, record: PaperRecord | None, paper: Credential, sent: Sent) -> bool:
        """Whether this very document lies there whole: one that was damaged is sent once more."""
        if record is None or paper.file is None or paper.file.sha256 != sent.sha256:
            return False
        file = record.of(papers.key_of(paper), sent.sha256)
        try:
            return file is not None and await self.opened(market, file) == sent.plain
        except Unreadable:
            return False

    async def _kept(self, who: Principal, market: str, paper: Credential, sent: Sent, owner: str) -> KeptFile:
        """The file, whose bytes lie where they should, and that nobody knows of yet."""
        now_ms, stored = self.clock.now_ms(), self.markets.store(market).papers
        day, known_by = to_instant(now_ms).date().isoformat(), papers.key_of(paper)
        name = blob_name(market, day, owner, known_by, ENDINGS[sent.media])
        sealed = stored.seal(name, sent.plain)
        await self.proofs.beside(self.proofs.blobs.put, name, sealed.content)
        return KeptFile(
            kind=known_by.kind,
            last_day=known_by.last_day,
            name=name,
            media=sent.media,
            size=len(sent.plain),
            sha256=sent.sha256,
            sealed=sealed.sha256,
            key=sealed.key,
            at_ms=now_ms,
            by=who.acting_as(HANDLES),
            subject=who.subject,
        )

    async def _committed(
        self,
        who: Principal,
        market: str,
        found: Versioned[Vendor],
        record: PaperRecord | None,
        file: KeptFile,
    ) -> Versioned[Vendor] | None:
        """The vendor with it; None: vendor or record moved on."""
        stored, vendor = self.markets.store(market), found.value
        detail = f"{file.kind}:{date.fromordinal(file.last_day)}"
        entry = await self.acts.entry(who, market, "put_document", "vendor", vendor.id, detail=detail)
        after = papers.with_file(vendor, file)
        change = Change(record, papers.put(record, vendor, file))
        outcome = await stored.vendors.replace(
            found.version,
            found,
            after,
            at_ms=self.clock.now_ms(),
            entry=acts.with_more(entry, Decision(changes=(change,), at_ms=file.at_ms)),
        )
        return Versioned(found.version + 1, after, found.changed_ms) if outcome.status is Status.OK else None

    async def _remove(self, market: str, vendor_id: str, names: set[str]) -> None:
        """What was put and is of no credential; what cannot be removed now goes after a month."""
        with contextlib.suppress(Unavailable, Unreadable):
            record = await self.markets.store(market).papers.records.get(vendor_id)
            named = {each.name for each in record.files} if record is not None else set[str]()
            await self.proofs.beside(self.proofs.blobs.remove, sorted(names - named))

    async def _note_look(self, who: Principal, market: str, vendor_id: str, file: KeptFile) -> None:
        """Once an hour for each document and person, however often it is looked at."""
        stored, now_ms = self.markets.store(market), self.clock.now_ms()
        told = (file.name, who.acting_as(HANDLES), who.subject, str(now_ms // HOUR_MS))
        look = hashlib.blake2b("\0".join(told).encode(), digest_size=12).hexdigest()
        if await stored.records(ACT_KIND).get(look) is not None:
            return
        entry = acts.act(
            look,
            LOOK,
            "vendor",
            vendor_id,
            by=told[1],
            subject=who.subject,
            now_ms=now_ms,
            values=(await self.markets.tuning(market)).values,
            detail=f"{file.kind}:{date.fromordinal(file.last_day)}",
        )
        await stored.commit([entry])  # stale: somebody has noted it just now


def _draft(paper: papers.PaperKey) -> KeptFile:
    return KeptFile(*paper, name="", media="", size=0, sha256="", sealed="", key="", at_ms=1, by="")


def _named(vendor: Vendor, record: PaperRecord | None, at: PaperAt, sha256: str | None) -> KeptFile | None:
    """The file that is asked for, of those that are kept."""
    if record is None:
        return None
    if sha256 is not None:
        found = [
            each
            for each in record.files
            if each.kind == at.kind.value
            and each.sha256 == sha256
            and (at.expires_on is None or each.last_day == at.expires_on.toordinal())
        ]
        return found[-1] if found else None
    paper = papers.claimed(vendor, at.kind, at.expires_on)
    return record.of(papers.key_of(paper), paper.file.sha256) if paper.file is not None else None
