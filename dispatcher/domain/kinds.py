"""What a kind of record declares, once: its key, its timer, the lists it stands in, the steps it may take.

The store files every record by its kind, and knows no kind by name. A new kind is one file of this package
that makes a `Kind` and registers it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from contracts.register import Register
from contracts.tuning import Number
from dispatcher.domain.compact import Record

if TYPE_CHECKING:
    from dispatcher.domain.context import Context
    from dispatcher.domain.decision import Decision

R = TypeVar("R", bound=Record)
FollowUp = Callable[["Decision", "Context"], "Decision"]


class Entry(NamedTuple):
    """A record's place in a sorted list of its market: the list's name, and the member that stands there."""

    list: str
    member: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Kind(Generic[R]):
    """One kind of record. `key` is the first part of its documents' keys, `timers` the list of its timers.

    `body` names the key of what is stored once, with the first record; "" where there is nothing. `lists`
    says where the record stands, and its score there. `together` says, under a tuning, of which timers many
    fire in one commit, and `alone` that these are decided on with nothing beside. `related` names records
    (kind, id) that its decisions read, and `rounds` how far: 2 for those, and what these name; each of
    `follow_ups` adds to a decision what follows from it, in their order; `nothing_follows` says of which
    steps none of them makes anything, so that none is asked. `plain_events`: no other kind's ids are like its
    own, so its events are named by them alone. `ids_of_others`: its ids may be those of requests, so beside
    other records it goes by its key, too. `sealed`: of what is sealed, for nobody may change one, the list by
    when they were written.
    """

    name: str
    form: type[R]
    key: str
    timers: str
    timer_ms: Callable[[R], int]
    lists: Callable[[R], Mapping[Entry, int]]
    may_become: Callable[[R | None, R | None], bool]
    on_timer: Callable[[R, Context], Decision | None]
    together: Callable[[R, Mapping[str, Number]], bool] = lambda record, values: False
    alone: bool = False
    is_new_work: Callable[[R | None, R | None], bool] = lambda before, after: False
    related: Callable[[R], Sequence[tuple[str, str]]] = lambda record: ()
    rounds: Callable[[R], int] = lambda record: 2
    follow_ups: tuple[FollowUp, ...] = ()
    nothing_follows: Callable[[R | None, R | None], bool] = lambda before, after: False
    body: str = ""
    plain_events: bool = False
    ids_of_others: bool = False
    sealed: str = ""

    def named_in_events(self, record_id: str) -> str:
        """What the ids of events about a record begin with: two kinds may call their records alike."""
        return record_id if self.plain_events else f"{self.key}:{record_id}"

    def named_beside(self, record_id: str) -> str:
        """By which a record is found among those that a decision reads."""
        return f"{self.key}:{record_id}" if self.ids_of_others else record_id


_kinds: Register[type[Record], Kind[Any]] = Register("dispatcher.domain", "kind of record")


def register(kind: Kind[R]) -> Kind[R]:
    """Add a kind. Raises ValueError when its name, key, list of timers or form is another kind's."""
    for other in _kinds.so_far.values():
        if {kind.name, kind.key, kind.timers, kind.form} & {other.name, other.key, other.timers, other.form}:
            raise ValueError(
                f"two kinds of record are called {kind.name!r}, or share a key, timers or a form: "
                f"{kind.name} and {other.name}\nMaybe give one of them names of its own."
            )
    _kinds.add(kind.form, kind)
    return kind


def temporary() -> AbstractContextManager[None]:
    """Kinds that are registered within the block are gone after it."""
    return _kinds.temporary()


@contextmanager
def with_kind(kind: Kind[R]) -> Iterator[Kind[R]]:
    """A kind for the length of a block."""
    with temporary():
        yield register(kind)


def kinds() -> tuple[Kind[Any], ...]:
    """All kinds."""
    return tuple(_kinds.all().values())


def kind_named(name: str) -> Kind[Any]:
    """The kind of that name. Raises KeyError."""
    for kind in _kinds.all().values():
        if kind.name == name:
            return kind
    raise KeyError(name)


def kind_of(record: Record) -> Kind[Any]:
    """The kind that a record is of. Raises KeyError for a form that no kind has registered."""
    return _kinds.of(type(record))


def beside(record: Record) -> str:
    """By which a record is found among those that a decision reads (`Context.related`)."""
    return kind_of(record).named_beside(record.id)
