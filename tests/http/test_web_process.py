"""The web process as `serve` runs it: light, ready when Redis is durable, gone promptly when told."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from dispatcher.security.key_files import ensure_patient_keys, ensure_token_keys
from dispatcher.serve.embedded import EmbeddedRedis
from dispatcher.settings import Settings

IDLE_MB = 120
TIMEOUT_S = 30.0


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as bound:
        yield bound


@pytest.fixture
def web(
    redis_server: EmbeddedRedis, tmp_path: Path, listener: socket.socket
) -> Iterator[subprocess.Popen[bytes]]:
    settings = Settings(data_dir=tmp_path, redis_url=redis_server.url)
    ensure_token_keys(settings.token_keys_file)
    ensure_patient_keys(settings.patient_keys_file)
    words = [sys.executable, "-m", "dispatcher", "serve", "--role", "web"]
    process = subprocess.Popen(
        [*words, "--listener", str(listener.fileno())],
        env=os.environ | settings.environment(),
        pass_fds=(listener.fileno(),),
        stderr=(tmp_path / "log").open("wb"),
    )
    yield process
    process.kill()
    process.wait()


async def _get(listener: socket.socket, path: str) -> tuple[int, str]:
    """The answer, once there is one."""
    url = f"http://127.0.0.1:{listener.getsockname()[1]}{path}"
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return answer.status, await answer.text()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
async def test_the_idle_web_process_is_light_and_has_no_optimiser(
    web: subprocess.Popen[bytes], listener: socket.socket
) -> None:
    status, text = await _get(listener, "/readyz")
    assert status == 200
    assert '"durable":true' in text
    proc = Path(f"/proc/{web.pid}")
    assert "ortools" not in (proc / "maps").read_text()
    resident = next(line for line in (proc / "status").read_text().splitlines() if "VmRSS" in line)
    assert int(resident.split()[1]) / 1024 <= IDLE_MB


async def test_the_web_process_ends_promptly_when_told(
    web: subprocess.Popen[bytes], listener: socket.socket
) -> None:
    assert (await _get(listener, "/livez"))[0] == 200
    web.terminate()
    before = time.monotonic()
    assert web.wait(timeout=TIMEOUT_S) == 0
    assert time.monotonic() - before < TIMEOUT_S
