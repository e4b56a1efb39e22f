"""All that a server holds at one moment, as it would send it to a new replica: no file of it need be reached.

The server forks and sends it from memory: no file of it stays behind on its disk, where nobody forgets a
patient, and that may be full. What is committed meanwhile is not in it, and nobody waits for it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from redis.exceptions import NoPermissionError, RedisError

from dispatcher.runtime.errors import UserError
from dispatcher.store.connection import connect

READ_BYTES = 1 << 18
END = b"$EOF:"  # instead of a size: behind it what the server ends with
SILENCE_S = 60.0  # while it writes, a server says every second that it is there


class SnapshotError(UserError):
    """The server gives no snapshot."""


async def snapshot(url: str, write: Callable[[bytes], object]) -> int:
    """Have the server's data written as one RDB file, piece by piece; its bytes. Raises SnapshotError.

    First the server waits for other replicas (`repl-diskless-sync-delay`, 5 s where nothing else is set). One
    whose user lacks +replconf writes its own file first, `dump.rdb`, which stays until the next.
    """
    client = connect(url)
    line = client.connection_pool.make_connection()  # type: ignore[no-untyped-call]
    try:
        await line.connect()  # signs in, and by TLS where the URL says so
        with contextlib.suppress(NoPermissionError):
            await line.send_command("REPLCONF", "capa", "eof")
            await line.read_response()
        await line.send_command("SYNC")
        reader: asyncio.StreamReader = line._reader  # what comes is no answer that a parser would know
        first = await _first_line(reader)
        if first.startswith(END):
            return await _until(reader, first.removeprefix(END), write)
        return await _so_many(reader, _size(first), write)
    except (RedisError, OSError, TimeoutError) as error:
        raise SnapshotError(
            f"the store does not answer ({type(error).__name__}).",
            "Maybe it is not running, or its address is another: see --url and --data-dir.",
        ) from error
    finally:
        await line.disconnect()
        await client.aclose()


async def _so_many(reader: asyncio.StreamReader, size: int, write: Callable[[bytes], object]) -> int:
    left = size
    while left:
        piece = await _piece(reader, min(READ_BYTES, left), f"{left:,} bytes before the end")
        write(piece)
        left -= len(piece)
    return size


async def _until(reader: asyncio.StreamReader, mark: bytes, write: Callable[[bytes], object]) -> int:
    """What comes before the mark, which the server drew for this one."""
    size, held = 0, b""
    while (at := held.find(mark)) < 0:
        sure = held[: 1 - len(mark)]  # what is left may be the beginning of the mark
        write(sure)
        size, held = size + len(sure), held[len(sure) :]
        held += await _piece(reader, READ_BYTES, f"after {size:,} bytes, before the end")
    write(held[:at])
    return size + at


async def _piece(reader: asyncio.StreamReader, most: int, where: str) -> bytes:
    piece = await asyncio.wait_for(reader.read(most), SILENCE_S)
    if not piece:
        raise SnapshotError(f"the store hung up {where}.", "Maybe try again.")
    return piece


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
            "Maybe its user lacks +replconf and its disk has no room; the server's own log says why.",
        )
    told = line.removeprefix(b"-").decode(errors="replace")
    raise SnapshotError(
        f"the store gives no snapshot: {told}.",
        "Maybe its user lacks +sync, or it forbids replicas: name another user in --url, or copy its files.",
    )
