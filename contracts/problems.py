"""The error tree and its form on the wire: RFC 9457 problem details, one stable `type` each.

Problem
├── Malformed             400  the bytes are no message: not JSON, cut short, NaN, duplicate keys, too deep
├── InvalidMessage        422  a message, but not as described: `errors` names each place
├── TooSlow               408  the body did not arrive in time
├── TooLarge              413  more bytes or values than the limit
├── UnsupportedMediaType  415  the body's Content-Type
├── NotAcceptable         406  the Accept header
├── MissingHeader         400  Idempotency-Key
├── MissingPrecondition   428  If-Match
├── Unauthenticated       401  no token, or one that does not hold
├── Forbidden             403  a token whose role or market does not allow this
├── TooMany               429  this caller holds more than its share
├── Overloaded            503  the service is full; nothing was stored
└── Internal              500  a defect; the log has it under the call id

What the service itself refuses (`dispatcher.domain.refusals`) has its types in `KINDS` as well. A detail has
one or two lines: what is wrong, with value and limit; and what may fix it. Never patient data.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, NamedTuple

import msgspec
from msgspec import Meta

PROBLEM_JSON = "application/problem+json"
PREFIX = "/problems/"
RESERVED = frozenset({"type", "title", "status", "detail", "instance", "call_id"})  # never a fact's name


class Kind(NamedTuple):
    """One row of docs/errors.md."""

    status: int
    title: str
    remedy: str


KINDS: dict[str, Kind] = {
    "malformed-call": Kind(400, "The bytes are no HTTP call", "Check Content-Length and the header lines."),
    "malformed-body": Kind(
        400,
        "The body cannot be read",
        "Check that it is complete, of its Content-Type, without NaN, repeated keys or half an emoji.",
    ),
    "missing-header": Kind(
        400,
        "A header is missing",
        "Send Idempotency-Key: any text of up to 128 characters, new for each new call.",
    ),
    "invalid-parameter": Kind(
        400, "A path or query parameter is not as described", "Compare it with /openapi.json."
    ),
    "unauthenticated": Kind(
        401,
        "No token, or one that does not hold",
        "Get a new token; `dispatcher token` mints one for development.",
    ),
    "forbidden": Kind(403, "The token does not allow this", "Use a token of another role or market."),
    "not-found": Kind(
        404,
        "Unknown, or not yours",
        "Check the id, the market and whose token it is: the answer is the same for all three.",
    ),
    "method-not-allowed": Kind(
        405, "The path does not take this method", "The Allow header lists those it takes."
    ),
    "not-acceptable": Kind(406, "No form of answer fits", "Accept application/json or application/msgpack."),
    "too-slow": Kind(
        408, "The body did not arrive in time", "Send it again under the same key, without pauses."
    ),
    "wrong-state": Kind(409, "The work has moved on", "Read the request or offer again and decide anew."),
    "over-booked": Kind(409, "Capacity is taken", "Post at least what is booked, or cancel work first."),
    "stale-version": Kind(
        412, "Another version is current", "Read it again, take its ETag, and send your change anew."
    ),
    "too-large": Kind(
        413,
        "The body is too large",
        "Send fewer requests at once: 1,000 requests and 2,000,000 bytes are the limits.",
    ),
    "unsupported-media-type": Kind(
        415, "The body's form is not understood", "Send application/json or application/msgpack."
    ),
    "invalid-message": Kind(
        422, "The message is not as described", "`errors` names each place; compare it with /openapi.json."
    ),
    "invalid-request": Kind(
        422, "Well-formed, but it cannot be meant", "The detail says which value breaks which limit."
    ),
    "id-reused": Kind(
        422,
        "The id or key was used before with another body",
        "Choose a new id or key, or send the same body.",
    ),
    "missing-precondition": Kind(
        428, "If-Match is missing", "It is there already: read it, and send its ETag in If-Match."
    ),
    "too-many": Kind(
        429, "You hold more than your share", "Wait for Retry-After, and send fewer calls at the same time."
    ),
    "internal": Kind(
        500,
        "A defect in the service",
        "Report the call_id; the command may be repeated under the same id or key.",
    ),
    "unavailable": Kind(
        503, "The service cannot answer now", "Repeat under the same id or key after Retry-After."
    ),
}


class FieldError(msgspec.Struct, frozen=True):
    """One place in a body: a JSON pointer (RFC 6901), and what is wrong there."""

    pointer: str
    detail: str


class ProblemDetails(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """RFC 9457. Further members say more about one type, such as the buckets that are over-booked."""

    type: Annotated[str, Meta(description="stable; a path of this service that explains it")]
    title: str
    status: Annotated[int, Meta(ge=400, le=599)]
    detail: Annotated[str, Meta(description="what is wrong; on a second line, what may fix it")] = ""
    call_id: Annotated[str, Meta(description="names the call in the log; also the header X-Request-Id")] = ""
    errors: tuple[FieldError, ...] = ()
    retry_after_s: float | None = None


class Problem(Exception):
    """A call that had no effect. `slug` is a key of KINDS; `facts` become extension members."""

    slug: ClassVar[str] = "internal"

    def __init__(self, detail: str, *, slug: str = "", **facts: Any) -> None:
        """Keep what goes on the wire; `slug` overrides the class's own."""
        super().__init__(detail)
        self.detail = detail
        self.kind = slug or type(self).slug
        self.facts = facts

    @property
    def status(self) -> int:
        """The HTTP status."""
        return KINDS[self.kind].status

    def members(self, call_id: str = "") -> dict[str, Any]:
        """The problem as plain values, ready to be encoded."""
        return members(self.kind, self.detail, self.facts, call_id)


