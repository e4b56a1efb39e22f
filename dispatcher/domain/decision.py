"""What a pure decision asks the store to do, all of it in one commit or none."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from contracts.base import Wire
from contracts.event_types import event_type
from contracts.streams import To
from dispatcher.domain.acceptance import Answer
from dispatcher.domain.barriers import PatternCount
from dispatcher.domain.booking import Booking
from dispatcher.domain.compact import Record
from dispatcher.domain.fairness import GroupCount
from dispatcher.domain.kinds import Kind, kind_of
from dispatcher.domain.proposal import Precondition
from dispatcher.domain.refusals import WrongState
from dispatcher.domain.scorecards import WorkOutcome
from dispatcher.domain.statements import Billed
from dispatcher.domain.will_call import Called


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One CloudEvent to be. What its data is, and which stream it goes to, its type was declared with."""

    type: str
    subject: str
    data: Wire
    vendor_id: str = ""  # whose stream, for a type that goes to one vendor

    def __post_init__(self) -> None:
        """The last door before the store: ValueError for what a reader of AsyncAPI would not expect there."""
        form, to = event_type(self.type)
        addressed = bool(self.vendor_id) is (to is To.VENDOR)
        if type(self.data) is not form or to is To.REPLIES or not addressed:
            whom = f" for vendor {self.vendor_id}" if self.vendor_id else ""
            raise ValueError(
                f"{self.type} is {form.__name__} on {to}, and this is {type(self.data).__name__}{whom}"
            )

    @property
    def to(self) -> To:
        """The stream that it goes to."""
        return event_type(self.type).to


class Change(msgspec.Struct, frozen=True):
    """One record: before (None: it is new) and after (None: it is forgotten, with its body and lists)."""

    before: Record | None
    after: Record | None

    def __post_init__(self) -> None:
        """The last door before the store: a step that the kind's table does not have raises WrongState."""
        before, after = self.before, self.after
        number = before.version + 1 if before else 1
        kind = self.kind
        if (after is not None and after.version != number) or not kind.may_become(before, after):
            name = self.record.id
            raise WrongState(f"{kind.name} {name} cannot go from {_told(before)} to {_told(after)}")

    @property
    def record(self) -> Record:
        """What it is about: the record after, or the one that goes."""
        record = self.after or self.before
        assert record is not None  # noqa: S101  (a change of nothing to nothing is none)
        return record

    @property
    def kind(self) -> Kind[Any]:
        """The kind of its record."""
        return kind_of(self.record)


class Body(NamedTuple):
    """What is stored once of a record, written anew with a change of it: as the store packed it."""

    record_id: str
    content: bytes


class Reliance(NamedTuple):
    """A record that a decision rests on and does not change, at the version that was read."""

    kind: str
    id: str
    version: int


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """Changes of one or several records, of one or several kinds, with all that goes with them.

    The first change is of the record that the command was about. A decision that equals what is stored
    already (a repeated command) is `None` at the caller: nothing to commit, same answer.
    """

    changes: tuple[Change, ...]
    book: tuple[Booking, ...] = ()
    unbook: tuple[Booking, ...] = ()
    messages: tuple[Message, ...] = ()
    preconditions: tuple[Precondition, ...] = ()  # what must not have changed since it was read
    bodies: tuple[Body, ...] = ()  # of records among its changes
    relies: tuple[Reliance, ...] = ()  # nor these records
    outcomes: tuple[WorkOutcome, ...] = ()  # what the step adds to vendors' scorecards
    counts: tuple[PatternCount, ...] = ()  # and to the counts of barriers
    groups: tuple[GroupCount, ...] = ()  # and to how groups of requests fare
    called: Called | None = None  # a will-call that was called: counted
    answers: tuple[Answer, ...] = ()  # what it adds to what is known of how vendors answer
    billed: tuple[Billed, ...] = ()  # and to vendors' statements
    by: str = ""  # the right that it took, where another of the caller's may give the command
    at_ms: int  # the time its messages carry

    @property
    def before(self) -> Any:
        """The record that the command was about, as it was; None for a new one."""
        return self.changes[0].before

    @property
    def after(self) -> Any:
        """The same record after; None when it is forgotten."""
        return self.changes[0].after


def _told(record: Record | None) -> str:
    return "nothing" if record is None else str(getattr(record, "state", f"version {record.version}"))
