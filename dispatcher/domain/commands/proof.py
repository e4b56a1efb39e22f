"""A dispatch's proof: what is said of a part, a picture of it; and what goes when its time is over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from contracts.codes import Role
from contracts.instants import to_ms
from contracts.proofs import MAX_GIVEN, MAX_PICTURES, ProofPart, ProofReport
from dispatcher.domain.commands.plausible import happened
from dispatcher.domain.commands.table import Command, decides
from dispatcher.domain.compact import Record
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Change, Decision, Message
from dispatcher.domain.kinds import beside
from dispatcher.domain.offers import OfferRecord
from dispatcher.domain.proof_required import noted, parts_of
from dispatcher.domain.proofs import (
    PROOF_KIND,
    Given,
    PictureRecord,
    ProofRecord,
    began,
    is_outside,
    proof_id,
    says,
    told,
    until_ms,
)
from dispatcher.domain.refusals import Invalid, WrongState
from dispatcher.domain.requests import RequestRecord
from dispatcher.domain.scorecards import taken_back, unproved
from dispatcher.domain.views import refuse_unaccepted

GIVERS = frozenset({Role.VENDOR, Role.OPS})  # ops: what a vendor brings on paper


class OnProof(Command, frozen=True, kw_only=True):
    """A command on the proof of a dispatch. `request`: its request, as it was read."""

    offer_id: str
    request: RequestRecord | None = None

    @property
    def subject(self) -> str:
        """The proof's record."""
        return proof_id(self.offer_id)

    @property
    def named(self) -> str:
        """The dispatch."""
        return f"offer {self.offer_id}"

    @property
    def beside(self) -> Mapping[str, Record]:
        """The request, which has to know what is proved."""
        return {} if self.request is None else {beside(self.request): self.request}


class GiveProof(OnProof, frozen=True, kw_only=True):
    """What is said of one part; `sealed` is the report. `again`: it was said before, word for word."""

    part: ProofPart
    at_ms: int | None = None
    sealed: bytes = b""
    says: int = 0
    apart_m: int | None = None
    again: bool = False


def stated(offer_id: str, report: ProofReport) -> GiveProof:
    """What somebody says of one part, before it is sealed."""
    at_ms = None if report.at is None else to_ms(report.at)
    return GiveProof(offer_id=offer_id, part=report.part, at_ms=at_ms, says=says(report))


class AttachPicture(OnProof, frozen=True, kw_only=True):
    """A picture of one part: its blob is kept already."""

    picture: PictureRecord


class DropPictures(OnProof, frozen=True, kw_only=True):
    """Its time is over, and its pictures are gone."""


class SealAnew(OnProof, frozen=True, kw_only=True):
    """The same under another patient key: each report as it is sealed now, each picture as it lies now."""

    reports: tuple[bytes, ...]
    pictures: tuple[PictureRecord, ...]


@decides(GiveProof, PROOF_KIND.name, roles=GIVERS, creates=True)
def give(record: ProofRecord | None, command: GiveProof, context: Context) -> Decision | None:
    """None when it was said before.

    Raises NotFound for another's dispatch, WrongState before acceptance and after the work was given back,
    Invalid for a part that this work has not, a time at which it cannot have been, and when it was given too
    often.
    """
    request, offer = _dispatch(record, command, context)
    _refuse_other_part(request, command.part)
    if record is not None and command.again:
        return None
    before = record or began(command.offer_id, request.id, offer, request.kind)
    if len(before.given) >= MAX_GIVEN:
        raise Invalid(
            f"the proof of {command.named} was given {MAX_GIVEN} times, the limit\n"
            "Maybe tell ops what is wrong with it: what was given stays."
        )
    now_ms = context.now_ms
    word = Given(
        part=command.part,
        at_ms=happened("at", command.at_ms, offer, now_ms),
        received_ms=now_ms,
        by=context.by,
        sealed=command.sealed,
        says=command.says,
        apart_m=command.apart_m,
        outside=is_outside(command.apart_m, context.values),
    )
    after = _on(before, offer, context, given=(*before.given, word))
    message = told(after, command.part, context, outside=word.outside)
    return _decision(Change(record, after), after.proved, (request, offer), message, context)


