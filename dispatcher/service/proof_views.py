"""A proof as those see it who may."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from contracts.instants import to_instant
from contracts.proofs import PartView, PictureView, ProofReport, ProofView
from dispatcher.domain.proofs import PictureRecord, ProofRecord


def proof_view(
    record: ProofRecord,
    reports: Sequence[ProofReport],
    *,
    required: tuple[str, ...] = (),
    lacking: tuple[str, ...] = (),
) -> ProofView:
    """All of it; `reports`: what was given, opened."""
    return ProofView(
        offer_id=record.offer_id,
        request_id=record.request_id,
        vendor_id=record.vendor_id,
        kind=record.kind,
        start_at=to_instant(record.start_ms),
        parts=tuple(_parts(record, reports)),
        pictures=tuple(numbered(record)),
        required=required,
        lacking=lacking,
        kept_until=to_instant(record.timer_ms) if record.version else None,
    )


def numbered(record: ProofRecord) -> Iterator[PictureView]:
    """Its pictures, each with its number among those of its part and kind."""
    seen = Counter[tuple[str, str]]()
    for each in record.pictures:
        seen[each.part, each.of] += 1
        yield picture_view(each, seen[each.part, each.of])


def _parts(record: ProofRecord, reports: Sequence[ProofReport]) -> Iterator[PartView]:
    last = {each.part: number for number, each in enumerate(record.given, 1)}
    for number, (given, report) in enumerate(zip(record.given, reports, strict=True), 1):
        yield PartView(
            report=report,
            number=number,
            at=to_instant(given.at_ms),
            received_at=to_instant(given.received_ms),
            by=given.by,
            apart_m=given.apart_m,
            outside=given.outside,
            counts=last[given.part] == number,
        )


def picture_view(picture: PictureRecord, number: int) -> PictureView:
    """What is told of a picture."""
    return PictureView(
        part=picture.part,
        of=picture.of,
        number=number,
        media=picture.media,
        bytes=picture.size,
        sha256=picture.sha256,
        at=to_instant(picture.at_ms),
    )
