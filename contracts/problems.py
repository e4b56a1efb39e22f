"""The error tree and its form on the wire: RFC 9457 problem details, one stable `type` each.

Problem                   500  by itself: a defect; the log has it under the call id
├── Malformed             400  the bytes are no message: not JSON, cut short, NaN, duplicate keys, too deep
├── InvalidMessage        422  a message, but not as described: `errors` names each place
├── TooSlow               408  the body, or its header lines, did not arrive in time
├── TooLarge              413  more bytes or values than the limit
├── UnsupportedMediaType  415  the body's Content-Type
├── ExpectationFailed     417  the Expect header
├── NotAcceptable         406  the Accept header
├── MissingHeader         400  Idempotency-Key
├── MissingPrecondition   428  If-Match
├── Unauthenticated       401  no token, or one that does not hold
├── Forbidden             403  a token whose role or market does not allow this
├── TooMany               429  this caller holds more than its share
├── Overloaded            503  the service is full; nothing was stored
└── UnsupportedVersion    505  of HTTP

What the service itself refuses (`dispatcher.domain.refusals`) has its types in `PROBLEM_TYPES` as well. A
detail has one or two lines: what is wrong, with value and limit; and what may fix it. Never patient data.
"""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

import msgspec
from msgspec import Meta

PROBLEM_JSON = "application/problem+json"
PREFIX = "/problems/"
RESERVED = frozenset({"type", "title", "status", "detail", "instance", "call_id"})  # never a fact's name


class ProblemType(NamedTuple):
    """What stands behind one `type`; a row of docs/errors.md."""

    status: int
    title: str
    remedy: str


PROBLEM_TYPES: dict[str, ProblemType] = {
    "malformed-call": ProblemType(
        400, "The bytes are no HTTP call", "Check Content-Length and the header lines."
    ),
    "malformed-body": ProblemType(
        400,
        "The body cannot be read",
        "Check that it is complete, of its Content-Type, without NaN, repeated keys or half an emoji.",
    ),
    "missing-header": ProblemType(
        400,
        "A header is missing",
        "Send Idempotency-Key: any text of up to 128 characters, new for each new call.",
    ),
    "invalid-parameter": ProblemType(
        400, "A path or query parameter is not as described", "Compare it with /openapi.json."
    ),
    "unauthenticated": ProblemType(
        401,
        "No token, or one that does not hold",
        "Get a new token; for development, the command `token` of the service mints one.",
    ),
    "forbidden": ProblemType(403, "The token does not allow this", "Use a token of another role or market."),
    "not-found": ProblemType(
        404,
        "Unknown, or not yours",
        "Check the id, the market and whose token it is: the answer is the same for all three.",
    ),
    "method-not-allowed": ProblemType(
        405, "The path does not take this method", "The Allow header lists those it takes."
    ),
    "not-acceptable": ProblemType(
        406, "No form of answer fits", "Accept application/json or application/msgpack."
    ),
    "too-slow": ProblemType(
        408, "The call did not arrive in time", "Send it again under the same key, without pauses."
    ),
    "wrong-state": ProblemType(
        409, "The work has moved on", "Read the request or offer again and decide anew."
    ),
    "over-booked": ProblemType(
        409, "Capacity is taken", "Post at least what is booked, or cancel work first."
    ),
    "does-not-fit": ProblemType(
        409,
        "The vendor may not serve this request",
        "`rules` names what it breaks, `unmatched` the smallest changes that would fit; choose another.",
    ),
    "possible-duplicate": ProblemType(
        409,
        "The same may be asked for already",
        "Look at what `duplicate_of` names; if it is meant all the same, name that in `not_duplicate_of`.",
    ),
    "stale-version": ProblemType(
        412, "Another version is current", "Read it again, take its ETag, and send your change anew."
    ),
    "too-large": ProblemType(
        413,
        "The body is too large",
        "Send fewer requests at once (of a vendor, areas with fewer corners): "
        "1,000 and 2,000,000 bytes are the limits.",
    ),
    "unsupported-media-type": ProblemType(
        415, "The body's form is not understood", "Send application/json or application/msgpack."
    ),
    "expectation-failed": ProblemType(
        417, "What Expect asks for is not met here", "Leave the header out, or send 100-continue."
    ),
    "invalid-message": ProblemType(
        422, "The message is not as described", "`errors` names each place; compare it with /openapi.json."
    ),
    "invalid-request": ProblemType(
        422, "Well-formed, but it cannot be meant", "The detail says which value breaks which limit."
    ),
    "id-reused": ProblemType(
        422,
        "The id or key was used before with another body",
        "Choose a new id or key, or send the same body.",
    ),
    "missing-precondition": ProblemType(
        428, "If-Match is missing", "It is there already: read it, and send its ETag in If-Match."
    ),
    "too-many": ProblemType(
        429, "You hold more than your share", "Wait for Retry-After, and send fewer calls at the same time."
    ),
    "internal": ProblemType(
        500,
        "A defect in the service",
        "Report the call_id; the command may be repeated under the same id or key.",
    ),
    "unreadable": ProblemType(
        500,
        "What is stored cannot be read",
        "The call is not at fault: ops restores what is named; the command `audit` finds all like it.",
    ),
    "patient-key-missing": ProblemType(
        503,
        "A patient key is missing here",
        "Ask again after Retry-After: ops puts the key back that `key_id` names; the command `keys status`.",
    ),
    "unavailable": ProblemType(
        503, "The service cannot answer now", "Repeat under the same id or key after Retry-After."
    ),
    "unsupported-http-version": ProblemType(
        505, "That version of HTTP is not spoken here", "Send HTTP/1.1; HTTP/2 is for the proxy in front."
    ),
}