class Malformed(Problem):
    """The bytes are no message."""

    slug = "malformed-body"


class InvalidMessage(Problem):
    """A message, but not as described."""

    slug = "invalid-message"

    @classmethod
    def at(cls, pointer: str, detail: str) -> InvalidMessage:
        """One place is wrong."""
        return cls(f"{pointer or 'the body'}: {detail}", errors=[FieldError(pointer, detail)])


class InvalidParameter(Problem):
    """A path or query parameter, or a header, is not as described."""

    slug = "invalid-parameter"


class TooLarge(Problem):
    """More bytes or values than the limit."""

    slug = "too-large"


class TooSlow(Problem):
    """The body did not arrive in time."""

    slug = "too-slow"


class UnsupportedMediaType(Problem):
    """The body's Content-Type is not understood."""

    slug = "unsupported-media-type"


class NotAcceptable(Problem):
    """No form of answer fits the Accept header."""

    slug = "not-acceptable"


class MissingHeader(Problem):
    """A command came without its Idempotency-Key."""

    slug = "missing-header"


class MissingPrecondition(Problem):
    """A change came without If-Match."""

    slug = "missing-precondition"


class Unauthenticated(Problem):
    """No token, or one that does not hold."""

    slug = "unauthenticated"


class Forbidden(Problem):
    """The token's role or market does not allow this."""

    slug = "forbidden"


class TooMany(Problem):
    """This caller holds more than its share."""

    slug = "too-many"


class Overloaded(Problem):
    """The service is full; nothing was stored."""

    slug = "unavailable"


class Internal(Problem):
    """A defect; the log has it under the call id."""

    slug = "internal"


def members(slug: str, detail: str, facts: dict[str, Any] | None = None, call_id: str = "") -> dict[str, Any]:
    """RFC 9457 members of one problem, as plain values; empty ones are left out."""
    kind = KINDS[slug]
    fixed = {"type": PREFIX + slug, "title": kind.title, "status": kind.status}
    said = {name: value for name, value in (("detail", detail), ("call_id", call_id)) if value}
    own = {name: value for name, value in (facts or {}).items() if name not in RESERVED}
    extension: dict[str, Any] = msgspec.to_builtins(own)
    return fixed | said | extension
