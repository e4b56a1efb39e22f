"""One embedded server a test process, one fresh market a test."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator

import pytest
from redis.asyncio import Redis

from dispatcher.embedded import EmbeddedRedis
from dispatcher.keyfiles import PatientKeyFile
from dispatcher.store.connection import connect
from dispatcher.store.keys import Keys
from dispatcher.store.store import Store

RING = PatientKeyFile("dev", {"dev": bytes(range(32))})
_numbers = itertools.count()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedRedis]:
    """A durable server; tests must not stop it."""
    embedded = EmbeddedRedis(tmp_path_factory.mktemp("redis"))
    asyncio.run(embedded.start())
    yield embedded
    asyncio.run(embedded.stop(patience_s=0))


@pytest.fixture
def market() -> str:
    """A market no other test uses."""
    return f"m{next(_numbers)}"


@pytest.fixture
def keys(market: str) -> Keys:
    return Keys(market)


@pytest.fixture
async def store(server: EmbeddedRedis) -> AsyncIterator[Store]:
    async with Store(server.url, RING) as opened:
        yield opened


@pytest.fixture
async def raw(server: EmbeddedRedis) -> AsyncIterator[Redis]:
    """A plain client, to look behind the store."""
    client = connect(server.url)
    yield client
    await client.aclose()
