"""Where a listener is: behind one entry of each stream that it follows.

As text `<id>`, or `<id>~<id>` in the order of the streams: the ids of two streams say nothing of each other,
not even by time, for each goes on from its own last one. A single id stands for all of them: positions were
so before there was a second stream.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from dispatcher.domain.refusals import Invalid

SEPARATOR = "~"
_ENTRY_ID = re.compile(r"[0-9]{1,20}(-[0-9]{1,20})?")


def parse(text: str, streams: Sequence[str]) -> dict[str, str]:
    """By stream, the entry that the listener has. Raises Invalid."""
    ids = text.split(SEPARATOR)
    if len(ids) not in (1, len(streams)) or not all(map(_ENTRY_ID.fullmatch, ids)):
        raise Invalid(
            "Last-Event-ID is no position of this feed\n"
            "Maybe send it back as it came, such as 1700000000000-0."
        )
    return dict(zip(streams, ids * len(streams) if len(ids) == 1 else ids, strict=True))


def is_shared(text: str) -> bool:
    """Whether one id stands for all streams: of most it is not one of their own."""
    return SEPARATOR not in text


def told(ids: Mapping[str, str]) -> str:
    """As text, in the order of the streams."""
    different = set(ids.values())
    return SEPARATOR.join(ids.values()) if len(different) > 1 else next(iter(different))
