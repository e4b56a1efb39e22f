"""A fresh market a test, on the worker's one durable server."""

from collections.abc import AsyncIterator
from itertools import count

import pytest

from dispatcher.delivery import hub
from dispatcher.security.key_files import PatientKeyFile
from dispatcher.serve.embedded import EmbeddedRedis
from dispatcher.store import reply_streams, vendors
from dispatcher.store.store import Store
from tests.service.world import World

RING = PatientKeyFile("dev", {"dev": bytes(range(32))})
_numbers = count()


@pytest.fixture(autouse=True)
def look_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is looked at every second or two is looked at at once: nobody waits for it here."""
    monkeypatch.setattr(hub, "LOOK_EVERY_S", 0.05)
    monkeypatch.setattr(hub, "WAIT_S", 0.05)
    monkeypatch.setattr(vendors, "LOOK_EVERY_S", 0.05)
    monkeypatch.setattr(reply_streams, "LOOK_EVERY_S", 0.05)
    monkeypatch.setattr(reply_streams, "CHECK_EVERY_S", 0.1)


@pytest.fixture
async def world(redis_server: EmbeddedRedis) -> AsyncIterator[World]:
    async with Store(redis_server.url, RING) as store:
        yield World(store, f"delivery{next(_numbers)}")
