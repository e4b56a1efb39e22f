"""A server that gives no snapshot: each way says what may fix it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from dispatcher.serve import data_folder
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


@pytest.mark.parametrize("rights", ["+sync +replconf", "+sync"])
async def test_a_snapshot_leaves_no_file_on_the_servers_disk(tmp_path: Path, rights: str) -> None:
    """Where the user may ask for it from memory; else it stays, as the documentation says."""
    async with EmbeddedRedis(tmp_path) as own:
        client = connect(own.url)
        user = ("ACL", "SETUSER", "copier", "on", ">secret", "-@all", "+ping", "+client|setinfo")
        await Reader(client).ask_all([("SET", "a", b"x" * 1_000_000), (*user, *rights.split())])
        pieces = list[bytes]()
        size = await snapshot(f"unix://copier:secret@{own.socket}", pieces.append)
        await client.aclose()
        assert (own.folder / "dump.rdb").exists() is ("+replconf" not in rights)
    found = b"".join(pieces)
    assert found.startswith((b"REDIS", b"VALKEY")) and len(found) == size
    assert found[-9] == 0xFF, "an RDB file ends so, and with its sum"


async def test_what_an_earlier_version_or_a_killed_server_left_is_removed_at_the_start(
    tmp_path: Path,
) -> None:
    for name in (names := ("dump.rdb", "temp-12.rdb", "temp-rewriteaof-bg-12.aof", "identity")):
        data_folder.make_private(tmp_path / "valkey")
        (tmp_path / "valkey" / name).write_bytes(b"REDIS")
    async with EmbeddedRedis(tmp_path) as own:
        assert [name for name in names if (own.folder / name).exists()] == ["identity"]
