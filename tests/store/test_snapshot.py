"""A server that gives no snapshot: each way says what may fix it."""

from __future__ import annotations

import asyncio

import pytest

from dispatcher.store.snapshot import SnapshotError, snapshot


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (b"\n\n", "hung up before it had one"),  # as when its disk is full
        (b"-NOPERM this user has no permissions to run the 'sync' command\r\n", r"NOPERM.*Maybe .*\+sync"),
        (b"$5\r\nRED", "2 bytes before the end"),
    ],
)
async def test_a_snapshot_that_does_not_come_is_told_with_what_may_fix_it(answer: bytes, says: str) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard = b""
        while not heard.endswith(b"SYNC\r\n"):
            piece = await reader.read(1 << 16)
            heard += piece
            writer.write(b"" if heard.endswith(b"SYNC\r\n") else b"+OK\r\n" * piece.count(b"*"))
        writer.write(answer)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(SnapshotError) as refused:
            await snapshot(f"redis://127.0.0.1:{port}", bytes)
    assert refused.match(f"(?s){says}")
