"""A server that gives no snapshot: each way says what may fix it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from dispatcher.serve.embedded import EmbeddedRedis
from dispatcher.store.connection import Reader, connect
from dispatcher.store.snapshot import SnapshotError, snapshot

MARK = b"m" * 40


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (b"\n\n", "hung up before it had one"),  # as when its disk is full
        (b"-NOPERM this user has no permissions to run the 'sync' command\r\n", r"NOPERM.*Maybe .*\+sync"),
        (b"$5\r\nRED", "2 bytes before the end"),
        (b"$EOF:" + MARK + b"\r\nREDIS" + MARK[:-1], "before the end"),
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


async def test_a_server_that_cannot_write_it_to_its_own_disk_sends_it_from_memory(tmp_path: Path) -> None:
    async with EmbeddedRedis(tmp_path) as own:
        client = connect(own.url)
        reader = Reader(client)
        await reader.ask_all(
            [("SET", "a", b"x" * 1_000_000), ("CONFIG", "SET", "repl-diskless-sync-delay", 0)]
        )
        folder = Path((await reader.ask("CONFIG", "GET", "dir"))[1].decode())
        (folder / "dump.rdb").mkdir()  # where its file should be
        pieces = list[bytes]()
        size = await snapshot(own.url, pieces.append)
        await client.aclose()
    found = b"".join(pieces)
    assert (found[:5], len(found)) == (b"REDIS", size)
    assert found[-9] == 0xFF, "an RDB file ends so, and with its sum"
