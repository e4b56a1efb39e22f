"""The embedded server comes back by itself, whatever keeps it away, and meanwhile it is told why."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from dispatcher.serve import data_folder, embedded, keeping
from dispatcher.serve.data_folder import FolderError
from dispatcher.serve.embedded import EmbeddedError, EmbeddedRedis
from dispatcher.serve.keeping import keep, remembered, started
from dispatcher.serve.notice import Notice
from dispatcher.store.connection import connect
from dispatcher.store.identity import IDENTITY

TIMEOUT_S = 30.0
KEYS = 8_000


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "LONGEST_PAUSE_S", 0.3)


@pytest.fixture
def notice() -> Iterator[Notice]:
    with contextlib.closing(Notice()) as made:
        yield made


@contextlib.asynccontextmanager
async def kept(folder: Path, notice: Notice) -> AsyncIterator[EmbeddedRedis]:
    """A server that is looked after, as `serve` does it."""
    redis = EmbeddedRedis(folder)
    async with started(redis, notice) as starting:
        keeper = asyncio.create_task(keep(redis, notice, starting))
        try:
            yield redis
        finally:
            assert not keeper.done(), "nothing ends the keeper"
            keeper.cancel()
            await asyncio.gather(keeper, return_exceptions=True)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(TIMEOUT_S):
        while not condition():
            await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def connected(redis: EmbeddedRedis) -> AsyncIterator[Redis]:
    client = connect(redis.url)
    try:
        yield client
    finally:
        await client.aclose()


def failing(folder: Path, times: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on the server's program ends at once, so many times."""
    real, left, program = embedded.find_server(), folder / "left", folder / "server"
    left.write_text(str(times))
    program.write_text(
        f'#!/bin/bash\nn=$(cat {left})\nif [ "$n" -gt 0 ]; then echo $((n-1)) > {left}; exit 3; fi\n'
        f'exec {real} "$@"\n'
    )
    program.chmod(0o700)
    monkeypatch.setattr(embedded, "find_server", lambda: program)


