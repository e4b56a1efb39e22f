"""The table of commands: from a command's type to its decision. HTTP, replies, timers, matcher feed it.

    @decides(CancelRequest, REQUEST, roles={Role.PLATFORM})
    def cancel(record: RequestRecord, command: CancelRequest, context: Context) -> Decision | None: ...

A decision is pure: of the record, the command, and the context that it is made in. It gives `None` when the
command has had its effect, and raises a `Refusal` when it cannot have it. One that `creates` its record gets
`None` where there is none yet.

Every module of this package is found. A command's route names its type and takes its roles from here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, TypeVar

import msgspec

from contracts.codes import Role
from contracts.register import Register
from dispatcher.domain.compact import Record
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Decision
from dispatcher.domain.kinds import Kind, kind_named

REQUEST, TASK = "request", "task"
ANY_KIND = ""  # the command names the kind of record itself, in `kind`
SERVICE: frozenset[Role] = frozenset()  # nobody with a token: the matcher and the timers


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wants of one record. `subject` is its id, `named` what the caller calls it."""

    @property
    def subject(self) -> str:
        """The id of the record that is decided on."""
        raise AssertionError(f"{type(self).__name__} does not say which record it is about")

    @property
    def named(self) -> str:
        """What the caller asked for, told when it is not there."""
        return self.subject

    @property
    def if_full(self) -> Command:
        """What is decided instead, once the capacity that it books turns out to be taken."""
        return self

    @property
    def beside(self) -> Mapping[str, Record]:
        """Records that were read while it was made ready, by id: its decision has them beside its own."""
        return {}


C = TypeVar("C", bound=Command)
Decide = Callable[[Any, Any, Context], Decision | None]


class Row(NamedTuple):
    """One command: its decision, the kind of record it is about, and the roles that may give it."""

    decide: Decide
    kind: str
    roles: frozenset[Role]
    creates: bool
    quiet: bool = False  # the audit does not list it


_rows: Register[type[Command], Row] = Register("dispatcher.domain.commands", "command")


def decides(
    command: type[C],
    kind: str,
    *,
    roles: frozenset[Role] | set[Role] = SERVICE,
    creates: bool = False,
    quiet: bool = False,
) -> Callable[[Decide], Decide]:
    """Enter a decision into the table; each command has one. `creates`: the record need not be there.

    `quiet`: the audit does not list who gave it.
    """

    def enter(decide: Decide) -> Decide:
        _rows.add(command, Row(decide, kind, frozenset(roles), creates, quiet))
        return decide

    return enter


def row(command: type[Command]) -> Row:
    """What is known of a command. Raises KeyError for a type that has no decision."""
    return _rows.of(command)


def commands() -> Mapping[type[Command], Row]:
    """The whole table."""
    return _rows.all()


def temporary() -> AbstractContextManager[None]:
    """Commands that are entered within the block are gone after it."""
    return _rows.temporary()


def decide(record: Record | None, command: Command, context: Context) -> Decision | None:
    """What the command makes of the record, with all that follows from it. Raises Refusal."""
    decision = row(type(command)).decide(record, command, context)
    return None if decision is None else with_follow_ups(decision, context)


def with_follow_ups(decision: Decision, context: Context) -> Decision:
    """The decision with all that follows from it, by the kind of the record that it is about."""
    first = decision.changes[0]
    kind = first.kind
    if len(decision.changes) == 1 and kind.nothing_follows(first.before, first.after):
        return decision
    for follow_up in kind.follow_ups:
        decision = follow_up(decision, context)
    return decision


def kind_for(command: Command) -> Kind[Any]:
    """The kind of record that a command is about."""
    return kind_named(row(type(command)).kind or str(getattr(command, "kind", "")))
