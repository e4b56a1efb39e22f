"""Proofs: that a dispatch was done, kept for years after its request is forgotten.

What was said stands sealed in its record; pictures lie sealed beside the store, and the record names them.
Nothing that was given is taken back: what comes again is a correction, and the last of a part counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from contracts.instants import DAY_MS
from contracts.proofs import NotSigned, Picture, ProofGiven, ProofPart, ProofReport
from contracts.tuning import Number, Parameter
from dispatcher.domain.compact import Compact, Record
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Change, Decision, Message
from dispatcher.domain.follow_up import with_tasks
from dispatcher.domain.kinds import Entry, Kind, register
from dispatcher.domain.offers import OfferRecord
from dispatcher.domain.proof_required import Proved, lacking

GEOFENCE = Parameter(
    name="geofence_m",
    default=300,
    minimum=0,
    maximum=50_000,
    unit="m",
    summary="A proof whose position is farther from the door than this says so; 0: it is not looked at.",
    scope="domain.proofs",
)
DAYS = Parameter(
    name="proof_days",
    default=2_557,
    minimum=30,
    maximum=7_300,
    unit="days",
    summary="How long a proof is kept after the last of it came; 2,557 days are seven years.",
    scope="domain.proofs",
)
PARAMETERS = (GEOFENCE, DAYS)
PROOFS, OVER = "proofs", "proofs:over"  # all, by agreed start; those whose pictures go
LOOK_AGAIN_MS = DAY_MS
ENDING = "proof"


class PictureRecord(Compact, frozen=True):
    """One picture: the blob's name, and what is known of its plain bytes. `key`: what it is sealed under.

    `sealed`: the SHA-256 of the bytes that lie there; "" of those that were put before it was noted.
    """

    part: ProofPart
    of: Picture
    name: str
    media: str
    size: int
    sha256: str
    key: str
    at_ms: int
    by: str
    sealed: str = ""


class Given(Compact, frozen=True):
    """What was said of one part; `sealed` is the report. Its number is its place."""

    part: ProofPart
    at_ms: int
    received_ms: int
    by: str
    sealed: bytes
    says: int = 0  # `Proved` that follows from it alone
    apart_m: int | None = None
    outside: bool = False


class ProofRecord(Record, frozen=True, tag=1):
    """The proof of one dispatch. Its id is the dispatch's, a dot, `proof`."""

    offer_id: str
    request_id: str
    vendor_id: str
    kind: str
    start_ms: int
    timer_ms: int
    given: tuple[Given, ...] = ()
    pictures: tuple[PictureRecord, ...] = ()
    over: bool = False  # its time is over: its pictures go first

    @property
    def proved(self) -> Proved:
        """What it proves: the last of each part, and whatever was signed."""
        last = {each.part: each for each in self.given}
        found = Proved(0)
        for each in last.values():
            found |= Proved(each.says)
            if each.outside and each.part is ProofPart.PICKUP:
                found |= Proved.PICKUP_OUTSIDE
        for picture in self.pictures:
            if picture.of is Picture.SIGNATURE:
                found |= Proved.signed(picture.part)
        return found

    def pictures_of(self, part: ProofPart, of: Picture) -> tuple[PictureRecord, ...]:
        """Those of a part and kind, in the order in which they came."""
        return tuple(each for each in self.pictures if (each.part, each.of) == (part, of))


def proof_id(offer_id: str) -> str:
    """The id of the record of a dispatch's proof."""
    return f"{offer_id}.{ENDING}"


def says(report: ProofReport) -> Proved:
    """What a report proves by itself."""
    found = Proved.of(report.part)
    if report.signature is not None and report.signature.refused in set(NotSigned):
        found |= Proved.signed(report.part)
    if report.instruction_given:
        found |= Proved.INSTRUCTION
    return found


def is_outside(apart_m: int | None, values: Mapping[str, Number]) -> bool:
    """Whether a position is too far from its door."""
    limit = GEOFENCE.whole(values)
    return bool(limit) and apart_m is not None and apart_m > limit


def began(name: str, request_id: str, offer: OfferRecord, kind: str) -> ProofRecord:
    """A record of which nothing is said yet, before its first version."""
    return ProofRecord(
        id=proof_id(name),
        version=0,
        offer_id=name,
        request_id=request_id,
        vendor_id=offer.vendor_id,
        kind=kind,
        start_ms=offer.start_ms,
        timer_ms=0,
    )


def until_ms(context: Context) -> int:
    """Until when what comes now is kept."""
    return context.now_ms + DAYS.whole(context.values) * DAY_MS


def told(
    after: ProofRecord,
    part: ProofPart,
    context: Context,
    *,
    picture: Picture | None = None,
    outside: bool = False,
) -> Message:
    """To who follows requests."""
    news = ProofGiven(
        offer_id=after.offer_id,
        request_id=after.request_id,
        vendor_id=after.vendor_id,
        part=part,
        picture=picture,
        outside=outside,
        lacking=lacking(after.kind, after.proved, context.values),
    )
    return Message(type="dispatch.proof.given", subject=after.offer_id, data=news)


def due(record: ProofRecord, context: Context) -> Decision | None:
    """Its timer: what is kept no longer loses its pictures (`jobs.proofs`), and then goes itself."""
    if record.timer_ms > context.now_ms:
        return None
    last_ms = max(_times(record), default=record.start_ms)
    keep_ms = last_ms + DAYS.whole(context.values) * DAY_MS
    if keep_ms > context.now_ms and not record.over:  # the tuning wants it kept for longer
        after: ProofRecord | None = _later(record, keep_ms)
    elif record.pictures:
        after = replace(_later(record, context.now_ms + LOOK_AGAIN_MS), over=True)
    else:
        after = None
    return Decision(changes=(Change(record, after),), at_ms=context.now_ms)


def _later(record: ProofRecord, timer_ms: int) -> ProofRecord:
    return replace(record, version=record.version + 1, timer_ms=timer_ms)


def _times(record: ProofRecord) -> Iterator[int]:
    yield from (each.received_ms for each in record.given)
    yield from (each.at_ms for each in record.pictures)


def _lists(record: ProofRecord) -> Mapping[Entry, int]:
    listed = {Entry(PROOFS, record.id): record.start_ms}
    return listed | ({Entry(OVER, record.id): record.timer_ms} if record.over else {})


def _may_become(before: ProofRecord | None, after: ProofRecord | None) -> bool:
    """Nothing that was given is taken back or changed, but for the key that it is sealed under and where it
    lies; pictures go once their time is over.
    """
    if before is None:
        return after is not None and not after.over
    if after is None:
        return not before.pictures
    said, shown = _plain(before)
    said_after, shown_after = _plain(after)
    kept = said_after[: len(said)] == said
    return kept and (before.over or shown_after[: len(shown)] == shown)


def _plain(record: ProofRecord) -> tuple[list[Given], list[PictureRecord]]:
    """What was given, whatever it is sealed under, and wherever."""
    said = [replace(each, sealed=b"") for each in record.given]
    return said, [replace(each, key="", name="", sealed="") for each in record.pictures]


PROOF_KIND: Kind[Any] = register(
    Kind(
        name="proof",
        form=ProofRecord,
        key="proof",
        timers="timers:proof",
        timer_ms=lambda record: record.timer_ms,
        lists=_lists,
        may_become=_may_become,
        on_timer=due,
        related=lambda record: [("request", record.request_id)],
        follow_ups=(with_tasks,),
    )
)
