"""The table of commands: from a command's type to its decision. HTTP, replies, timers, matcher feed it.

    @decides(CancelRequest, REQUEST, roles={Role.PLATFORM})
    def cancel(record: RequestRecord, command: CancelRequest, context: Context) -> Decision | None: ...

A decision is pure: of the record, the command, and the context that it is made in. It gives `None` when the
command has had its effect, and raises a `Refusal` when it cannot have it.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from typing import Any, NamedTuple, TypeVar

import msgspec

import dispatcher.domain.commands as package
from contracts.codes import Role
from dispatcher.domain.compact import Record
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Decision
from dispatcher.domain.kinds import Kind, kind_named, kind_of

REQUEST, TASK = "request", "task"
ANY_KIND = ""  # the command names the kind of record itself, in `kind`
SERVICE: frozenset[Role] = frozenset()  # nobody with a token: the matcher and the timers


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wants of one record. `subject` is its id, `named` what the caller calls it."""

    @property
    def subject(self) -> str:
        """The id of the record that is decided on."""
        raise NotImplementedError(type(self).__name__)

    @property
    def named(self) -> str:
        """What the caller asked for, told when it is not there."""
        return self.subject


C = TypeVar("C", bound=Command)
Decide = Callable[[Any, Any, Context], Decision | None]


class Row(NamedTuple):
    """One command: its decision, the kind of record it is about, and the roles that may give it."""

    decide: Decide
    kind: str
    roles: frozenset[Role]


_rows: dict[type[Command], Row] = {}


def decides(
    command: type[C], kind: str, *, roles: frozenset[Role] | set[Role] = SERVICE
) -> Callable[[Decide], Decide]:
    """Enter a decision into the table; each command has one."""

    def enter(decide: Decide) -> Decide:
        if command in _rows:
            raise ValueError(f"{command.__name__} has two decisions\nMaybe one of them is another command.")
        _rows[command] = Row(decide, kind, frozenset(roles))
        return decide

    return enter


def row(command: type[Command]) -> Row:
    """What is known of a command. Raises KeyError for a type that has no decision."""
    _discover()
    return _rows[command]


def commands() -> Mapping[type[Command], Row]:
    """The whole table."""
    _discover()
    return dict(_rows)


def decide(record: Record, command: Command, context: Context) -> Decision | None:
    """What the command makes of the record, with all that follows from it. Raises Refusal."""
    decision = row(type(command)).decide(record, command, context)
    then = kind_of(record).follow_up
    return decision if decision is None or then is None else then(decision, context)


def kind_for(command: Command) -> Kind[Any]:
    """The kind of record that a command is about."""
    return kind_named(row(type(command)).kind or str(getattr(command, "kind", "")))


@contextmanager
def without(command: type[Command]) -> Iterator[None]:
    """Take a command out of the table when the block ends: for one that was added at run time."""
    try:
        yield
    finally:
        del _rows[command]


@cache
def _discover() -> None:
    for module in pkgutil.iter_modules(package.__path__):
        import_module(f"{package.__name__}.{module.name}")
