"""What a kind of record declares, once: its key, its timer, the lists it stands in, the steps it may take.

The store files every record by its kind, and knows no kind by name. A new kind is one file that makes a
`Kind` and registers it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from dispatcher.domain.compact import Record

if TYPE_CHECKING:
    from dispatcher.domain.context import Context
    from dispatcher.domain.decision import Decision

R = TypeVar("R", bound=Record)
DECLARED = ("dispatcher.domain.request_kind", "dispatcher.domain.tasks")


class Entry(NamedTuple):
    """A record's place in a sorted list of its market: the list's name, and the member that stands there."""

    list: str
    member: str


@dataclass(frozen=True, kw_only=True)
class Kind(Generic[R]):
    """One kind of record. `key` is the first part of its documents' keys, `timers` the list of its timers.

    `body` names the key of what is stored once, with the first record; "" where there is nothing. `lists`
    says where the record stands, and its score there. `related` names records (kind, id) that its decisions
    read; `follow_up` adds to a decision what follows from it. `plain_events`: no other kind's ids are like
    its own, so its events are named by them alone.
    """

    name: str
    form: type[R]
    key: str
    timers: str
    timer_ms: Callable[[R], int]
    lists: Callable[[R], Mapping[Entry, int]]
    may_become: Callable[[R | None, R | None], bool]
    on_timer: Callable[[R, Context], Decision | None]
    is_new_work: Callable[[R | None, R | None], bool] = lambda before, after: False
    related: Callable[[R], Sequence[tuple[str, str]]] = lambda record: ()
    follow_up: Callable[[Decision, Context], Decision] | None = None
    body: str = ""
    plain_events: bool = False

    def named_in_events(self, record_id: str) -> str:
        """What the ids of events about a record begin with: two kinds may call their records alike."""
        return record_id if self.plain_events else f"{self.key}:{record_id}"


_kinds: dict[str, Kind[Any]] = {}
_by_form: dict[type[Record], Kind[Any]] = {}


def register(kind: Kind[R]) -> Kind[R]:
    """Add a kind; its name must be new."""
    if kind.name in _kinds:
        raise ValueError(f"two kinds of record are called {kind.name!r}\nMaybe give one another name.")
    _kinds[kind.name] = kind
    _by_form[kind.form] = kind
    return kind


@contextmanager
def with_kind(kind: Kind[R]) -> Iterator[Kind[R]]:
    """A kind for the length of a block."""
    register(kind)
    try:
        yield kind
    finally:
        del _kinds[kind.name], _by_form[kind.form]


def kinds() -> tuple[Kind[Any], ...]:
    """All kinds."""
    _discover()
    return tuple(_kinds.values())


def kind_named(name: str) -> Kind[Any]:
    """The kind of that name."""
    _discover()
    return _kinds[name]


def kind_of(record: Record) -> Kind[Any]:
    """The kind that a record is of."""
    _discover()
    return _by_form[type(record)]


@cache
def _discover() -> None:
    for module in DECLARED:
        import_module(module)
