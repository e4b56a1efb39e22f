"""One fresh market a test."""

import itertools
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from dispatcher.security.key_files import PatientKeyFile
from dispatcher.serve.embedded import EmbeddedRedis
from dispatcher.store.connection import connect
from dispatcher.store.keys import Keys
from dispatcher.store.store import Store

RING = PatientKeyFile("dev", {"dev": bytes(range(32))})
_numbers = itertools.count()


@pytest.fixture
def server(redis_server: EmbeddedRedis) -> EmbeddedRedis:
    """The worker's durable server; tests must not stop it."""
    return redis_server


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
