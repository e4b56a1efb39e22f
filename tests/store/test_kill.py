"""kill -9 of the server while somebody waits for what comes. Kills amid writes: tests/chaos."""

import asyncio
from pathlib import Path

from dispatcher.serve.embedded import EmbeddedRedis
from dispatcher.store.keys import Keys
from dispatcher.store.store import Store
from tests.store.conftest import RING
from tests.store.made import received, trip


async def test_waiting_readers_go_on_after_the_server_came_back(tmp_path: Path) -> None:
    keys = Keys("metro")
    async with (
        EmbeddedRedis(tmp_path) as server,
        Store(server.url, RING) as store,
        store.tail(wait_s=5.0) as tail,
        store.market("metro").wake() as wake,
    ):
        reading = asyncio.create_task(tail.read({keys.events: "0"}))
        waiting = asyncio.create_task(wake.wait(5.0))
        await asyncio.sleep(0.05)
        await server.restart()
        assert (await reading, bool(await waiting)) == ([], False)
        waiting = asyncio.create_task(wake.wait(5.0))
        assert (await store.market("metro").commit([received("a")], requests=[trip("a")])).ok
        assert len(await tail.read({keys.events: "0"})) == 1
        assert await waiting
