"""kill -9 of the server while writers are at work: nothing acknowledged is lost, nothing is there twice."""

import asyncio
import random
from pathlib import Path

import pytest

from dispatcher.audit.auditor import audit
from dispatcher.serve.embedded import EmbeddedRedis
from dispatcher.store.keys import Keys
from dispatcher.store.store import Store
from tests.store.conftest import RING
from tests.store.made import DAY, pools, received, trip
from tests.store.work import Writers


async def test_a_killed_server_loses_nothing_acknowledged_and_repeats_nothing(
    tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    chance = random.Random(11)
    async with EmbeddedRedis(tmp_path) as server, Store(server.url, RING) as store:
        for number in range(pytestconfig.getoption("rounds")):
            market = store.market(f"kill{number}")
            await market.capacity.put("v1", DAY, pools(4))
            writers = Writers(market, seed=number)
            work = asyncio.create_task(writers.run(16, "w"))
            enough = chance.randint(1, 100)
            while len(writers.acknowledged) < enough:
                await asyncio.sleep(0)
            await server.restart()
            writers.stopping = True
            await work
            report = await audit(store.reader, market.name, writers.acknowledged, streams=True)
            assert report["findings"] == []
        assert store.committer.repeated > 0, "no kill met a commit on its way"


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
