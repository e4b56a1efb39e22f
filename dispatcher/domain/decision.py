"""What a pure decision asks the store to do, all of it in one commit or none."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from contracts.base import Wire
from dispatcher.domain.proposal import Precondition
from dispatcher.domain.record import Booking, RequestRecord
from dispatcher.domain.refusals import WrongState
from dispatcher.domain.scorecards import Mark
from dispatcher.domain.states import ENTRY, TERMINAL, may_stay_or_go


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
    is `None` at the caller: nothing to commit, same answer. `forget` (retention is over): the store deletes
    the record, its request, patient block and index entries instead of writing `after`.
    """

    before: RequestRecord | None
    after: RequestRecord
    book: tuple[Booking, ...] = ()
    unbook: tuple[Booking, ...] = ()
    messages: tuple[Message, ...] = ()
    preconditions: tuple[Precondition, ...] = ()  # what must not have changed since it was read
    mark: Mark | None = None  # what the step adds to a vendor's record
    at_ms: int = 0  # the time its messages carry; 0: that of the last step
    forget: bool = False

    def __post_init__(self) -> None:
        """The last door before the store: a step that the table does not have raises WrongState."""
        before, after = self.before, self.after
        if before is None:
            fits = after.version == 1 and after.state in ENTRY
        elif self.forget:
            fits = after.version == before.version + 1 and before.state in TERMINAL
        else:
            fits = after.version == before.version + 1 and may_stay_or_go(before.state, after.state)
        if not fits:
            raise WrongState(f"request {after.id} cannot go to {after.state}", state=after.state.value)
