"""Where a listener goes on: behind the entry that it has, unless the stream no longer fits that entry.

A stream is trimmed in time, and a store that was restored is behind what was told before. Who comes back
with such a position is told that something is missing: it reads what it needs anew, and then goes on.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from contracts.events import GapReason
from dispatcher.store.events import place
from dispatcher.store.streams import START, Span, Streams


class Beginning(NamedTuple):
    """`after`: the entry behind which the feed begins; `gap`: why something before it may be missing."""

    after: str
    gap: GapReason | None = None


async def beginning(streams: Streams, stream: str, after: str | None) -> Beginning:
    """Where a feed begins for who has entry `after`; None: with what comes now. Raises Unavailable."""
    span = await streams.span(stream)
    if after is None:
        return Beginning(full(span.last))
    if place(after) > place(span.last):
        return Beginning(full(span.last), GapReason.AHEAD)
    return Beginning(full(after), GapReason.TRIMMED if _trimmed(span, after) else None)


async def fallen_back(streams: Streams, had: Mapping[str, str]) -> list[str]:
    """Of these streams of one market those that end before what somebody had of them: some of it is gone.

    What comes next may come under ids that were passed by. Raises Unavailable.
    """
    spans = await streams.spans(list(had))
    return [each for each, span in zip(had, spans, strict=True) if place(had[each]) > place(span.last)]


def full(entry_id: str) -> str:
    """An entry id with both of its numbers."""
    return "-".join(map(str, place(entry_id)))


def _trimmed(span: Span, after: str) -> bool:
    """Whether entries behind `after` may be gone: some were removed, and all that stand are behind it."""
    oldest = span.last if span.first == START else span.first
    return span.removed and place(after) < place(oldest)
