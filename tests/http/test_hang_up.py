"""A caller that hangs up is no defect of ours: no error line, nothing counted as 500."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from tests.http.conftest import Api
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