@decides(AttachPicture, PROOF_KIND.name, roles=GIVERS, creates=True)
def attach(record: ProofRecord | None, command: AttachPicture, context: Context) -> Decision | None:
    """None when this very picture is there. Raises as `give`."""
    request, offer = _dispatch(record, command, context)
    picture = command.picture
    if is_there(record, request, picture):
        return None
    before = record or began(command.offer_id, request.id, offer, request.kind)
    picture = replace(picture, at_ms=context.now_ms, by=context.by)
    after = _on(before, offer, context, pictures=(*before.pictures, picture))
    message = told(after, picture.part, context, picture=picture.of)
    return _decision(Change(record, after), after.proved, (request, offer), message, context)


def is_there(record: ProofRecord | None, request: RequestRecord, picture: PictureRecord) -> bool:
    """Whether it need not be kept anew. Raises Invalid where it may not: asked before it is put, too."""
    _refuse_other_part(request, picture.part)
    if record is None:
        return False
    last = record.pictures_of(picture.part, picture.of)[-1:]
    if any(each.sha256 == picture.sha256 for each in last):
        return True
    if len(record.pictures) >= MAX_PICTURES:
        raise Invalid(
            f"the proof of offer {record.offer_id} has {MAX_PICTURES} pictures, the limit\n"
            "Maybe tell ops what is wrong with them: what was given stays."
        )
    return False


@decides(DropPictures, PROOF_KIND.name)
def drop(record: ProofRecord, command: DropPictures, context: Context) -> Decision | None:
    """None unless its time is over. Its timer takes what is left of it."""
    if not record.over or not record.pictures:
        return None
    after = replace(record, version=record.version + 1, pictures=(), timer_ms=context.now_ms)
    return Decision(changes=(Change(record, after),), at_ms=context.now_ms)


@decides(SealAnew, PROOF_KIND.name)
def seal_anew(record: ProofRecord, command: SealAnew, context: Context) -> Decision:
    """It says what it said."""
    reports = zip(record.given, command.reports, strict=True)
    after = replace(
        record,
        version=record.version + 1,
        given=tuple(replace(each, sealed=sealed) for each, sealed in reports),
        pictures=command.pictures,
    )
    return Decision(changes=(Change(record, after),), at_ms=context.now_ms)


def _dispatch(
    record: ProofRecord | None, command: OnProof, context: Context
) -> tuple[RequestRecord, OfferRecord]:
    request = command.request
    assert request is not None  # noqa: S101  (the service has read it)
    offer = request.offer_named(command.offer_id, context.vendor_id)
    refuse_unaccepted(request, offer)
    if record is not None and record.over:
        raise WrongState(
            f"the proof of {command.named} was kept for as long as `proof_days` says, and goes\n"
            "Maybe tell ops: it is not kept again."
        )
    return request, offer


def _refuse_other_part(request: RequestRecord, part: ProofPart) -> None:
    known = parts_of(request.kind)
    if part not in known:
        raise Invalid(
            f"{part} is no part of a request of kind {request.kind}\nMaybe {' or '.join(known)} is meant.",
            parts=list(known),
        )


def _on(before: ProofRecord, offer: OfferRecord, context: Context, **changes: Any) -> ProofRecord:
    """One version on, kept from now on for its time; its start as it is agreed now."""
    facts = {"timer_ms": until_ms(context), "start_ms": offer.start_ms}
    return replace(before, version=before.version + 1, **facts, **changes)


def _decision(
    change: Change,
    proved: int,
    dispatch: tuple[RequestRecord, OfferRecord],
    message: Message,
    context: Context,
) -> Decision:
    """With what the request is to know: what is proved of this dispatch, and what it lacks."""
    request, offer = dispatch
    changes, known = [change], noted(offer, proved)
    if known != offer:
        later = replace(request, version=request.version + 1, offers=request.offers_with(known))
        changes.append(Change(request, later))
    there = () if known.lacking else map(taken_back, unproved(request, offer, context))
    return Decision(changes=tuple(changes), messages=(message,), outcomes=tuple(there), at_ms=context.now_ms)
