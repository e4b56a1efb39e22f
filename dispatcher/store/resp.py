"""Commands as the server reads them, packed in C (in Python: half of a commit's time); its texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hiredis import pack_command


def pack(words: Sequence[Any]) -> bytes:
    """One command: an array of bulk strings (7 us for 52 words; 17 in Python, 60 by redis-py)."""
    return bytes(pack_command(tuple(words)))


def text_of(value: Any) -> str:
    """What the server said, as text: it comes as bytes, or as text where redis-py has decoded it."""
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
