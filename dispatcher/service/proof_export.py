"""A day of proofs to take away: a ZIP that is written as it is read, its manifest last.

One that was cut short has no manifest and no end, and no program opens it as whole.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from datetime import date

from contracts.instants import to_instant
from contracts.proofs import DeliveredItem, ProofReport
from dispatcher.domain.proofs import Given, PictureRecord, ProofRecord
from dispatcher.domain.refusals import NotFound, Unreadable
from dispatcher.domain.rights import SEES_PROOF
from dispatcher.security.principal import Principal
from dispatcher.service.csv_rows import Row, csv_of
from dispatcher.service.local_days import span_ms
from dispatcher.service.proof_views import numbered
from dispatcher.service.proofs import Proofs

MANIFEST = "manifest.csv"
COLUMNS = (
    "dispatch_id", "request_id", "vendor_id", "kind", "agreed_start", "part", "number", "counts", "at",
    "received_at", "by", "longitude", "latitude", "metres_from_door", "outside", "odometer_miles",
    "signed_by", "relationship", "not_signed", "items", "instruction_given", "picture", "file", "media",
    "bytes", "sha256", "unreadable",
)  # fmt: skip


class _Sink(io.RawIOBase):
    """What a ZIP is written to: taken away as it comes."""

    def __init__(self) -> None:
        super().__init__()
        self._written, self._at = bytearray(), 0

    def writable(self) -> bool:
        return True

    def write(self, content: object) -> int:
        raw = bytes(content)  # type: ignore[call-overload]
        self._written += raw
        self._at += len(raw)
        return len(raw)

    def tell(self) -> int:
        return self._at

    def taken(self) -> bytes:
        """What was written since."""
        found, self._written = bytes(self._written), bytearray()
        return found


class ProofExport:
    """Raises NotFound, Unavailable."""

    def __init__(self, proofs: Proofs) -> None:
        self.proofs, self.markets = proofs, proofs.markets

    async def day(self, who: Principal, market: str, day: date) -> AsyncGenerator[bytes, None]:
        """The ZIP, piece by piece: a vendor's own proofs, or all. That each was seen is durable before."""
        self.markets.authorize(who, market)
        if not who.may(SEES_PROOF):
            raise NotFound("there are no proofs\nMaybe they are for another role.")
        span = span_ms(day, self.markets.zones[market])
        sink, rows = _Sink(), list[Row]()
        with zipfile.ZipFile(sink, "w") as packed:
            async for record in self._seen(who, market, *span):
                rows += self._said(market, record)
                for picture, view in zip(record.pictures, numbered(record), strict=True):
                    file = f"{record.offer_id}/{view.part}-{view.of}-{view.number}.{_ending(picture)}"
                    row = _start(record) | _of_picture(picture, file)
                    try:
                        plain = await self.proofs.opened(market, picture)
                        packed.writestr(zipfile.ZipInfo(file), plain)
                    except Unreadable:
                        row |= {"file": "", "unreadable": "yes"}
                    rows.append(row)
                    yield sink.taken()
            packed.writestr(zipfile.ZipInfo(MANIFEST), csv_of(COLUMNS, rows), zipfile.ZIP_DEFLATED)
        yield sink.taken()

    async def _seen(
        self, who: Principal, market: str, start_ms: int, end_ms: int
    ) -> AsyncIterator[ProofRecord]:
        stored = self.markets.store(market).proofs
        async for page in stored.between(start_ms, end_ms):
            for record in page:
                if not record.over and (not who.is_vendor or record.vendor_id == who.vendor_id):
                    await self.proofs.reads.note_proof(who, market, record.offer_id)
                    yield record

    def _said(self, market: str, record: ProofRecord) -> Iterator[Row]:
        last = {each.part: each for each in record.given}
        stored = self.markets.store(market).proofs
        for number, given in enumerate(record.given, 1):
            row = _start(record) | _of_part(given, number, counts=last[given.part] is given)
            try:
                yield row | _of_report(stored.open(record.offer_id, given.sealed))
            except Unreadable:
                yield row | {"unreadable": "yes"}


def _start(record: ProofRecord) -> Row:
    return {
        "dispatch_id": record.offer_id,
        "request_id": record.request_id,
        "vendor_id": record.vendor_id,
        "kind": record.kind,
        "agreed_start": to_instant(record.start_ms),
    }


def _of_part(given: Given, number: int, *, counts: bool) -> Row:
    return {
        "part": given.part,
        "number": number,
        "counts": counts,
        "at": to_instant(given.at_ms),
        "received_at": to_instant(given.received_ms),
        "by": given.by,
        "metres_from_door": given.apart_m,
        "outside": given.outside,
    }


def _of_report(report: ProofReport) -> Row:
    signature, position = report.signature, report.position
    return {
        "longitude": position[0] if position else None,
        "latitude": position[1] if position else None,
        "odometer_miles": report.odometer_miles,
        "signed_by": signature.by if signature else None,
        "relationship": signature.relationship if signature else None,
        "not_signed": signature.refused if signature else None,
        "items": "; ".join(map(_item, report.items)),
        "instruction_given": report.instruction_given,
    }


def _item(each: DeliveredItem) -> str:
    marks = [f"{name} {mark}" for name, mark in (("serial", each.serial), ("lot", each.lot)) if mark]
    return " ".join([f"{each.quantity} x {each.hcpcs} {each.item}", *marks])


def _of_picture(picture: PictureRecord, file: str) -> Row:
    return {
        "part": picture.part,
        "received_at": to_instant(picture.at_ms),
        "by": picture.by,
        "picture": picture.of,
        "file": file,
        "media": picture.media,
        "bytes": picture.size,
        "sha256": picture.sha256,
    }


def _ending(picture: PictureRecord) -> str:
    return picture.name.rpartition(".")[2]