async def test_a_program_that_ends_at_once_is_started_until_it_does_not(
    tmp_path: Path, notice: Notice, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with kept(tmp_path, notice) as redis, connected(redis) as client:
        await client.set("kept", "yes")
        failing(tmp_path, 3, monkeypatch)
        redis.kill()
        await until(lambda: "status 3" in notice.read())
        assert "started again and again" in notice.read()
        await until(lambda: not notice.read())
        assert await client.get("kept") == b"yes"


async def test_a_program_that_cannot_be_run_at_all_is_waited_for(
    tmp_path: Path, notice: Notice, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with kept(tmp_path, notice) as redis:
        real = embedded.find_server()
        monkeypatch.setattr(embedded, "find_server", lambda: tmp_path / "gone")
        redis.kill()
        await until(lambda: "No such file" in notice.read())
        monkeypatch.setattr(embedded, "find_server", lambda: real)
        await until(lambda: not notice.read())


async def test_whatever_keeps_it_from_being_started_is_waited_for(
    tmp_path: Path, notice: Notice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where memory is short a child that fails before it begins is no error of the system's."""

    def fails(*_: object) -> None:
        raise subprocess.SubprocessError("Exception occurred in preexec_fn.")

    async with kept(tmp_path, notice) as redis:
        with monkeypatch.context() as patched:
            patched.setattr(EmbeddedRedis, "_spawn", fails)
            redis.kill()
            await until(lambda: "SubprocessError" in notice.read())
        await until(lambda: not notice.read())


async def test_one_that_is_killed_while_it_loads_loads_again(
    tmp_path: Path, notice: Notice, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = {"key-load-delay": "100", "loading-process-events-interval-bytes": "1024"}
    monkeypatch.setattr(embedded, "DURABLE", embedded.DURABLE | slow)
    async with kept(tmp_path, notice) as redis, connected(redis) as client:
        await fill(client)
        first = redis.pid
        redis.kill()
        for _ in range(2):
            await until(lambda: bool(redis.loading))
            assert notice.read()
            pid = redis.pid
            assert pid != first
            os.kill(pid or 0, signal.SIGKILL)
            await until(lambda: not redis.loading)
        await until(lambda: not notice.read())
        assert await client.dbsize() == KEYS + 1, "and the store's name"


async def test_a_long_load_is_no_failure_and_the_service_goes_on_meanwhile(
    tmp_path: Path, notice: Notice, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with kept(tmp_path, notice) as redis, connected(redis) as client:
        await fill(client)
    slow = {"key-load-delay": "100", "loading-process-events-interval-bytes": "1024"}
    monkeypatch.setattr(embedded, "DURABLE", embedded.DURABLE | slow)
    redis = EmbeddedRedis(tmp_path, start_timeout_s=0.5)  # it loads for .8 s and more
    async with started(redis, notice) as starting:
        assert not starting.done()
        assert "loads its data" in notice.read()
        await starting
        assert redis.pid


async def fill(client: Redis) -> None:
    """Enough that loading takes .8 s; the server looks up at every 1,024th command."""
    pipeline = client.pipeline(transaction=False)
    for number in range(KEYS):
        pipeline.set(f"s{number}", "x" * 100)
    await pipeline.execute()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 12 MB, where one may be mounted."""
    place = tmp_path / "disk"
    place.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(place)]
    if subprocess.run(words, capture_output=True, check=False).returncode:
        pytest.skip("no disk may be mounted here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=False)


async def test_a_full_disk_ends_the_server_and_room_brings_it_back(small_disk: Path, notice: Notice) -> None:
    async with kept(small_disk, notice) as redis, connected(redis) as client:
        acknowledged = 0
        with contextlib.suppress(RedisError, OSError):
            for number in range(1_000):
                await client.set(f"k{number}", os.urandom(50_000))
                acknowledged += 1
        assert 50 < acknowledged < 1_000
        await until(lambda: "disk is full" in notice.read())
        keeper_waits = redis.pid
        assert keeper_waits is None
        subprocess.run(["mount", "-o", "remount,size=40m", str(small_disk)], check=True)
        await until(lambda: not notice.read())
        assert await client.exists(*(f"k{number}" for number in range(acknowledged))) == acknowledged
        assert await client.set("again", "yes")


async def test_a_disk_that_is_full_or_read_only_at_the_start_is_refused_in_words(
    small_disk: Path, notice: Notice
) -> None:
    with (small_disk / "filler").open("wb") as file, contextlib.suppress(OSError):
        file.write(bytes(12_000_000))
    with pytest.raises(FolderError, match=r"cannot be used: (its disk is full|No space)"):
        await EmbeddedRedis(small_disk).start()
    (small_disk / "filler").unlink()
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(FolderError, match="Read-only"):
        await EmbeddedRedis(small_disk).start()


async def test_a_first_start_that_fails_is_refused_in_words(
    tmp_path: Path, notice: Notice, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(tmp_path, 99, monkeypatch)
    with pytest.raises(EmbeddedError, match="status 3"):
        async with started(EmbeddedRedis(tmp_path), notice):
            pass


async def test_files_without_their_manifest_are_kept_and_the_empty_store_is_known_as_such(
    tmp_path: Path, notice: Notice
) -> None:
    async with kept(tmp_path, notice) as redis, connected(redis) as client:
        await client.set("kept", "yes")
        name = await client.get(IDENTITY)
        assert remembered(redis) == name.decode()
    files = redis.folder / "appendonlydir"
    before = {each.name: each.read_bytes() for each in files.iterdir()}
    (files / "appendonly.aof.manifest").unlink()
    async with kept(tmp_path, notice) as redis, connected(redis) as client:
        assert await client.dbsize() == 0
        assert remembered(redis) == name.decode()
        (aside,) = redis.folder.glob("appendonlydir.lost-*")
        kept_files = {each.name: each.read_bytes() for each in aside.iterdir()}
        assert kept_files == {key: value for key, value in before.items() if "manifest" not in key}
    (redis.folder / "identity").unlink()  # it is meant to be empty
    async with kept(tmp_path, notice) as redis:
        assert remembered(redis) not in ("", name.decode())


def test_a_full_disk_keeps_no_notice_from_being_told(notice: Notice) -> None:
    assert notice.read() == ""
    notice.write("x" * 5_000)
    assert len(notice.read()) == 2_000
    notice.write("the disk is full")
    assert Notice(notice.descriptor).read() == "the disk is full"
    assert not data_folder.is_full(Path("/nowhere"))
