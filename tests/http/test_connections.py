"""Connections: silent ones end, slow header lines are told, and the idle make room for the new."""

from __future__ import annotations

import asyncio
import socket
from contextlib import AsyncExitStack
from typing import Any

import pytest
from structlog.testing import capture_logs

from contracts.codes import Role
from dispatcher.http import answers
from dispatcher.http.answers import LONG_BYTES
from dispatcher.http.concurrency import Limits
from dispatcher.http.server import UNREAD_S, listen
from dispatcher.runtime import files
from tests.http.conftest import Api, trip
from tests.http.wire import TIMEOUT_S, wire

ALIVE = ("GET /livez HTTP/1.1", "Host: x")
SHORT, NEVER = 0.1, 3_600.0


@pytest.mark.parametrize("limits", [Limits(header_s=SHORT, idle_s=NEVER)])
async def test_a_connection_that_says_nothing_is_closed(api: Api) -> None:
    async with wire(api) as line:
        assert await line.ended()


@pytest.mark.parametrize("limits", [Limits(header_s=SHORT, idle_s=NEVER)])
@pytest.mark.parametrize("before", [False, True], ids=["the first call", "a later call"])
async def test_header_lines_that_do_not_end_are_told_and_cut_off(api: Api, before: bool) -> None:
    async with wire(api) as line:
        if before:
            line.send(*ALIVE)
            assert (await line.told()).status == 200
            await asyncio.sleep(2 * SHORT)  # idle, as it may be
        drip = asyncio.create_task(_drip(line.writer))
        told = await line.told()
        assert (told.status, told.problem) == (408, "too-slow")
        assert await line.ended()
        drip.cancel()


async def _drip(writer: asyncio.StreamWriter) -> None:
    writer.write(b"GET /livez HTTP/1.1\r\n")
    for number in range(10_000):
        writer.write(b"X-%d: y\r\n" % number)
        await asyncio.sleep(SHORT / 10)


@pytest.mark.parametrize("limits", [Limits(header_s=SHORT, idle_s=NEVER, keep_alive_s=SHORT)])
async def test_a_call_under_way_is_not_cut_off(api: Api) -> None:
    async with api.client.get(f"{api.base}/events", headers=api.headers(role=Role.OPS)) as answer:
        for _ in range(8):
            assert await answer.content.readline()


@pytest.mark.parametrize("limits", [Limits(header_s=NEVER, idle_s=SHORT)])
async def test_a_connection_between_calls_is_closed_after_a_while(api: Api) -> None:
    async with wire(api) as line:
        line.send(*ALIVE)
        assert (await line.told()).status == 200
        assert await line.ended()


@pytest.mark.parametrize("limits", [Limits(connections=3, header_s=NEVER, idle_s=NEVER)])
async def test_idle_connections_make_room_the_longest_idle_first(api: Api) -> None:
    async with AsyncExitStack() as stack:
        first, second, third = [await stack.enter_async_context(wire(api)) for _ in range(3)]
        for line in (second, third, first):
            line.send(*ALIVE)
            assert (await line.told()).status == 200
        fourth = await stack.enter_async_context(wire(api))
        assert await second.ended()
        for line in (third, first, fourth):
            line.send(*ALIVE)
            assert (await line.told()).status == 200


@pytest.mark.parametrize("limits", [Limits(connections=2)])
async def test_one_too_many_is_told_when_every_one_is_at_work(api: Api) -> None:
    headers = api.headers(role=Role.OPS)
    async with AsyncExitStack() as stack:
        for _ in range(2):
            answer = await stack.enter_async_context(api.client.get(f"{api.base}/events", headers=headers))
            assert answer.status == 200
        line = await stack.enter_async_context(wire(api))
        told = await line.told()
        assert (told.status, told.problem, told.headers["retry-after"]) == (503, "unavailable", "1")
        assert await line.ended()


@pytest.mark.parametrize("limits", [Limits(connections=2, header_s=NEVER, idle_s=NEVER)])
async def test_who_does_not_read_its_answers_makes_room(api: Api) -> None:
    with socket.create_connection((api.client.server.host, api.client.server.port)) as unread:
        call = "\r\n".join(("GET /openapi.json HTTP/1.1", "Host: x", "", ""))
        unread.sendall(call.encode() * 8)  # together more than the kernel takes
        async with wire(api) as second, asyncio.timeout(TIMEOUT_S):
            while not any(each.writing_paused for each in _connections(api)):
                await asyncio.sleep(0.005)
            held = [each.transport.get_write_buffer_size() for each in _connections(api)]
            assert max(held) < LONG_BYTES + 65_536, "of an answer that is six times as long"
            second.send(*(f"GET {api.base}/events HTTP/1.1", "Host: x", *_as_ops(api)))
            assert b"200 OK" in await second.reader.readline()
            async with wire(api) as third:
                third.send(*ALIVE)
                assert (await third.told()).status == 200


async def test_a_long_answer_is_the_same_in_parts(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    rides = [trip(f"r{number}") for number in range(20)]
    await api.call("POST", "/requests", {"requests": rides})
    whole = await _told(api)
    for long_bytes, part_bytes in ((100, 7), (100, 100)):
        monkeypatch.setattr(answers, "LONG_BYTES", long_bytes)
        monkeypatch.setattr(answers, "PART_BYTES", part_bytes)
        assert await _told(api) == whole


async def _told(api: Api) -> Any:
    async with api.client.get(f"{api.base}/requests", headers=api.headers()) as answer:
        headers = {name.lower(): value for name, value in answer.headers.items()}
        for each in ("date", "x-request-id"):
            del headers[each]
        return answer.status, headers, await answer.read()


def _connections(api: Api) -> list[Any]:
    return list(api.client.server.runner.server.connections)


def _as_ops(api: Api) -> list[str]:
    return [f"{name}: {value}" for name, value in api.headers(role=Role.OPS).items()]


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="the system has no such time")
async def test_who_takes_nothing_of_its_answer_is_hung_up_on_in_time(api: Api) -> None:
    with socket.create_server(("127.0.0.1", 0)) as bound:
        await listen(api.client.server.runner, bound)
        waits_ms = bound.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
    assert waits_ms == UNREAD_S * 1000


def test_the_limit_of_open_files_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = [(256, 4_096)]
    monkeypatch.setattr(files.resource, "getrlimit", lambda kind: limits[-1])
    monkeypatch.setattr(files.resource, "setrlimit", lambda kind, wanted: limits.append(wanted))
    assert files.raise_limit() == 4_096 - files.SPARE
    assert limits[-1] == (4_096, 4_096)
    assert files.raise_limit() == 4_096 - files.SPARE
    assert len(limits) == 2
    with capture_logs() as lines:
        assert files.most_connections(3_000) == 3_000
        assert not lines
        assert files.most_connections(5_000) == 4_096 - files.SPARE
    assert [(each["event"], each["connections"], each["wanted"]) for each in lines] == [
        ("few_connections", 4_096 - files.SPARE, 5_000)
    ]