class FieldError(msgspec.Struct, frozen=True):
    """One place in a body: a JSON pointer (RFC 6901), and what is wrong there."""

    pointer: str
    detail: str


class ProblemDetails(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """RFC 9457. Further members say more about one type, such as the buckets that are over-booked."""

    type: Annotated[str, Meta(description="stable; a path of this service that says what it means")]
    title: str
    status: Annotated[int, Meta(ge=400, le=599)]
    detail: Annotated[str, Meta(description="what is wrong; on a second line, what may fix it")] = ""
    call_id: Annotated[str, Meta(description="names the call in the log; also the header X-Request-Id")] = ""
    errors: tuple[FieldError, ...] = ()
    retry_after_s: float | None = None


class Problem(Exception):
    """A call that had no effect. `type` is a key of PROBLEM_TYPES; `facts` become extension members."""

    type: str = "internal"

    def __init__(self, detail: str, *, type: str = "", **facts: Any) -> None:
        """Keep what goes on the wire; `type` overrides the class's own."""
        super().__init__(detail)
        self.detail, self.facts = detail, facts
        self.type = type or self.type

    @property
    def status(self) -> int:
        """The HTTP status."""
        return PROBLEM_TYPES[self.type].status

    def members(self, call_id: str = "") -> dict[str, Any]:
        """The problem as plain values, ready to be encoded."""
        return members(self.type, self.detail, self.facts, call_id)


class Malformed(Problem):
    """The bytes are no message."""

    type = "malformed-body"


class InvalidMessage(Problem):
    """A message, but not as described."""

    type = "invalid-message"

    @classmethod
    def at(cls, pointer: str, detail: str) -> InvalidMessage:
        """One place is wrong."""
        return cls(f"{pointer or 'the body'}: {detail}", errors=[FieldError(pointer, detail)])


class InvalidParameter(Problem):
    """A path or query parameter, or a header, is not as described."""

    type = "invalid-parameter"


class TooLarge(Problem):
    """More bytes or values than the limit."""

    type = "too-large"


class TooSlow(Problem):
    """The call did not arrive in time."""

    type = "too-slow"


class UnsupportedMediaType(Problem):
    """The body's Content-Type is not understood."""

    type = "unsupported-media-type"


class ExpectationFailed(Problem):
    """What the header Expect asks for is not met here."""

    type = "expectation-failed"


class UnsupportedVersion(Problem):
    """The request line names a version of HTTP that is not spoken here."""

    type = "unsupported-http-version"


class NotAcceptable(Problem):
    """No form of answer fits the Accept header."""

    type = "not-acceptable"


class MissingHeader(Problem):
    """A command came without its Idempotency-Key."""

    type = "missing-header"


class MissingPrecondition(Problem):
    """A change came without If-Match."""

    type = "missing-precondition"


class Unauthenticated(Problem):
    """No token, or one that does not hold."""

    type = "unauthenticated"


class Forbidden(Problem):
    """The token's role or market does not allow this."""

    type = "forbidden"


class TooMany(Problem):
    """This caller holds more than its share."""

    type = "too-many"


class Overloaded(Problem):
    """The service is full; nothing was stored."""

    type = "unavailable"


def members(type: str, detail: str, facts: dict[str, Any] | None = None, call_id: str = "") -> dict[str, Any]:
    """RFC 9457 members of one problem, as plain values; empty ones are left out."""
    meant = PROBLEM_TYPES[type]
    fixed = {"type": PREFIX + type, "title": meant.title, "status": meant.status}
    said = {name: value for name, value in (("detail", detail), ("call_id", call_id)) if value}
    own = {name: value for name, value in (facts or {}).items() if name not in RESERVED}
    extension: dict[str, Any] = msgspec.to_builtins(own)
    return fixed | said | extension
