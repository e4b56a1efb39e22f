"""The event stream format (HTML standard, 9.2.6): bytes in, blocks out. No bytes break the reader."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import NamedTuple

import aiohttp

from client.errors import UnexpectedAnswer

BOM = b"\xef\xbb\xbf"
MOST_BYTES = 4_000_000  # of one event; the service's have some thousand


class Block(NamedTuple):
    """What stands between two empty lines: its `id` ("" if it has none) and its data (None likewise)."""

    position: str
    data: bytes | None


async def blocks(content: aiohttp.StreamReader, call: str) -> AsyncIterator[Block]:
    """Blocks as they end; one that is cut short is none. Raises UnexpectedAnswer for one without end."""
    position, data, size_bytes = "", list[bytes](), 0
    async for line in _lines(content, call):
        size_bytes += len(line)
        if size_bytes > MOST_BYTES:
            raise _endless(call)
        if not line:
            if position or data:
                yield Block(position, b"\n".join(data) if data else None)
            position, data, size_bytes = "", [], 0
            continue
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            data.append(value)
        elif name == b"id" and b"\0" not in value:
            position = value.decode("utf-8", "replace")


async def _lines(content: aiohttp.StreamReader, call: str) -> AsyncIterator[bytes]:
    """Lines without their ends, which are CR, LF or both; a mark at the very beginning is dropped."""
    rest, after_cr, first = b"", False, True
    async for chunk in content.iter_any():
        fresh = chunk[1:] if after_cr and chunk.startswith(b"\n") else chunk
        after_cr = fresh.endswith(b"\r")
        *whole, rest = _split(rest + fresh)
        if len(rest) > MOST_BYTES:
            raise _endless(call)
        for line in whole:
            yield line.removeprefix(BOM) if first else line
            first = False


def _split(text: bytes) -> list[bytes]:
    """Whole lines, and last what has no end yet."""
    lines = text.splitlines(keepends=True)
    rest = lines.pop() if lines and not lines[-1].endswith((b"\n", b"\r")) else b""
    return [line.rstrip(b"\r\n") for line in lines] + [rest]


def _endless(call: str) -> UnexpectedAnswer:
    return UnexpectedAnswer(call, 200, f"an event has more than {MOST_BYTES:,} bytes")
