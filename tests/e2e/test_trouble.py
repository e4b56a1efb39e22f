"""`dispatcher serve` in trouble: it says what is wrong, stays up where that helps, and ends in order."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import aiohttp
import pytest

from contracts.codes import Role
from dispatcher.cli import main
from dispatcher.demo.service import stop
from dispatcher.security.key_files import ensure_patient_keys, ensure_token_keys
from dispatcher.serve.embedded import EmbeddedRedis
from dispatcher.serve.keeping import started
from dispatcher.serve.notice import Notice
from dispatcher.serve.processes import own_command, own_environment
from dispatcher.serve.supervisor import looked_at
from dispatcher.store.connection import connect
from tests.e2e.conftest import MARKET, descendants, kill, service, token
from tests.e2e.made import trip
from tests.e2e.test_serve import ended_in_order, platform_of

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")
TIMEOUT_S = 60.0


async def readyz(url: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session:
        try:
            async with session.get(f"{url}/readyz", timeout=aiohttp.ClientTimeout(total=5)) as answer:
                return answer.status, " ".join((await answer.json())["reasons"])
        except (aiohttp.ClientError, TimeoutError):
            return 0, ""


async def until_ready(url: str, status: int, said: str = "") -> str:
    found = (0, "")
    async with asyncio.timeout(TIMEOUT_S):
        while found[0] != status or said not in found[1]:
            found = await readyz(url)
            await asyncio.sleep(0.05)
    return found[1]


@LINUX
async def test_while_its_server_cannot_start_callers_hear_why_it_comes_back_and_ends_in_order_when_told(
    tmp_path: Path,
) -> None:
    manifest = tmp_path / "valkey" / "appendonlydir" / "appendonly.aof.manifest"
    async with service(tmp_path) as running, platform_of(running) as platform:
        await platform.submit(trip("t1"))
        good = manifest.read_bytes()
        manifest.write_text("this is no manifest\n")
        (server,) = [each for each in descendants(running.process.pid) if _is_server(each)]
        kill(server, signal.SIGKILL)
        said = await until_ready(running.url, 503, "status 1")
        assert "started again and again" in said
        assert "manifest" in said
        headers = {"Authorization": f"Bearer {token(running.settings, Role.PLATFORM)}"}
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.get(f"{running.url}/livez") as live,
        ):
            assert live.status == 200
        manifest.write_bytes(good)
        await until_ready(running.url, 200)
        assert (await platform.view("t1")).id == "t1"
        assert running.process.returncode is None
        # a signal which no shell has its children ignore; that each is heard: tests/runtime/test_signals.py
        await ended_in_order(running, signal.SIGUSR1)
    assert "child_ended" not in (tmp_path / "service.log").read_text()


def _is_server(pid: int) -> bool:
    return b"valkey-server" in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0]


@contextlib.asynccontextmanager
async def unready(folder: Path, *words: str, **settings: str) -> AsyncIterator[str]:
    """`serve` on a port of its own, whether it gets ready or not; where it answers."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        *own_command("serve", "--port", str(port), "--data-dir", str(folder), *words),
        env=own_environment() | {"DISPATCHER_MARKETS": f"{MARKET}=UTC"} | settings,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=(folder.parent / "log").open("ab"),
    )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        await stop(process)


async def test_a_store_that_lost_its_manifest_is_not_taken_for_a_new_one(tmp_path: Path) -> None:
    """What it is taken for once that is meant: tests/serve/test_keeping.py."""
    folder = tmp_path / "data"
    folder.mkdir()
    with contextlib.closing(Notice()) as notice:
        async with started(EmbeddedRedis(folder), notice):
            pass
    (folder / "valkey" / "appendonlydir" / "appendonly.aof.manifest").unlink()
    async with unready(folder) as url:
        said = await until_ready(url, 503, "is now empty")
        assert "restore the backup" in said
        assert list((folder / "valkey").glob("appendonlydir.lost-*"))


