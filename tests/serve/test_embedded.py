"""The embedded server keeps what it acknowledged, serves one owner, and leaves nothing behind."""

import asyncio
import contextlib
import os
import signal
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as Disconnected

from dispatcher.serve import data_folder, embedded
from dispatcher.serve.data_folder import FolderError
from dispatcher.serve.embedded import EmbeddedError, EmbeddedRedis

OWNER = """
import asyncio, sys
from pathlib import Path
from redis.asyncio import Redis
from dispatcher.serve.embedded import EmbeddedRedis

async def main():
    async with EmbeddedRedis(Path(sys.argv[1])) as server:
        client = Redis.from_url(server.url)
        await client.set("written by", "the first owner")
        print(server.pid, flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""


@contextlib.asynccontextmanager
async def connected(server: EmbeddedRedis) -> AsyncIterator[Redis]:
    client = Redis.from_url(server.url, retry=Retry(NoBackoff(), 0), decode_responses=True)
    try:
        yield client
    finally:
        await client.aclose()


async def write_until_cut(client: Redis, writer: int, acknowledged: list[str]) -> None:
    with contextlib.suppress(Disconnected, OSError):
        for number in range(1_000_000):
            key = f"{writer}:{number}"
            await client.set(key, number)
            acknowledged.append(key)


async def test_a_killed_server_has_every_acknowledged_write(tmp_path: Path) -> None:
    async with EmbeddedRedis(tmp_path) as server:
        for _ in range(3):
            acknowledged: list[str] = []
            async with connected(server) as client:
                writers = [asyncio.create_task(write_until_cut(client, n, acknowledged)) for n in range(8)]
                while len(acknowledged) < 200:
                    await asyncio.sleep(0)
                server.kill()
                await asyncio.gather(*writers)
            await server.start()
            async with connected(server) as client:
                assert await client.exists(*acknowledged) == len(acknowledged)


async def test_it_is_durable_evicts_nothing_and_opens_no_port(tmp_path: Path) -> None:
    async with EmbeddedRedis(tmp_path) as server, connected(server) as client:
        settings = await client.config_get("*")
        assert settings["appendonly"] == "yes"
        assert settings["appendfsync"] == "always"
        assert settings["maxmemory-policy"] == "noeviction"
        assert settings["port"] == "0"
        assert settings["save"] == ""


async def test_data_outlives_a_stop_and_a_start(tmp_path: Path) -> None:
    async with EmbeddedRedis(tmp_path) as server, connected(server) as client:
        await client.set("kept", "yes")
    async with EmbeddedRedis(tmp_path) as server, connected(server) as client:
        assert await client.get("kept") == "yes"


async def test_a_second_server_on_the_same_folder_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_folder, "LOCK_TIMEOUT_S", 0.1)
    async with EmbeddedRedis(tmp_path) as first, connected(first) as client:
        second = EmbeddedRedis(tmp_path)
        with pytest.raises(FolderError, match="in use") as refused:
            await second.start()
        await second.stop()  # as whoever was refused ends in order
        assert str(tmp_path) in refused.value.message
        assert str(os.getpid()) in refused.value.message
        assert "another data folder" in refused.value.remedy
        assert await client.ping()
        async with connected(first) as another:
            assert await another.ping(), "its socket is still there"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
async def test_the_server_dies_with_its_killed_parent_and_the_folder_is_free(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", OWNER, str(tmp_path)], stdout=subprocess.PIPE) as owner:
        assert owner.stdout is not None
        orphan = int(await asyncio.to_thread(owner.stdout.readline))
        owner.send_signal(signal.SIGKILL)
    async with EmbeddedRedis(tmp_path) as server, connected(server) as client:
        assert server.pid != orphan
        assert await client.get("written by") == "the first owner"


async def test_stopping_leaves_no_process_and_no_socket(tmp_path: Path) -> None:
    server = EmbeddedRedis(tmp_path)
    await server.start()
    pid = server.pid
    assert pid is not None
    await server.stop()
    assert server.pid is None
    assert not server.socket.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    await server.stop()  # again: no harm


async def test_a_deep_folder_gets_a_short_private_socket_that_goes_away(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["a-rather-long-folder-name"] * 6)
    async with EmbeddedRedis(deep) as server, connected(server) as client:
        assert len(os.fsencode(server.socket)) <= data_folder.SOCKET_PATH_LIMIT_BYTES
        assert stat.S_IMODE(server.socket.parent.stat().st_mode) == 0o700
        await client.set("here", 1)
    assert not server.socket.parent.exists()


async def test_only_the_owner_may_look_into_the_folder(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    async with EmbeddedRedis(tmp_path) as server:
        assert stat.S_IMODE(server.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755, "a folder that was there before is left as it was"


async def test_a_server_that_cannot_start_says_what_its_log_says(tmp_path: Path) -> None:
    broken = tmp_path / "valkey" / "appendonlydir"
    broken.mkdir(parents=True)
    (broken / "appendonly.aof.manifest").write_text("this is no manifest\n")
    with pytest.raises(EmbeddedError, match="ended with status 1") as refused:
        await EmbeddedRedis(tmp_path).start()
    assert "manifest" in refused.value.remedy
    with pytest.raises(EmbeddedError, match="ended with status 1"):  # and the folder is not left locked
        await EmbeddedRedis(tmp_path).start()


async def test_the_watcher_hears_that_the_server_died(tmp_path: Path) -> None:
    async with EmbeddedRedis(tmp_path) as server:
        watcher = asyncio.create_task(server.watch())
        await asyncio.sleep(0)
        server.kill()
        assert await watcher == -signal.SIGKILL


def test_the_log_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_folder, "LOG_LIMIT_BYTES", 10)
    log = tmp_path / "valkey.log"
    data_folder.bound_log(log)
    log.write_text("short")
    data_folder.bound_log(log)
    assert log.read_text() == "short"
    log.write_text("longer than ten bytes")
    data_folder.bound_log(log)
    assert not log.exists()
    assert (tmp_path / "valkey.log.1").exists()


def test_without_any_server_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(EmbeddedError) as missing:
        embedded.find_server()
    assert "DISPATCHER_REDIS_URL" in missing.value.remedy
