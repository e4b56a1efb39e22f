"""One reply of a vendor over Redis: from bytes that anybody may have written to a command."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from contracts.codec import MSGPACK, convert, decode
from contracts.codes import DeclineCode, TrackingStatus
from contracts.dispatches import StatusUpdate
from contracts.events import REPLIES, CloudEvent, OfferReply
from contracts.offers import Accept, Decline
from contracts.problems import Problem
from dispatcher.domain.refusals import Invalid
from dispatcher.store.outcome import Command

# A reply is written again within minutes, after a lost answer. Should it come later all the same, the state
# of its offer tells that it had its effect.
REMEMBERED_MS = 3_600_000

Answer = Accept | Decline | StatusUpdate


class Poison(Exception):
    """An entry that cannot be used, and whose writer cannot be told; the text never repeats its body."""


class Reply(NamedTuple):
    """What a vendor says about one offer."""

    offer_id: str
    answer: Answer


def open_envelope(raw: bytes) -> CloudEvent:
    """The envelope, read with the limits of any body from outside. Raises Poison."""
    if not raw:
        raise Poison("no field `ce`")
    try:
        return decode(raw, CloudEvent, MSGPACK)
    except Problem as problem:
        raise Poison(problem.type) from None


def command_of(event: CloudEvent, vendor_id: str) -> Command:
    """The event's id names the command, among those of its vendor; its type and data must not differ."""
    body = msgspec.msgpack.encode([event.type, event.data])
    return Command.of(f"reply:{vendor_id}", event.id, body, ttl_ms=REMEMBERED_MS)


def read_reply(event: CloudEvent) -> Reply:
    """What the envelope holds. Raises Problem or Invalid, which its vendor is told."""
    form = REPLIES.get(event.type)
    if form is None:
        raise Invalid(f"{event.type} is no reply\nMaybe one of: {', '.join(REPLIES)}.")
    said = convert(event.data, OfferReply)
    if event.type == "dispatch.reply.accept":
        return Reply(said.offer_id, Accept(reference=said.reference))
    if event.type == "dispatch.reply.decline":
        return Reply(said.offer_id, Decline(code=_decline_code(said)))
    return Reply(said.offer_id, StatusUpdate(status=_status(said), at=said.at, code=said.code))


def _decline_code(said: OfferReply) -> DeclineCode:
    if said.code is None or said.code.value not in set(DeclineCode):
        raise Invalid(f"a decline needs its code\nMaybe one of: {', '.join(DeclineCode)}.")
    return DeclineCode(said.code.value)


def _status(said: OfferReply) -> TrackingStatus:
    if said.status is None:
        raise Invalid(f"a report needs a status\nMaybe one of: {', '.join(TrackingStatus)}.")
    return said.status
