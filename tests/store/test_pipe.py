"""One connection that many ask at once: each hears its own answer, or that there is none."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as Disconnected
from redis.exceptions import NoScriptError, ResponseError
from redis.exceptions import TimeoutError as TimedOut

from dispatcher.domain.refusals import Unavailable
from dispatcher.serve.embedded import EmbeddedRedis
from dispatcher.store.commit_connection import CommitConnection
from dispatcher.store.connection import Reader, connect
from dispatcher.store.keys import Keys
from dispatcher.store.lineage import Lineage
from dispatcher.store.pipe import Listener, Pipe
from tests.delivery.receivers import certificate
from tests.proxy import Proxy


@pytest.fixture
async def client(server: EmbeddedRedis) -> AsyncIterator[Redis]:
    client = connect(server.url)
    yield client
    await client.aclose()


async def test_each_of_many_hears_its_own_answers_and_errors_stand_in_their_place(client: Redis) -> None:
    pipe = await Pipe.to(client)
    one, two, three = await asyncio.gather(
        pipe.ask([("ECHO", "a"), ("ECHO", 1)]),
        pipe.ask([("NO-SUCH", "b"), ("ECHO", b"\0")]),
        pipe.ask([("XINFO HELP",)]),  # two words in one
    )
    assert one == [b"a", b"1"]
    assert isinstance(two[0], ResponseError)
    assert two[1] == b"\0"
    assert isinstance(three[0], list)
    with pytest.raises(ResponseError):
        await pipe.ask_one("NO-SUCH")


async def test_who_leaves_does_not_take_the_others_answers_along(client: Redis) -> None:
    pipe = await Pipe.to(client)
    leaver, stayer = (asyncio.create_task(pipe.ask_one("ECHO", each)) for each in "ab")
    await asyncio.sleep(0)
    leaver.cancel()
    assert await stayer == b"b"
    assert await pipe.ask_one("ECHO", "c") == b"c"


class NoMemory:
    """A transport whose next words find no memory."""

    def __init__(self, transport: Any) -> None:
        self.transport, self.abort = transport, transport.abort

    def write(self, data: bytes) -> None:
        raise MemoryError


class Failing:
    """What opened the connection, and cannot take that it has ended."""

    def connection_lost(self, error: Exception | None) -> None:
        raise MemoryError


async def test_who_waits_is_told_that_the_connection_ended_whatever_else_fails_then(client: Redis) -> None:
    pipe = await Pipe.to(client)
    opener, pipe._opener = pipe._opener, Failing()
    asked = asyncio.create_task(pipe.ask_one("ECHO", "a"))
    await asyncio.sleep(0)
    with pytest.raises(MemoryError):
        pipe.connection_lost(None)
    pipe._opener = opener  # which hears of it once more, from the loop
    with pytest.raises(Disconnected):
        await asked


async def test_a_connection_that_finds_no_memory_for_its_pipe_is_let_go(client: Redis) -> None:
    class NoRoom(Pipe):
        def __init__(self, *_: Any) -> None:
            raise MemoryError

    pool: Any = client.connection_pool
    with pytest.raises(MemoryError):
        await NoRoom.to(client)
    assert not pool._in_use_connections
    assert not any(each.is_connected for each in pool._available_connections)
    assert await (await Pipe.to(client)).ask_one("ECHO", "a") == b"a"


async def test_where_words_find_no_memory_nobody_hears_anothers_answer(client: Redis) -> None:
    pipe = await Pipe.to(client)
    pipe._transport = NoMemory(pipe._transport)
    with pytest.raises(MemoryError):
        await pipe.ask_one("ECHO", "a")
    with pytest.raises(Disconnected):
        await pipe.ask_one("ECHO", "b")


async def test_where_the_words_of_a_turn_find_no_memory_all_who_asked_in_it_are_told(client: Redis) -> None:
    pipe, unseen = await Pipe.to(client), list[Any]()
    asyncio.get_running_loop().set_exception_handler(lambda _, context: unseen.append(context["exception"]))
    asked = [asyncio.create_task(pipe.ask_one("ECHO", each)) for each in "abc"]
    await asyncio.sleep(0)
    pipe._transport = NoMemory(pipe._transport)
    found = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(each) for each in found] == [Disconnected] * 3
    assert [type(each) for each in unseen] == [MemoryError]


async def test_a_listener_hears_what_is_published_beside_its_answers_and_that_the_server_ended(
    client: Redis, keys: Keys
) -> None:
    listener, pipe = await Listener.to(client), await Pipe.to(client)
    await listener.ask_one("SUBSCRIBE", keys.wake)
    await pipe.ask([("PUBLISH", keys.wake, each) for each in (b"a", b"", b"b")])
    assert await listener.ask_one("PING") == [b"pong", b""]
    assert await listener.said() == [b"a", b"", b"b"]
    waiting = asyncio.create_task(listener.said())
    await pipe.ask_one("PUBLISH", keys.wake, b"c")
    assert await waiting == [b"c"]
    waiting = asyncio.create_task(listener.said())
    await pipe.ask_one("CLIENT KILL", "TYPE", "pubsub")
    with pytest.raises(Disconnected):
        await waiting


async def test_an_answer_larger_than_a_read_is_whole(client: Redis, keys: Keys) -> None:
    pipe, large = await Pipe.to(client), bytes(3_000_000)
    assert await pipe.ask([("SET", keys.prefix + "large", large), ("GET", keys.prefix + "large")]) == [
        b"OK",
        large,
    ]
    await pipe.ask_one("DEL", keys.prefix + "large")


async def test_a_connection_that_ends_is_told_to_all_who_wait_and_the_next_who_asks_has_another(
    server: EmbeddedRedis,
) -> None:
    async with Proxy(server.socket) as between:
        client = connect(between.url)
        pipe, reader = await Pipe.to(client), Reader(client)
        assert await reader.ask("ECHO", "a") == b"a"
        waiting = [asyncio.create_task(pipe.ask_one("BLPOP", "x", 0)) for _ in range(2)]
        await asyncio.sleep(0)
        between.cut()
        told = await asyncio.gather(*waiting, return_exceptions=True)
        assert [type(each) for each in told] == [Disconnected] * 2
        with pytest.raises(Disconnected):
            await pipe.ask_one("ECHO", "a")
        assert await reader.ask("ECHO", "b") == b"b"
        await pipe.aclose()
        await pipe.aclose()  # twice is once
        assert await client.ping()
        await client.aclose()


async def test_a_server_that_owes_an_answer_for_too_long_is_silent_and_one_that_owes_none_is_not(
    server: EmbeddedRedis,
) -> None:
    client = connect(server.url, timeout_s=0.2)
    try:
        pipe = await Pipe.to(client)
        await pipe.ask_one("ECHO", "a")
        await asyncio.sleep(0.5)
        assert await pipe.ask_one("ECHO", "b") == b"b"
        with pytest.raises(TimedOut):
            await pipe.ask_one("BLPOP", "nothing", 0)
        assert pipe.is_closed
    finally:
        await client.aclose()


async def test_a_client_that_is_closed_closes_it(client: Redis) -> None:
    pipe = await Pipe.to(client)
    waiting = asyncio.create_task(pipe.ask_one("BLPOP", "x", 0))
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await client.aclose()
        with pytest.raises(Disconnected):
            await waiting


async def test_an_answer_that_nobody_asked_for_ends_it(client: Redis) -> None:
    pipe = await Pipe.to(client)
    pipe.data_received(b"+OK\r\n")
    with pytest.raises(Disconnected):
        await pipe.ask_one("ECHO", "a")


async def test_who_hears_answers_as_they_come_may_say_that_one_is_none_of_its_own(client: Redis) -> None:
    pipe, heard = await Pipe.to(client), list[bytes]()

    def hear(answer: bytes) -> None:
        heard.append(answer)
        if answer == b"b":
            raise Disconnected("that is no answer to this")

    assert await pipe.ask([("ECHO", "a")], hear) == [b"a"]
    with pytest.raises(Disconnected, match="no answer to this"):
        await pipe.ask([("ECHO", "a"), ("ECHO", "b"), ("ECHO", "c")], hear)
    assert heard == [b"a", b"a", b"b"]
    assert pipe.is_closed


async def test_a_silent_server_is_tried_once_for_all_who_ask_meanwhile() -> None:
    """One after another, each would wait for the time-outs of all before it: minutes where many ask."""
    met = list[asyncio.StreamWriter]()
    silent = await asyncio.start_server(lambda _, writer: met.append(writer), "127.0.0.1", 0)
    client = connect(f"redis://127.0.0.1:{silent.sockets[0].getsockname()[1]}", timeout_s=0.2)
    reader = Reader(client, timeout_s=0.0)
    first, *others = [asyncio.create_task(reader.ask("ECHO", each)) for each in "abcd"]
    await asyncio.sleep(0)
    first.cancel()  # who began it may leave
    told = await asyncio.gather(*others, return_exceptions=True)
    assert [type(each) for each in told] == [Unavailable] * 3
    assert len(met) == 1
    with pytest.raises(Unavailable):
        await reader.ask("ECHO", "e")
    assert len(met) == 2, "whoever comes later tries anew"
    await client.aclose()
    for each in met:
        each.close()
    silent.close()


async def test_a_connection_whose_server_does_not_say_who_it_is_is_let_go(client: Redis) -> None:
    class Refused(Lineage):
        async def meet(self, pipe: Pipe) -> None:
            raise ResponseError("NOPERM")

    reader, connection = Reader(client), CommitConnection(client, b"", Refused())
    await reader.ask("CLIENT SETNAME", "let-go")
    client.connection_pool.connection_kwargs["client_name"] = "refused"
    for _ in range(3):
        with pytest.raises(ResponseError, match="NOPERM"):
            await connection.exchange([])
    async with asyncio.timeout(5):  # the server hears a moment later that they are gone
        while any(each["name"] == "refused" for each in await reader.ask("CLIENT LIST")):
            await asyncio.sleep(0.01)


async def test_over_tls_it_is_the_same(server: EmbeddedRedis, tmp_path: Path) -> None:
    tls, _ = certificate(tmp_path)
    async with Proxy(server.socket, tls) as between:
        stranger = connect(between.url, timeout_s=60.0)  # a busy machine is slow to shake hands
        with pytest.raises(Unavailable, match="its certificate is not trusted: self-signed"):
            await Reader(stranger, 0.0).ask("PING")
        await stranger.aclose()
        client = connect(f"{between.url}?ssl_ca_certs={tmp_path / 'server.pem'}", timeout_s=60.0)
        pipe = await Pipe.to(client)
        large = bytes(300_000)
        assert await pipe.ask([("ECHO", large), ("ECHO", "b")]) == [large, b"b"]
        waiting = asyncio.create_task(pipe.ask_one("BLPOP", "x", 0))
        await asyncio.sleep(0)
        between.cut()
        with pytest.raises(Disconnected):
            await waiting
        await pipe.aclose()
        await client.aclose()


def test_redis_py_has_what_the_pipe_takes_over() -> None:
    """Private names: `pyproject.toml` lets no version in that nobody has looked at."""
    connection = connect("redis://localhost").connection_pool.make_connection()  # type: ignore[no-untyped-call]
    for name in ("_writer", "_parser", "socket_timeout"):
        assert hasattr(connection, name), f"store/pipe.py takes over {name}: see what stands for it now"
    assert isinstance(connection._parser.parse_error("NOSCRIPT No matching script"), NoScriptError)
