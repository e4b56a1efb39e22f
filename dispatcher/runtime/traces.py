"""Traces: what one request went through, over all processes. Off unless a tracer is installed.

While it is off nothing is imported, a span is one that does nothing, and nothing is carried. A span has ids,
codes and figures: never a URL as it was asked, never a body, a name or a text of an error.
"""

from __future__ import annotations

import re
from contextlib import AbstractContextManager
from typing import Literal, Protocol

SIZE = 25  # bytes that are carried with a request: its trace, the span that it came in, whether it is sampled
Fact = str | int | float | bool
Kind = Literal["internal", "server", "consumer", "producer"]
_TEXT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_NOBODY, _NO_VERSION = (b"\0" * 16, b"\0" * 8), "ff"


class Span(Protocol):
    """A piece of work, while it lasts."""

    def note(self, **facts: Fact) -> None:
        """More that is known of it; `__` in a name stands for a dot."""

    def fail(self, why: str) -> None:
        """It went wrong; `why` is a code or the kind of an error, never its text."""


class Tracer(Protocol):
    """Who makes spans: `dispatcher.runtime.otel`."""

    def span(
        self, name: str, kind: Kind, parent: bytes, facts: dict[str, Fact]
    ) -> AbstractContextManager[Span]:
        """One that is current until it ends."""

    def carried(self) -> bytes:
        """The current span, SIZE bytes; b"" if there is none."""


class _Nothing(AbstractContextManager["_Nothing"]):
    """The span that is none."""

    def note(self, **facts: Fact) -> None:
        """Of nothing."""

    def fail(self, why: str) -> None:
        """Nothing did."""

    def __exit__(self, *error: object) -> None:
        return None


NOTHING = _Nothing()
_installed: Tracer | None = None


def install(tracer: Tracer | None) -> None:
    """Trace with it from now on, in this process; None: no more."""
    global _installed  # noqa: PLW0603 - as logs have it: every part tells, one place decides
    _installed = tracer


def on() -> bool:
    """Whether anybody wants to know."""
    return _installed is not None


def span(
    name: str, /, *, kind: Kind = "internal", parent: bytes = b"", **facts: Fact
) -> AbstractContextManager[Span]:
    """A span within the current one, or the first of a trace.

    `parent`: what was carried. Is it of another trace than the current span, the new one is its child and
    names the current one as a link: a vendor's call, or a batch, that is about many requests.
    """
    return NOTHING if _installed is None else _installed.span(name, kind, parent, facts)


def part(name: str, /, **facts: Fact) -> AbstractContextManager[Span]:
    """A span within the current one; nothing where there is none."""
    return (
        NOTHING
        if _installed is None or not _installed.carried()
        else _installed.span(name, "internal", b"", facts)
    )


def about(name: str, parent: bytes, /, **facts: Fact) -> AbstractContextManager[Span]:
    """A span of a request's own trace, or within the current one; nothing where there is neither."""
    if _installed is None or not (parent or _installed.carried()):
        return NOTHING
    return _installed.span(name, "internal", parent, facts)


def carried() -> bytes:
    """What a record or message carries of the current span; b"" while it is off."""
    return b"" if _installed is None else _installed.carried()


def read(traceparent: object) -> bytes:
    """What a caller's `traceparent` (W3C Trace Context) says, as it is carried; b"" for anything else."""
    found = _TEXT.fullmatch(traceparent) if isinstance(traceparent, str) else None
    if found is None or found[1] == _NO_VERSION or (found[1] == "00" and found[5]):
        return b""
    trace, within, flags = (bytes.fromhex(found[each]) for each in (2, 3, 4))
    return b"" if trace == _NOBODY[0] or within == _NOBODY[1] else trace + within + flags


def shown(carried: bytes) -> str:
    """What is carried, as a `traceparent`; "" for nothing, or for what is none."""
    if len(carried) != SIZE:
        return ""
    return f"00-{carried[:16].hex()}-{carried[16:24].hex()}-{carried[24:].hex()}"
