"""What an HTTP route promises, declared once: the server, OpenAPI and the start-up check are made from it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from contracts.base import Day, Id, OfferId
from contracts.codes import Role

# Roles of a route that needs no token. Leaving `roles` out is an error: nothing is open by oversight.
ANYONE: frozenset[Role] = frozenset()

PATH_TYPES: Mapping[str, Any] = {
    "market": Id,
    "request_id": Id,
    "vendor_id": Id,
    "offer_id": OfferId,
    "day": Day,
    "slug": Annotated[str, Meta(pattern="^[a-z-]{1,40}(?!\\n)$")],
}


class Answer(msgspec.Struct, frozen=True):
    """One successful answer: its body's type (None: no body), headers by name, and its form if not JSON."""

    summary: str
    body: Any = None
    headers: Mapping[str, str] = {}
    media: str = ""  # empty: JSON or MessagePack, by Accept


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One method on one path. `body` lists the types it takes, `query` a type of its parameters."""

    id: str
    method: str
    path: str
    roles: frozenset[Role] | None = None
    tag: str
    summary: str
    answers: Mapping[int, Answer]
    body: tuple[Any, ...] = ()
    query: type[msgspec.Struct] | None = None
    keyed: bool = False  # needs Idempotency-Key; every other POST may carry one
    versioned: bool = False  # a change of what is there needs If-Match
    optional: bool = False  # the body may be left out: its message has nothing but defaults
    resumable: bool = False  # takes Last-Event-ID
    problems: tuple[str, ...] = ()  # slugs beyond those that follow from the above

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters in the path, in order."""
        return _names(self.path)

    @property
    def market(self) -> bool:
        """Whether it acts within one market."""
        return "market" in self.names

    def slugs(self) -> tuple[str, ...]:
        """Every problem this operation may answer, by its slug in `contracts.problems.KINDS`."""
        found = ["internal", "unavailable", *self.problems]
        if self.roles:
            found += ["unauthenticated", "forbidden", "too-many"]
        if self.names or self.query:
            found += ["invalid-parameter", "not-found"]
        if self.body:
            found += ["malformed-body", "invalid-message", "too-large", "too-slow", "unsupported-media-type"]
        if self.keyed:
            found += ["missing-header", "id-reused"]
        if self.versioned:
            found += ["missing-precondition", "stale-version"]
        if any(answer.body is not None and not answer.media for answer in self.answers.values()):
            found += ["not-acceptable"]
        return tuple(dict.fromkeys(found))


@cache
def _names(path: str) -> tuple[str, ...]:
    return tuple(part[1:-1] for part in path.split("/") if part.startswith("{"))
