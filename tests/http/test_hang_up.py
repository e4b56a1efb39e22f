"""A caller that hangs up is no defect of ours: no error line, nothing counted as 500."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from dispatcher.store.requests import RequestPart
from tests.http.conftest import Api, trip
from tests.http.wire import post, wire

NONE = 'operation="submitRequests",status="500"'
GONE = 'dispatcher_http_calls_total{operation="submitRequests",status="499"} 1.0'


@pytest.fixture
def lines() -> Iterator[list[Any]]:
    with structlog.testing.capture_logs() as captured:
        yield captured


async def _metrics(api: Api, wanted: str) -> str:
    async with asyncio.timeout(20):
        while True:
            async with api.client.get("/metrics") as answer:
                if wanted in (text := await answer.text()):
                    return text
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("size", ["Content-Length: 1000", "Transfer-Encoding: chunked"])
async def test_who_hangs_up_in_the_middle_of_a_body_is_counted_as_gone(
    api: Api, size: str, lines: list[Any]
) -> None:
    async with wire(api) as line:
        line.send(*post(api, size), body=b'10\r\n{"kind": ')
        await line.writer.drain()
        async with asyncio.timeout(20):
            while not api.limit.taken:
                await asyncio.sleep(0.005)
    assert NONE not in await _metrics(api, GONE)
    assert api.limit.taken == 0
    assert [each for each in lines if each["log_level"] in ("error", "warning")] == []


async def test_who_hangs_up_as_its_call_is_begun_is_no_defect(api: Api) -> None:
    """A process that stood still finds both at once, of all who waited for it."""
    async with wire(api) as line:
        (ours,) = (each for each in api.client.server.runner.server.connections if each._task_handler)
        working = ours._task_handler
        await asyncio.sleep(0)
        ours.data_received("\r\n".join([*_get(api, "/livez"), "", ""]).encode())
        ours.connection_lost(None)
        await asyncio.wait([working])
        assert working.cancelled()
        line.writer.close()


async def test_chunks_that_are_none_are_a_400_and_no_defect(api: Api, lines: list[Any]) -> None:
    async with wire(api) as line:
        line.send(*post(api, "Transfer-Encoding: chunked"), body=b"zz\r\n{}\r\n0\r\n\r\n")
        told = await line.told()
    assert (told.status, told.problem) == (400, "malformed-call")
    async with wire(api) as line:
        line.send(*post(api, "Transfer-Encoding: chunked"), body=b"2\r\n{}")
        await line.writer.drain()
        async with asyncio.timeout(20):
            while not api.limit.taken:
                await asyncio.sleep(0.005)
        line.writer.write(b"rubbish\r\n")
        told = await line.told()
    assert (told.status, told.problem) == (400, "malformed-body")
    assert [each for each in lines if each["log_level"] == "error"] == []


def _get(api: Api, path: str) -> tuple[str, ...]:
    headers = {"Host": "x", **api.headers()}
    return (f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()))


@pytest.mark.parametrize("cancelling", [True, False])
@pytest.mark.parametrize("phase", ["headers", "at once", "handler", "answer", "stream"])
async def test_who_hangs_up_at_whatever_moment_is_no_error(
    api: Api,
    phase: str,
    lines: list[Any],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reached, going_on = asyncio.Event(), asyncio.Event()
    counts = RequestPart.page

    async def slow(self: RequestPart, *args: Any) -> Any:
        reached.set()
        await going_on.wait()
        return await counts(self, *args)

    monkeypatch.setattr(RequestPart, "page", slow)
    async with wire(api) as line:
        if phase == "headers":
            line.writer.write(b"GET /livez HTTP/1.1\r\nHo")
        elif phase == "at once":
            line.send(*_get(api, "/metrics"))
        elif phase == "handler":
            line.send(*_get(api, f"{api.base}/requests"))
            async with asyncio.timeout(20):
                await reached.wait()
        elif phase == "answer":
            line.send(*_get(api, "/openapi.json"))
            await line.reader.read(10)
        else:
            line.send(*_get(api, f"{api.base}/events"))
            await line.reader.readuntil(b"\n\n")
        await line.writer.drain()
    going_on.set()
    if phase == "stream":  # it is written to after its reader has gone
        await api.call("POST", "/requests", trip("r1"))
    async with asyncio.timeout(20):
        while api.limit.taken:
            await asyncio.sleep(0.005)
    assert 'status="500"' not in await _metrics(api, "dispatcher_http_calls")
    assert [each for each in lines if each["log_level"] in ("error", "warning", "critical")] == []
    assert [each for each in caplog.records if each.levelname in ("ERROR", "WARNING", "CRITICAL")] == []