Ended = Callable[..., str]


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ended:
    """What `serve` says when it does not start at all: before any process is, so it may do so in this one."""
    monkeypatch.setattr("dispatcher.runtime.logs.configure", lambda *_, **__: None)  # it is the process's

    def end(folder: Path, **settings: str) -> str:
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        assert main(["serve", "--port", "0", "--data-dir", str(folder)]) == 1
        return capsys.readouterr().err

    return end


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("redis://127.0.0.1:notaport/0", "DISPATCHER_REDIS_URL"),
        ("redis://127.0.0.1:99999/0", "DISPATCHER_REDIS_URL"),
        ("redis://127.0.0.1:6379/metro", "its database is no number"),
        ("redis://127.0.0.1:6379/0?colour=red", "an option that is not known"),
        ("redis://user:hunter2@[::1/0", "DISPATCHER_REDIS_URL"),
        ("http://127.0.0.1", "DISPATCHER_REDIS_URL"),
    ],
)
def test_an_address_of_the_store_that_cannot_be_is_refused(
    tmp_path: Path, ended: Ended, url: str, said: str
) -> None:
    told = ended(tmp_path, DISPATCHER_REDIS_URL=url)
    assert said in told
    assert "hunter2" not in told


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "ModuleNotFoundError"),
        ("1/0", "ZeroDivisionError"),
        ("def broken(", "SyntaxError"),
        ("RULE = 5", "cannot be loaded"),
        ("import sys; sys.exit(3)", "SystemExit"),
    ],
)
def test_rules_that_cannot_be_loaded_are_refused(
    tmp_path: Path, ended: Ended, monkeypatch: pytest.MonkeyPatch, text: str | None, said: str
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "our_rules", raising=False)
    if text is not None:
        (tmp_path / "our_rules.py").write_text(text)
    told = ended(tmp_path, DISPATCHER_RULES="our_rules")
    assert "DISPATCHER_RULES=our_rules cannot be loaded" in told
    assert said in told


BOGUS = '{"keys": [{"kty": "bogus", "kid": "a", "alg": "HS256"}]}'


@pytest.mark.parametrize("name", ["token", "patient"])
@pytest.mark.parametrize("content", ["", "[]", BOGUS, b"\xff"])
def test_key_files_that_cannot_be_read_are_refused(
    tmp_path: Path, ended: Ended, name: str, content: str | bytes
) -> None:
    ensure_token_keys(tmp_path / "token-keys.json")
    ensure_patient_keys(tmp_path / "patient-keys.json")
    file = tmp_path / f"{name}-keys.json"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert "key" in ended(tmp_path)


@pytest.mark.parametrize("name", ["token", "patient"])
def test_a_folder_or_nothing_for_a_key_file_is_refused(tmp_path: Path, ended: Ended, name: str) -> None:
    for path in (tmp_path, tmp_path / "missing"):
        told = ended(tmp_path / "data", **{f"DISPATCHER_{name.upper()}_KEYS": str(path)})
        assert str(path) in told


def test_a_data_folder_that_is_a_file_or_that_nobody_may_make_is_refused(
    tmp_path: Path, ended: Ended
) -> None:
    file = tmp_path / "file"
    file.touch()
    for folder in (file, file / "below", Path("/proc/data")):
        told = ended(folder)
        assert f"the data folder {folder} cannot be used" in told
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "valkey").touch()
    assert "is no folder" in ended(tmp_path / "data")


async def test_a_store_of_somebody_s_own_that_was_emptied_stays_known_over_a_crash(
    tmp_path: Path,
) -> None:
    (tmp_path / "data").mkdir()
    async with EmbeddedRedis(tmp_path / "store") as server:
        async with unready(tmp_path / "data", DISPATCHER_REDIS_URL=server.url) as url:
            await until_ready(url, 200)
            client = connect(server.url)
            await client.flushall()
            await client.aclose()
            await until_ready(url, 503, "is now empty")
            for pid in descendants(os.getpid()):
                if b"web" in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0"):
                    kill(pid, signal.SIGKILL)
            await asyncio.sleep(0.5)
            await until_ready(url, 503, "is now empty")
        assert await looked_at(server.url, [MARKET])  # whoever starts anew takes it as it is
