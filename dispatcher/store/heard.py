"""What a stream tells: which events, of what and until when; and whether its beginning was trimmed away."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec
from redis.exceptions import ResponseError

from contracts.instants import to_ms
from dispatcher.store import events
from dispatcher.store.aside import READ_ERRORS
from dispatcher.store.connection import Reader
from dispatcher.store.streams import START, Streams

COUNT = 1_000


class Heard(msgspec.Struct, kw_only=True):
    """One stream, read from its first entry to its last. Times in ms, by the service's clock."""

    ids: Counter[str] = msgspec.field(default_factory=Counter)  # event id → how often
    last_ms: dict[str, int] = {}  # subject → when it was last told of
    since_ms: int | None = None  # None: nothing is missing at its beginning; else what it goes back to
    odd: list[str] = []  # ids of entries that are no events

    def lacks(self, subject: str, at_ms: int) -> bool:
        """Whether it should tell of the subject at or after `at_ms`, and does not."""
        trimmed = self.since_ms is not None and at_ms <= self.since_ms
        return not trimmed and self.last_ms.get(subject, -1) < at_ms


async def heard(reader: Reader, stream: str) -> Heard | str:
    """All that the stream tells; or why it cannot be read."""
    try:
        return await _read(reader, stream)
    except ResponseError as error:
        return f"is no stream ({str(error).partition(' ')[0]})"


async def _read(reader: Reader, stream: str) -> Heard:
    found, after, first_ms = Heard(), "-", None
    while entries := await reader.ask("XRANGE", stream, after, "+", "COUNT", COUNT):
        for name, fields in entries:
            after = f"({name.decode()}"
            at_ms = _note(found, name.decode(), fields)
            first_ms = at_ms if first_ms is None else first_ms
    span = await Streams(reader).span(stream)
    if span.removed or (span.first == START and span.last != START):
        found.since_ms = first_ms if first_ms is not None else 2**62
    return found


def _note(found: Heard, entry_id: str, fields: dict[bytes, bytes] | Any) -> int | None:
    """Take an entry into account; when it happened, if it says so."""
    try:
        event = events.unpack_event((fields or {}).get(events.FIELD.encode(), b""))
    except READ_ERRORS:
        found.odd.append(entry_id)
        return None
    at_ms = to_ms(event.time) if event.time else 0
    found.ids[event.id] += 1
    found.last_ms[event.subject] = max(at_ms, found.last_ms.get(event.subject, 0))
    return at_ms
