"""Commands as the server reads them, packed in C: packing in Python costs half of a commit's time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hiredis import pack_command


def pack(words: Sequence[Any]) -> bytes:
    """One command: an array of bulk strings (7 us for 52 words; 17 in Python, 60 by redis-py)."""
    return bytes(pack_command(tuple(words)))
