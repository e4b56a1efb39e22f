"""One fresh market a test."""

import itertools
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from dispatcher.security.key_files import PatientKeyFile
from dispatcher.serve.embedded import EmbeddedRedis
from dispatcher.store.connection import connect
from dispatcher.store.keys import Keys
from dispatcher.store.market import MarketStore
from dispatcher.store.store import Store
from dispatcher.store.streams import Streams

RING = PatientKeyFile("dev", {"dev": bytes(range(32))})
_numbers = itertools.count()


@pytest.fixture
def server(redis_server: EmbeddedRedis) -> EmbeddedRedis:
    """The worker's durable server; tests must not stop it."""
    return redis_server


@pytest.fixture
async def store(server: EmbeddedRedis) -> AsyncIterator[Store]:
    async with Store(server.url, RING) as opened:
        yield opened


@pytest.fixture
def market(store: Store) -> MarketStore:
    """A market no other test uses."""
    return store.market(f"m{next(_numbers)}")


@pytest.fixture
def streams(store: Store) -> Streams:
    return store.streams


@pytest.fixture
def keys(market: MarketStore) -> Keys:
    return market.keys


@pytest.fixture
async def raw(server: EmbeddedRedis) -> AsyncIterator[Redis]:
    """A plain client, to look behind the store."""
    client = connect(server.url)
    yield client
    await client.aclose()


async def everything(raw: Redis, keys: Keys) -> dict[bytes, bytes]:
    """All that is stored for the market, to compare before and after."""
    names = [name async for name in raw.scan_iter(match=f"{keys.prefix}*")]
    return {name: await raw.dump(name) for name in sorted(names)}
