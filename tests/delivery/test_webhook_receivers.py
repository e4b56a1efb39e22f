"""Receivers that fail in every way: none is waited for too long, and no address of ours is called."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from dispatcher.delivery.webhooks import caller, callers, sending
from dispatcher.delivery.webhooks.sending import Poster, Undelivered
from dispatcher.runtime.addresses import Networks
from tests.delivery.hooks import LOOPBACK, Hooks, ids, says, told
from tests.delivery.receivers import Receiver, certificate, webhook
from tests.service.world import World

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
BODY, HEADERS = b"{}", {"webhook-id": "msg_1"}


@pytest.fixture(autouse=True)
def in_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (caller, callers):
        monkeypatch.setattr(module, "LOOK_EVERY_S", 0.01)
    monkeypatch.setattr(caller, "FLUSH_EVERY_S", 0.01)


@contextlib.asynccontextmanager
async def listening(talk: Talk, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A server that talks so; its port."""
    talking = set[asyncio.Task[None]]()

    async def met(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        talking.add(task)
        try:
            await talk(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(met, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for each in talking:
            each.cancel()
        await asyncio.gather(*talking, return_exceptions=True)


async def closes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")


async def is_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


async def drips(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One byte of an answer now and then: no single wait is long."""
    for byte in b"HTTP/1.1 200 OK\r\n" * 1_000:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0.05)


async def babbles(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"I am no web server\r\n\r\n")
    await writer.drain()
    await asyncio.sleep(1)


@pytest.mark.parametrize("talk", [is_silent, drips])
async def test_nobody_is_waited_for_longer_than_the_limit(
    talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "LIMIT_S", 0.3)  # here alone: what does answer may take its time
    async with listening(talk) as port, posting(LOOPBACK) as poster:
        assert await refused(poster, f"http://127.0.0.1:{port}/told?token=canary") == "timeout"


@pytest.mark.parametrize(("talk", "code"), [(closes, "connection_broken"), (babbles, "no_http_answer")])
async def test_what_is_no_answer_is_a_word(talk: Talk, code: str) -> None:
    async with listening(talk) as port, posting(LOOPBACK) as poster:
        assert await refused(poster, f"http://127.0.0.1:{port}/told?token=canary") == code


@contextlib.asynccontextmanager
async def posting(networks: Networks | None, **more: Any) -> AsyncIterator[Poster]:
    poster = Poster(networks, **more)
    yield poster
    await poster.aclose()


async def refused(poster: Poster, url: str) -> str:
    with pytest.raises(Undelivered) as told:
        await poster.post(url, BODY, HEADERS)
    assert "canary" not in str(told.value)
    return told.value.code


async def test_a_huge_answer_is_not_read() -> None:
    sent = 0

    async def floods(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        for _ in range(1_000):
            writer.write(b"x" * 100_000)
            await writer.drain()
            sent += 100_000

    async with listening(floods) as port, posting(LOOPBACK) as poster:
        assert await poster.post(f"http://127.0.0.1:{port}/", BODY, HEADERS) == 200
    assert sent < 50_000_000


async def test_nobody_is_called_whose_certificate_is_not_trusted_or_anothers(tmp_path: Path) -> None:
    server, trusted = certificate(tmp_path)
    receiver, app = Receiver(), web.Application()
    app.router.add_post("/told", receiver.took)
    made = TestServer(app, host="127.0.0.1")
    await made.start_server(ssl=server)
    try:
        async with posting(LOOPBACK) as poster:
            assert await refused(poster, f"https://localhost:{made.port}/told") == "tls"
        async with posting(LOOPBACK, tls=trusted) as poster:
            assert await refused(poster, f"https://127.0.0.1:{made.port}/told") == "tls"
            assert receiver.calls == []
            assert await poster.post(f"https://localhost:{made.port}/told", BODY, HEADERS) == 204
    finally:
        await made.close()


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "localhost", "localhost.", "a.localhost", "10.1.2.3", "192.168.1.1", "172.16.0.1",
        "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255", "2130706433",
        "0x7f.0.0.1", "127.1", "017700000001", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[fe80::1]",
        "[fd00::1]", "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
    ],
)  # fmt: skip
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_no_address_of_ours_is_called(host: str, scheme: str) -> None:
    async with posting(Networks()) as poster:
        assert await refused(poster, f"{scheme}://{host}:1/") == "address_refused"


@pytest.mark.parametrize("answer", ["127.0.0.1", "::1", "10.0.0.7", "169.254.169.254"])
async def test_a_name_that_stands_for_an_address_of_ours_is_not_called(
    monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    receiver, asked = Receiver(), list[str]()

    def looked_up(host: str, port: int, **more: Any) -> list[Any]:
        asked.append(host)
        family = socket.AF_INET6 if ":" in answer else socket.AF_INET
        return [(family, socket.SOCK_STREAM, 6, "", (answer, port))]

    async with webhook(receiver) as url, posting(Networks()) as poster:
        monkeypatch.setattr(sending.socket, "getaddrinfo", looked_up)
        target = url.replace("127.0.0.1", "vendor.example").replace("http:", "https:")
        assert [await refused(poster, target) for _ in range(2)] == ["address_refused"] * 2
    assert (receiver.calls, len(asked)) == ([], 2)  # asked anew for each connection


async def test_a_name_is_looked_up_once_for_a_connection_and_that_address_is_called(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Who answers a harmless address first and 127.0.0.1 then is asked once."""
    answers = iter(["127.0.0.1", "10.0.0.1"])

    def looked_up(host: str, port: int, **more: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

    receiver = Receiver()
    async with webhook(receiver) as url, posting(LOOPBACK) as poster:
        monkeypatch.setattr(sending.socket, "getaddrinfo", looked_up)
        assert await poster.post(url.replace("127.0.0.1", "vendor.example"), BODY, HEADERS) == 204
    assert next(answers) == "10.0.0.1"


async def test_a_redirect_to_an_address_of_ours_is_not_followed() -> None:
    receiver = Receiver()
    receiver.answer = says(307, Location="/elsewhere")
    async with webhook(receiver) as url, posting(LOOPBACK) as poster:
        assert await refused(poster, url) == "http_307"
    assert receiver.elsewhere == 0


async def test_without_tls_only_what_a_setting_names_is_called() -> None:
    receiver = Receiver()
    async with webhook(receiver) as url, posting(Networks("10.0.0.0/8")) as poster:
        assert await refused(poster, url) == "address_refused"
        assert await refused(poster, url.replace("127.0.0.1", "localhost")) == "address_refused"
    assert receiver.calls == []


async def test_a_slow_receiver_delays_nobody_else(world: World) -> None:
    hooks, receiver = Hooks(world), Receiver()
    async with listening(is_silent) as port, webhook(receiver) as url:
        for _ in range(3):
            await hooks.made(f"http://127.0.0.1:{port}/")
        await hooks.made(url)
        async with hooks.sending():
            for number in range(5):
                await hooks.tell(*(f"r{n}" for n in range(8)))
                await hooks.until(lambda: len(receiver.calls) == 8 * (number + 1))  # noqa: B023
    assert len(set(ids(receiver))) == 40


async def test_no_more_than_a_few_calls_of_one_webhook_are_at_work(world: World) -> None:
    hooks, receiver, full = Hooks(world), Receiver(), asyncio.Event()
    now, most = 0, 0

    async def took(request: web.Request) -> web.Response:
        """The first ones are at work until there are as many as there may be: no clock has a say in it."""
        nonlocal now, most
        now, most = now + 1, max(most, now + 1)
        if most == caller.AT_ONCE:
            full.set()
        await full.wait()
        await asyncio.sleep(0.01)  # one more would come meanwhile
        now -= 1
        return await Receiver.took(receiver, request)

    receiver.took = took  # type: ignore[method-assign]
    async with webhook(receiver) as url:
        await hooks.made(url)
        async with hooks.sending():
            await hooks.tell(*(f"r{n}" for n in range(20)))
            await hooks.until(lambda: len(receiver.calls) == 20)
    assert most == caller.AT_ONCE


async def test_an_event_that_is_too_large_comes_without_its_data(world: World) -> None:
    hooks, receiver = Hooks(world), Receiver()
    async with webhook(receiver) as url:
        await hooks.made(url)
        async with hooks.sending():
            await hooks.tell("r1", code="x" * 70_000)
            await hooks.until(lambda: receiver.calls)
    ((_, body),) = receiver.calls
    assert len(body) < 1_000
    assert b'"datatoolarge":true' in body
    assert told(receiver) == [("r1", 0)]


@pytest.mark.parametrize(
    "url", ["https://[::1", "https://vendor.example:99999/", "https://", "x", "https://a b/"]
)
async def test_what_is_no_url_is_not_called(url: str) -> None:
    async with posting(Networks()) as poster, posting(None) as trusting:
        assert await refused(poster, url) == "address_refused"
        assert await refused(trusting, url)
