"""Commands as the server reads them (RESP2): the client's own packing costs half of a commit's time."""

from __future__ import annotations

from collections.abc import Iterable


def pack(words: Iterable[str | bytes | int]) -> bytes:
    """One command: an array of bulk strings."""
    plain = [word if type(word) is bytes else str(word).encode() for word in words]
    return b"*%d\r\n" % len(plain) + b"".join([b"$%d\r\n%b\r\n" % (len(word), word) for word in plain])
