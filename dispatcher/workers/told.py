"""What a worker answers to a what-if: the answer, or why there is none."""

from __future__ import annotations

import msgspec


class Answered(msgspec.Struct, frozen=True):
    """One of both."""

    answer: bytes = b""
    refused: str = ""


def answered_bytes(answered: Answered) -> bytes:
    """As it is sealed."""
    return msgspec.msgpack.encode(answered)


def answered_of(packed: bytes) -> Answered:
    """Raises msgspec.DecodeError."""
    return msgspec.msgpack.decode(packed, type=Answered)
