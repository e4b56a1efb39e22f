"""All that a server holds at one moment, as it would send it to a new replica: no file of it need be reached.

The server forks, and writes it to its own disk before it sends it; what is committed meanwhile is not in it,
and nobody waits for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from redis.exceptions import RedisError

from dispatcher.runtime.errors import UserError
from dispatcher.store.connection import connect

READ_BYTES = 1 << 18
SILENCE_S = 60.0  # while it writes, a server says every second that it is there


class SnapshotError(UserError):
    """The server gives no snapshot."""


async def snapshot(url: str, write: Callable[[bytes], object]) -> int:
    """Have the server's data written as one RDB file, piece by piece; its bytes. Raises SnapshotError."""
    client = connect(url)
    line = client.connection_pool.make_connection()  # type: ignore[no-untyped-call]
    try:
        await line.connect()  # signs in, and by TLS where the URL says so
        await line.send_command("SYNC")
        reader: asyncio.StreamReader = line._reader  # what comes is no answer that a parser would know
        size = _size(await _first_line(reader))
        left = size
        while left:
            piece = await asyncio.wait_for(reader.read(min(READ_BYTES, left)), SILENCE_S)
            if not piece:
                raise SnapshotError(f"the store hung up {left:,} bytes before the end.", "Maybe try again.")
            write(piece)
            left -= len(piece)
        return size
    except (RedisError, OSError, TimeoutError) as error:
        raise SnapshotError(
            f"the store does not answer ({type(error).__name__}).",
            "Maybe it is not running, or its address is another: see --url and --data-dir.",
        ) from error
    finally:
        await line.disconnect()
        await client.aclose()


async def _first_line(reader: asyncio.StreamReader) -> bytes:
    """What the server says once it is ready; empty lines before that are signs of life."""
    while True:
        line = await asyncio.wait_for(reader.readline(), SILENCE_S)
        if line.strip() or not line:
            return line.strip()


def _size(line: bytes) -> int:
    if line.startswith(b"$") and line[1:].isdigit():
        return int(line[1:])
    if not line:
        raise SnapshotError(
            "the store began a snapshot, and hung up before it had one.",
            "Maybe its disk has no room, for it is written there first; the server's own log says why.",
        )
    told = line.removeprefix(b"-").decode(errors="replace")
    raise SnapshotError(
        f"the store gives no snapshot: {told}.",
        "Maybe its user lacks +sync, or it forbids replicas: name another user in --url, or copy its files.",
    )
