"""One connection that many ask at once: each hears its own answer, or that there is none."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as Disconnected
from redis.exceptions import ResponseError
from redis.exceptions import TimeoutError as TimedOut

from dispatcher.serve.embedded import EmbeddedRedis
from dispatcher.store.connection import Reader, connect
from dispatcher.store.keys import Keys
from dispatcher.store.pipe import Pipe
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
