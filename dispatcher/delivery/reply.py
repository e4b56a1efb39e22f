"""One reply of a vendor over Redis: from bytes that anybody may have written to a command."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from contracts.codec import MAX_BYTES, MSGPACK, convert, unpack
from contracts.codes import DeclineCode, TrackingStatus
from contracts.dispatches import StatusUpdate
from contracts.events import CloudEvent, OfferReply
from contracts.instants import HOUR_MS
from contracts.problems import Malformed, Problem, TooLarge
from contracts.proofs import ProofReport
from contracts.streams import FIELD
from dispatcher.domain.commands.accept import AcceptOffer
from dispatcher.domain.commands.answer_amendment import AgreeToAmendment, RefuseAmendment
from dispatcher.domain.commands.counter import CounterOffer
from dispatcher.domain.commands.decline import DeclineOffer
from dispatcher.domain.commands.proof import stated
from dispatcher.domain.commands.report import ReportStatus
from dispatcher.domain.commands.table import Command
from dispatcher.domain.commands.waiting import ReportReady, ReportWaiting
from dispatcher.domain.refusals import Invalid
from dispatcher.store.idempotency import IdempotencyRecord

# A reply is written again within minutes, after a lost answer. Should it come later all the same, the state
# of its offer tells that it had its effect.
REMEMBERED_MS = HOUR_MS
LONGEST_ID = 256  # that is repeated to its writer


def open_envelope(raw: bytes) -> CloudEvent:
    """The envelope, read with the limits of any body from outside. Raises Problem."""
    if not raw:
        raise Malformed(f"the entry has no field `{FIELD}`\nMaybe it was trimmed away, or named otherwise.")
    if len(raw) > MAX_BYTES:
        raise TooLarge(f"the reply has {len(raw):,} bytes, the limit is {MAX_BYTES:,}")
    members = unpack(raw, MSGPACK)
    if isinstance(members, dict):  # an attribute that is null counts as left out (CloudEvents JSON 2.2)
        members = {name: value for name, value in members.items() if value is not None}
    return convert(members, CloudEvent)


def offer_of(event: CloudEvent) -> str:
    """What its order is kept by: the offer that it is about, whatever the envelope calls its subject."""
    named = event.data.get("offer_id")
    return named if isinstance(named, str) else event.subject


def id_of(raw: bytes) -> str:
    """The id of an event that could not be read, as far as it has one."""
    try:
        found = unpack(raw, MSGPACK)
    except Problem:
        return ""
    name = found.get("id") if isinstance(found, dict) else None
    return name if isinstance(name, str) and len(name) <= LONGEST_ID else ""


def idempotency_of(event: CloudEvent, vendor_id: str) -> IdempotencyRecord:
    """Source and id of the event name the command, among those of its vendor; the rest must not differ."""
    body = msgspec.msgpack.encode([event.type, event.data])
    return IdempotencyRecord.of(
        f"reply:{vendor_id}", f"{event.source}\0{event.id}", body, ttl_ms=REMEMBERED_MS
    )


def command_of(event: CloudEvent) -> Command:
    """The command that the envelope holds; a proof is not sealed yet (`report_of`).

    Raises Problem or Invalid, which its vendor is told.
    """
    made = COMMANDS.get(event.type)
    if made is None:
        raise Invalid(f"{event.type} is no reply\nMaybe one of: {', '.join(COMMANDS)}.")
    return made(convert(event.data, OfferReply))


def _accept(said: OfferReply) -> Command:
    return AcceptOffer(offer_id=said.offer_id, reference=said.reference)


def _decline(said: OfferReply) -> Command:
    if said.code is None or said.code.value not in set(DeclineCode):
        raise Invalid(f"a decline needs its code\nMaybe one of: {', '.join(DeclineCode)}.")
    return DeclineOffer(offer_id=said.offer_id, code=DeclineCode(said.code.value))


def _status(said: OfferReply) -> Command:
    if said.status is None:
        raise Invalid(f"a report needs a status\nMaybe one of: {', '.join(TrackingStatus)}.")
    update = StatusUpdate(status=said.status, at=said.at, code=said.code)  # refuses an odd year
    return ReportStatus(offer_id=said.offer_id, status=update.status, at=update.at, code=update.code)


def _agree(said: OfferReply) -> Command:
    return AgreeToAmendment(offer_id=said.offer_id, number=_number(said))


def _refuse(said: OfferReply) -> Command:
    return RefuseAmendment(offer_id=said.offer_id, number=_number(said))


def _counter(said: OfferReply) -> Command:
    if said.counter is None:
        raise Invalid("a counter-offer needs what would be otherwise\nMaybe `counter` is missing.")
    return CounterOffer.of(said.offer_id, said.counter)


def _number(said: OfferReply) -> int:
    if said.amendment is None:
        raise Invalid("an answer to an amendment needs its number\nMaybe `amendment` is missing.")
    return said.amendment


def _waiting(said: OfferReply) -> Command:
    return ReportWaiting(offer_id=said.offer_id, since=said.at)


def _ready(said: OfferReply) -> Command:
    return ReportReady(offer_id=said.offer_id, at=said.at)


def report_of(said: OfferReply) -> ProofReport:
    """What is said of a part of its work. Raises Invalid for what a stream must not hold."""
    if said.proof is None:
        raise Invalid("a proof needs what is said of a part\nMaybe `proof` is missing.")
    signed = said.proof.signature is not None and said.proof.signature.by is not None
    if signed or said.proof.position is not None:
        what = "who signed" if signed else "a position"
        raise Invalid(
            f"a proof over Redis may not say {what}: a stream is kept in plain\n"
            "Maybe give it over HTTP, where it is encrypted: POST …/dispatches/{id}/proof."
        )
    return said.proof


def _proof(said: OfferReply) -> Command:
    return stated(said.offer_id, report_of(said))


COMMANDS: Mapping[str, Callable[[OfferReply], Command]] = {
    "dispatch.reply.accept": _accept,
    "dispatch.reply.decline": _decline,
    "dispatch.reply.status": _status,
    "dispatch.reply.agree": _agree,
    "dispatch.reply.refuse": _refuse,
    "dispatch.reply.counter": _counter,
    "dispatch.reply.waiting": _waiting,
    "dispatch.reply.ready": _ready,
    "dispatch.reply.proof": _proof,
}
