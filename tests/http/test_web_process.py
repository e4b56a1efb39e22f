"""The web process as `serve` runs it: light, ready when Redis is durable, gone promptly when told."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from contracts.codes import RequestState
from dispatcher.domain.request_kind import REQUEST_KIND, index_of
from dispatcher.security.key_files import PatientKeyFile, ensure_token_keys, write_patient_keys
from dispatcher.serve.embedded import EmbeddedRedis
from dispatcher.settings import Markets, Settings
from dispatcher.store.keys import Keys
from dispatcher.store.store import Store

IDLE_MB = 120
LIMIT_S = 200.0  # for what must come, on a machine that has much else to do: nothing here is judged by it
MARKETS = "webwell=UTC,webill=UTC"
RING = PatientKeyFile("dev", {"dev": bytes(range(32))})
pytestmark = pytest.mark.timeout(4 * LIMIT_S)


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as bound:
        yield bound


@pytest.fixture
def web(
    redis_server: EmbeddedRedis, tmp_path: Path, listener: socket.socket
) -> Iterator[subprocess.Popen[bytes]]:
    yield from _started(redis_server, tmp_path, "web", "--listener", str(listener.fileno()))


@pytest.fixture
def matcher(redis_server: EmbeddedRedis, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    yield from _started(redis_server, tmp_path, "matcher")


def _started(
    redis_server: EmbeddedRedis, folder: Path, role: str, *words: str
) -> Iterator[subprocess.Popen[bytes]]:
    settings = Settings(data_dir=folder, redis_url=redis_server.url, markets=Markets.parse(MARKETS))
    ensure_token_keys(settings.token_keys_file)
    if not settings.patient_keys_file.exists():  # all that use this server's markets have the same keys
        write_patient_keys(settings.patient_keys_file, RING)
    process = subprocess.Popen(
        [sys.executable, "-m", "dispatcher", "serve", "--role", role, *words],
        env=os.environ | settings.environment(),
        pass_fds=[int(each) for each in words[1:]],
        stderr=(folder / f"{role}.log").open("wb"),
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
async def test_the_idle_web_process_is_light_has_no_optimiser_and_ends_in_order_when_told(
    web: subprocess.Popen[bytes], listener: socket.socket
) -> None:
    status, text = await _get(listener, "/readyz")
    assert status == 200
    assert '"durable":true' in text
    proc = Path(f"/proc/{web.pid}")
    assert "ortools" not in (proc / "maps").read_text()
    resident = next(line for line in (proc / "status").read_text().splitlines() if "VmRSS" in line)
    assert int(resident.split()[1]) / 1024 <= IDLE_MB
    assert (await _get(listener, "/livez"))[0] == 200
    status, told = await _get(listener, "/v1/markets/webwell/fhir/metadata")
    assert (status, json.loads(told)["resourceType"]) == (401, "OperationOutcome")
    web.terminate()
    assert web.wait(timeout=LIMIT_S) == 0


async def test_one_markets_trouble_ends_no_process_and_is_told_by_readyz_and_metrics(
    redis_server: EmbeddedRedis,
    web: subprocess.Popen[bytes],
    matcher: subprocess.Popen[bytes],
    listener: socket.socket,
) -> None:
    async with Store(redis_server.url, RING) as store:
        ill, well = Keys("webill"), store.market("webwell")
        own = [ill.formats, ill.exhausted, ill.list(index_of(RequestState.RECEIVED))]
        for name in (ill.shared_replies, ill.list(REQUEST_KIND.timers)):
            await store.reader.ask("DEL", name)
            await store.reader.ask("SET", name, "of a wrong type")
        try:
            async with asyncio.timeout(LIMIT_S):
                while set((await _troubles(listener)).get("webill", {})) != {"timers", "reply_streams"}:
                    await asyncio.sleep(0.1)
            await store.reader.ask("XADD", well.keys.shared_replies, "*", "ce", b"\xc1")
            async with asyncio.timeout(LIMIT_S):
                while not await well.dead_letters.get_all():
                    await asyncio.sleep(0.1)
            for name in own:
                await store.reader.ask("DEL", name)
                await store.reader.ask("SET", name, "of a wrong type")
            assert (await _get(listener, "/metrics"))[0] == 200
            async with asyncio.timeout(LIMIT_S):
                while "formats" not in (await _troubles(listener))["webill"]:
                    await asyncio.sleep(0.1)
            assert (await _get(listener, "/readyz"))[0] == 200
            assert set(await _troubles(listener)) == {"webill"}
            page = (await _get(listener, "/metrics"))[1]
            assert 'dispatcher_loop_failures_total{loop="timers",market="webill"}' in page
            assert 'dispatcher_unreadable_total{kind="reply stream",market="webill"}' in page
            assert 'dispatcher_unreadable_total{kind="reply",market="webwell"} 1.0' in page
            assert (web.poll(), matcher.poll()) == (None, None)
        finally:
            await store.reader.ask("DEL", ill.shared_replies, ill.list(REQUEST_KIND.timers), *own)


async def _troubles(listener: socket.socket) -> dict[str, dict[str, str]]:
    """What `/readyz` says of the markets."""
    found: dict[str, dict[str, str]] = json.loads((await _get(listener, "/readyz"))[1]).get("markets", {})
    return found
