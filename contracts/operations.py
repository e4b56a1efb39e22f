"""What an HTTP operation promises, declared once: the server, OpenAPI and start-up checks follow from it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import msgspec

from contracts.codec import MEDIA_TYPES
from contracts.codes import Role

# Roles of an operation that needs no token. Leaving `roles` out is an error: nothing is open by oversight.
ANYONE: frozenset[Role] = frozenset()


class Answer(msgspec.Struct, frozen=True):
    """One successful answer: its body's type (None: no body), headers by name, and its form if not JSON."""

    summary: str = ""  # empty: the operation's own
    body: Any = None
    headers: Mapping[str, str] = {}
    media: str = ""  # empty: JSON or MessagePack, by Accept


class Body(msgspec.Struct, frozen=True):
    """The message that a call carries: a `form`, or a `batch` of them, which has the member `batch_member`.

    `media_types` maps each Content-Type that is taken to how it is read, `codec.JSON` or `codec.MSGPACK`; of
    those that are read alike, the documents name the first.

    `raw_bytes`: it is no message but so many bytes at most, of one of the media types; `smaller`: what fixes
    one that has more.
    """

    form: Any
    batch: Any = None
    batch_member: str = ""
    optional: bool = False  # it may be left out: its message has nothing but defaults
    media_types: Mapping[str, str] = msgspec.field(default_factory=lambda: MEDIA_TYPES)
    raw_bytes: int = 0
    smaller: str = "Maybe send it smaller, or with fewer pixels."

    @property
    def forms(self) -> tuple[Any, ...]:
        """Every type that it may be."""
        return (self.form,) if self.batch is None else (self.form, self.batch)

    @property
    def named_media_types(self) -> tuple[str, ...]:
        """The Content-Types that the documents name."""
        named: dict[str, str] = {}
        for media_type, coding in self.media_types.items():
            named.setdefault(coding, media_type)
        return tuple(named.values())

    def form_of(self, value: Any) -> Any:
        """The type that these plain values look like."""
        batch = self.batch is not None and isinstance(value, dict) and self.batch_member in value
        return self.batch if batch else self.form


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One method on one path; `query` is the type of what stands behind the question mark."""

    id: str
    method: str
    path: str
    parameters: Mapping[str, Any] = {}  # the type of each parameter in the path
    roles: frozenset[Role] | None = None
    tag: str
    summary: str
    answers: Mapping[int, Answer]
    body: Body | None = None
    query: type[msgspec.Struct] | None = None
    keyed: bool = False  # needs Idempotency-Key; every other POST may carry one
    versioned: bool = False  # a change of what is there needs If-Match
    conditional: bool = False  # takes If-Match: it has its effect on that version, or none
    stream: bool = False  # it lasts, and takes no place among the calls
    resumable: bool = False  # a stream that takes Last-Event-ID
    problems: tuple[str, ...] = ()  # problem types beyond those that follow from the above

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters in the path, in order."""
        return _names(self.path)

    @property
    def market(self) -> bool:
        """Whether it acts within one market."""
        return "market" in self.names

    def problem_types(self) -> tuple[str, ...]:
        """Every problem that it may answer, by its key in `contracts.problems.PROBLEM_TYPES`."""
        found = ["internal", "unavailable", *self.problems]
        if self.roles:
            found += ["unauthenticated", "forbidden", "too-many"]
        if self.names or self.query:
            found += ["invalid-parameter", "not-found"]
        if self.body:
            found += ["malformed-body", "invalid-message", "too-large", "too-slow", "unsupported-media-type"]
        elif self.method.upper() != "GET":  # one that comes all the same is refused
            found += ["invalid-message", "too-large", "too-slow"]
        if self.market:
            found += ["unreadable", "patient-key-missing"]
        if self.keyed:
            found += ["missing-header", "id-reused", "wrong-state"]
        if self.versioned:
            found += ["missing-precondition", "stale-version"]
        if self.conditional:
            found += ["stale-version"]
        if any(answer.body is not None and not answer.media for answer in self.answers.values()):
            found += ["not-acceptable"]
        return tuple(dict.fromkeys(found))


@cache
def _names(path: str) -> tuple[str, ...]:
    return tuple(part[1:-1] for part in path.split("/") if part.startswith("{"))
