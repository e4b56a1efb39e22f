"""Whether an answer is the documented one: status, form, what it is about. Nothing else is success."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec

from client.errors import ClientError, PossibleDuplicate, Problem, UnexpectedAnswer

Form = TypeVar("Form")
Forms = Mapping[int, type[Form]]  #: by status
JSON, PROBLEM_JSON = "application/json", "application/problem+json"
MOST_BYTES = 64_000_000  # a page of 200 views has 2 MB
SHOWN_CHARS = 60
# what msgspec raises for bytes that are no message
UNREADABLE = (msgspec.MsgspecError, ValueError, RecursionError)


class Answered(NamedTuple, Generic[Form]):
    """A documented answer: its message, and the response's headers (`ETag`, `Location`)."""

    value: Form
    headers: Mapping[str, str]


class Received(NamedTuple):
    """A response as it came; `call` is method and path, for errors."""

    call: str
    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def media(self) -> str:
        """Content-Type without its parameters."""
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    def unexpected(self, wrong: str) -> UnexpectedAnswer:
        """The error that says in which way this is not the documented answer."""
        return UnexpectedAnswer(self.call, self.status, wrong)

    def refusal(self) -> ClientError:
        """What an answer of 400 or more means: a problem if it is one, else something between us."""
        body: Any = None
        if self.media in (JSON, PROBLEM_JSON):
            body = self._decoded(Any)
        if isinstance(body, dict) and isinstance(body.get("type"), str):
            form = PossibleDuplicate if body["type"] == PossibleDuplicate.TYPE else Problem
            return form(self.status, body)
        return self.unexpected(f"no problem document, but {self.kind}")

    def documented(self, form: type[Form] | Forms[Form], statuses: Collection[int]) -> Answered[Form]:
        """The message that was promised: one form, or one by status. Raises Problem or UnexpectedAnswer."""
        if self.status >= 400:
            raise self.refusal()
        if self.status not in statuses:
            promised = " or ".join(map(str, sorted(statuses)))
            raise self.unexpected(f"{promised} is promised; {self.kind} came")
        if self.media != JSON:
            raise self.unexpected(f"{JSON} is promised; {self.kind} came")
        return Answered(self._decoded(form if isinstance(form, type) else form[self.status]), self.headers)

    def bytes_in(self, *media: str) -> bytes:
        """The bytes, of one of these types. Raises Problem or UnexpectedAnswer."""
        if self.status >= 400:
            raise self.refusal()
        if self.status != 200 or self.media not in media:
            raise self.unexpected(f"{' or '.join(media)} is promised; {self.kind} came")
        return self.content

    def _decoded(self, form: type[Form]) -> Form:
        try:
            return msgspec.json.decode(self.content, type=form)
        except UNREADABLE:  # never its text: it may hold what was answered
            raise self.unexpected(f"its body of {len(self.content):,} bytes is no {_name(form)}") from None

    @property
    def kind(self) -> str:
        """The form that came, for errors."""
        return f"{self.media[:SHOWN_CHARS]!r}" if self.media else "no Content-Type"


def about(value: Form, told: str, asked: str, call: str) -> Form:
    """The message, which must be about what was asked for. Raises UnexpectedAnswer."""
    if told != asked:
        raise UnexpectedAnswer(call, 200, "it is about something else")
    return value


def _name(form: Any) -> str:
    return "JSON" if form is Any else str(getattr(form, "__name__", form))
