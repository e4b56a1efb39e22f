"""Proofs: a report's and a picture's way to where they are sealed, and back to those who may see them."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, NoReturn, TypeVar

import numpy as np
from msgspec.structs import replace

from contracts.geo import Position
from contracts.instants import to_instant
from contracts.proofs import (
    Picture,
    PictureView,
    ProofPart,
    ProofReport,
    ProofView,
    refuse_odd_picture,
)
from contracts.requests import Request
from dispatcher.blobs.port import Blobs
from dispatcher.domain.commands.proof import GIVERS, AttachPicture, SealAnew, is_there, stated
from dispatcher.domain.offers import OfferRecord
from dispatcher.domain.proof_required import lacking, names, parts_of, required
from dispatcher.domain.proofs import PictureRecord, ProofRecord, began, proof_id
from dispatcher.domain.refusals import Invalid, NotFound, Unavailable, Unreadable, WrongState, no_such
from dispatcher.domain.requests import RequestRecord, request_id_of
from dispatcher.domain.rights import SEES_PROOF
from dispatcher.domain.views import refuse_unaccepted
from dispatcher.runtime.clock import Clock
from dispatcher.runtime.errors import kind_of_failure
from dispatcher.security.principal import Principal
from dispatcher.service.execute import Executor
from dispatcher.service.markets import Markets
from dispatcher.service.patient_reads import PatientReads
from dispatcher.service.proof_views import picture_view, proof_view
from dispatcher.store.idempotency import IdempotencyRecord
from dispatcher.store.proofs import blob_name, dispatch_of, renamed
from solvers.geometry import great_circle_m

BY = "service"
RETRY_AFTER_S = 5
MOST_WAITING = 64  # pictures in memory while a place is slow: 64 MB
ENDINGS = {"image/png": "png", "image/jpeg": "jpg"}
Result = TypeVar("Result")


class Place(NamedTuple):
    """Where a picture belongs."""

    offer_id: str
    part: ProofPart
    of: Picture


class Proofs:
    """They raise NotFound for what is unknown or another's, in the same words, and Unavailable."""

    def __init__(
        self, markets: Markets, executor: Executor, reads: PatientReads, clock: Clock, blobs: Blobs
    ) -> None:
        self.markets, self.executor, self.reads = markets, executor, reads
        self.clock, self.blobs = clock, blobs
        self._waiting = 0
        self._threads = ThreadPoolExecutor(8, "proofs")  # its own: a place that hangs holds up nothing else

    async def give(
        self,
        who: Principal,
        market: str,
        offer_id: str,
        report: ProofReport,
        idempotency: IdempotencyRecord | None,
    ) -> ProofView:
        """Keep what is said of one part, sealed; what is there then.

        Raises WrongState before acceptance and after the work was given back, Invalid, Unreadable.
        """
        record = await self.keep(who, market, offer_id, report, idempotency)
        return await self._view(market, record)

    async def keep(
        self,
        who: Principal,
        market: str,
        offer_id: str,
        report: ProofReport,
        idempotency: IdempotencyRecord | None,
    ) -> ProofRecord:
        """The same, shown to nobody."""

        async def prepare(record: ProofRecord | None, wanted: Any) -> Any:
            request, offer = await self._dispatch(who, market, offer_id)
            refuse_unaccepted(request, offer)
            if record is not None and self._was_said(market, record, report):
                return replace(wanted, request=request, again=True)
            asked = await self.markets.store(market).requests.expected_body(request.id)
            sealed = self.markets.store(market).proofs.seal(offer_id, report)
            return replace(wanted, request=request, sealed=sealed, apart_m=apart_m(report, asked))

        command = stated(offer_id, report)
        kept: ProofRecord = await self.executor.execute(who, market, command, idempotency, prepare=prepare)
        return kept

    async def attach(self, who: Principal, market: str, at: Place, media: str, plain: bytes) -> PictureView:
        """Keep a picture of one part, sealed; sent again it is there once. Raises as `give`."""
        offer_id, part, of = at
        request, offer = await self._right(who, market, offer_id)
        refuse_odd_picture(plain, media)
        refuse_unaccepted(request, offer)  # before its bytes are kept; the decision looks again
        digest = hashlib.sha256(plain).hexdigest()
        day = to_instant(self.clock.now_ms()).date().isoformat()
        name = blob_name(market, day, offer_id, f"{part}.{of}.{digest[:16]}.{ENDINGS[media]}")
        sealed = self.markets.store(market).proofs.seal_picture(name, plain)
        picture = PictureRecord(
            part=part, of=of, name=name, media=media, size=len(plain), sha256=digest,
            key=sealed.key, at_ms=0, by="", sealed=sealed.sha256,
        )  # fmt: skip

        async def prepare(record: ProofRecord | None, wanted: Any) -> Any:
            request, _ = await self._dispatch(who, market, offer_id)
            return replace(wanted, request=request)

        known = await self._record(market, offer_id)
        if is_new := not is_there(known, request, picture):
            await self.beside(self.blobs.put, name, sealed.content)
        elif known is not None:
            await self._mend(market, known, picture, plain)
        command = AttachPicture(offer_id=offer_id, picture=picture)
        try:
            record = await self.executor.execute(who, market, command, prepare=prepare)
        except (Invalid, NotFound, WrongState):
            await self._take_back(market, offer_id, name)
            raise
        kept = record.pictures_of(part, of)
        if is_new and kept[-1].name != name:
            await self._take_back(market, offer_id, name)
        return picture_view(kept[-1], len(kept))

    async def _take_back(self, market: str, offer_id: str, name: str) -> None:
        """What was put and then refused, or taken from another call meanwhile, does not stay."""
        record = await self._record(market, offer_id)
        if record is None or all(each.name != name for each in record.pictures):
            with contextlib.suppress(Unavailable):  # housekeeping removes what no record names
                await self.beside(self.blobs.remove, [name])

    async def _mend(self, market: str, record: ProofRecord, sent: PictureRecord, plain: bytes) -> None:
        """What lies damaged, or is gone, is whole again, elsewhere: the same was sent once more."""
        last, stored = record.pictures_of(sent.part, sent.of)[-1], self.markets.store(market).proofs
        try:
            await self.opened(market, last)
        except Unreadable:
            name = renamed(last.name)
            sealed = stored.seal_picture(name, plain)
            await self.beside(self.blobs.put, name, sealed.content)
            whole = replace(last, name=name, key=sealed.key, sealed=sealed.sha256)
            pictures = tuple(whole if each == last else each for each in record.pictures)
            reports = tuple(each.sealed for each in record.given)
            command = SealAnew(offer_id=record.offer_id, reports=reports, pictures=pictures)
            await self.executor.attempt(BY, market, command, record)  # stale: it is sent again, if need be

    async def view(self, who: Principal, market: str, offer_id: str) -> ProofView:
        """What there is of a proof, and what is lacking; that it was seen is durable before it is shown."""
        record = await self._seen(who, market, offer_id)
        if record is None:
            request, offer = await self._dispatch(who, market, offer_id)
            refuse_unaccepted(request, offer)
            return await self._view(market, began(offer_id, request.id, offer, request.kind))
        await self.reads.note_proof(who, market, record.offer_id)
        return await self._view(market, record)

    async def picture(
        self, who: Principal, market: str, at: Place, number: int | None
    ) -> tuple[PictureRecord, bytes]:
        """A picture, the last one if none is named; that it was seen is durable before it is shown."""
        offer_id, part, of = at
        record = await self._seen(who, market, offer_id)
        kept = record.pictures_of(part, of) if record is not None else ()
        place = len(kept) if number is None else number
        if not 0 < place <= len(kept):
            raise NotFound(
                f"the proof of offer {offer_id} has {len(kept)} pictures of {part} {of}\n"
                "Maybe it is another part, or `of` another kind."
            )
        await self.reads.note_proof(who, market, offer_id)
        return kept[place - 1], await self.opened(market, kept[place - 1])

    async def opened(self, market: str, picture: PictureRecord) -> bytes:
        """Its plain bytes. Raises Unreadable, also where its blob is gone; Unavailable."""
        sealed = await self.beside(self.blobs.get, picture.name)
        if sealed is None:  # it may lie elsewhere by now, under another key
            record = await self._record(market, dispatch_of(picture.name))
            moved = [each for each in record.pictures if is_same(each, picture)] if record is not None else []
            if moved and moved[0].name != picture.name:
                picture, sealed = moved[0], await self.beside(self.blobs.get, moved[0].name)
        return self.markets.store(market).proofs.open_picture(picture, sealed or b"")

    async def beside(self, work: Callable[..., Result], *words: object) -> Result:
        """In a thread: it waits for disk or network. Raises Unavailable, also where many wait already."""
        if self._waiting >= MOST_WAITING:
            raise Unavailable(
                f"{MOST_WAITING} pictures are on their way where proofs are kept, the limit\n"
                "Maybe try again soon.",
                retry_after_s=RETRY_AFTER_S,
            )
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work, *words)
        except OSError as error:
            raise Unavailable(
                f"where proofs are kept does not answer ({kind_of_failure(error)}); nothing was stored\n"
                "Maybe try again; ask ops if it lasts.",
                retry_after_s=RETRY_AFTER_S,
            ) from error
        finally:
            self._waiting -= 1

    async def _view(self, market: str, record: ProofRecord) -> ProofView:
        values = (await self.markets.tuning(market)).values
        stored = self.markets.store(market).proofs
        reports = [stored.open(record.offer_id, each.sealed) for each in record.given]
        return proof_view(
            record,
            reports,
            required=names(required(record.kind, values)),
            lacking=lacking(record.kind, record.proved, values),
        )

    def _was_said(self, market: str, record: ProofRecord, report: ProofReport) -> bool:
        """Whether the last that was said of this part is this, word for word."""
        last = [each for each in record.given if each.part is report.part][-1:]
        try:
            stored = self.markets.store(market).proofs
            return any(stored.open(record.offer_id, each.sealed) == report for each in last)
        except Unreadable:
            return False  # it is said once more, so that there is one that can be read

    async def _record(self, market: str, offer_id: str) -> ProofRecord | None:
        found = await self.markets.store(market).proofs.records.get(proof_id(offer_id))
        return None if found is None or found.over else found

    async def _seen(self, who: Principal, market: str, offer_id: str) -> ProofRecord | None:
        """The record, for who may see it: a vendor its own."""
        self.markets.authorize(who, market)
        if not who.may(SEES_PROOF):
            _refuse(offer_id)
        record = await self._record(market, offer_id)
        if record is not None and who.is_vendor and record.vendor_id != who.vendor_id:
            _refuse(offer_id)
        return record

    async def _right(self, who: Principal, market: str, offer_id: str) -> tuple[RequestRecord, OfferRecord]:
        """The dispatch, for who may give its proof."""
        self.markets.authorize(who, market)
        if not who.may(GIVERS):
            _refuse(offer_id)
        return await self._dispatch(who, market, offer_id)

    async def _dispatch(
        self, who: Principal, market: str, offer_id: str
    ) -> tuple[RequestRecord, OfferRecord]:
        """Its request and offer; of another vendor's nothing is told."""
        request = await self.markets.store(market).requests.records.get(request_id_of(offer_id))
        if request is None:
            await self.markets.refuse_if_lost()
            _refuse(offer_id)
        return request, request.offer_named(offer_id, who.vendor_id)


def is_same(one: PictureRecord, other: PictureRecord) -> bool:
    """Whether they are one picture, wherever it lies."""
    return (one.part, one.of, one.sha256, one.at_ms) == (other.part, other.of, other.sha256, other.at_ms)


def apart_m(report: ProofReport, asked: Request) -> int | None:
    """Metres from the door of a part to the position that was told; None: none was."""
    start, end = asked.doors
    door = end if report.part is ProofPart.DROPOFF else start
    if report.position is None or door is None or report.part not in parts_of(_kind(asked)):
        return None
    return round(float(great_circle_m(_point(report.position), _point(door))))


def _kind(asked: Request) -> str:
    return "trip" if asked.is_trip else "equipment"


def _point(position: Position) -> Any:
    return np.array(position, float)


def _refuse(offer_id: str) -> NoReturn:
    raise no_such(f"offer {offer_id}")
