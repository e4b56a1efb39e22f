"""What a pure decision asks the store to do, all of it in one commit or none."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from contracts.base import Wire
from dispatcher.domain.record import Hold, RequestRecord


class To(StrEnum):
    """The stream a message goes to."""

    EVENTS = "events"
    MATCHES = "matches"
    VENDOR = "vendor"


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One CloudEvent to be: `type` is a key of `contracts.events.EVENTS`, `data` an instance of its class."""

    to: To
    type: str
    subject: str
    data: Wire
    vendor_id: str = ""  # for To.VENDOR


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """The record after (version = before + 1), ledger changes, messages. The timer is in the record.

    `before` is None for a new request. A decision that equals what is stored already (a repeated command)
    is `None` at the caller: nothing to commit, same answer.
    """

    before: RequestRecord | None
    after: RequestRecord
    take: tuple[Hold, ...] = ()
    release: tuple[Hold, ...] = ()
    messages: tuple[Message, ...] = ()
