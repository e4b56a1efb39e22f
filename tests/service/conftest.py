"""A fresh market a test, on the worker's one durable server."""

from collections.abc import AsyncIterator
from itertools import count

import pytest

from dispatcher.security.key_files import PatientKeyFile
from dispatcher.serve.embedded import EmbeddedRedis
from dispatcher.store.store import Store
from tests.service.world import World

RING = PatientKeyFile("dev", {"dev": bytes(range(32))})
_numbers = count()


@pytest.fixture
async def world(redis_server: EmbeddedRedis) -> AsyncIterator[World]:
    async with Store(redis_server.url, RING) as store:
        yield World(store, f"service{next(_numbers)}")
