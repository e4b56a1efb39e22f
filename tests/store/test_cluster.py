"""A node of a cluster accepts every command of the store: all keys are named, and a market is one slot."""

import asyncio
import contextlib
import socket
import subprocess
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from redis.exceptions import RedisError

from dispatcher.audit.auditor import audit
from dispatcher.serve.embedded import find_server
from dispatcher.store.connection import connect
from dispatcher.store.store import Store
from tests.store.conftest import RING
from tests.store.made import DAY, NOW_MS, pools, vendor
from tests.store.work import Writers


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[str]:
    """A cluster of one node that owns every slot; its URL."""
    port, bus = free_port(), free_port()
    words = ["--port", port, "--cluster-port", bus, "--cluster-enabled", "yes", "--dir", tmp_path]
    words += ["--bind", "127.0.0.1", "--save", "", "--appendonly", "yes", "--appendfsync", "always"]
    process = subprocess.Popen([str(find_server()), *map(str, words)], stdout=subprocess.DEVNULL)
    url = f"redis://127.0.0.1:{port}"
    try:
        await until_up(url)
        yield url
    finally:
        process.kill()
        process.wait()


async def until_up(url: str) -> None:
    client = connect(url)
    for _ in range(500):
        with contextlib.suppress(RedisError, OSError):
            info = await client.execute_command("CLUSTER INFO")
            if info["cluster_state"] == "ok":
                break
            if info["cluster_slots_assigned"] == "0":
                await client.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        await asyncio.sleep(0.02)
    else:
        pytest.fail("the cluster did not come up")
    await client.aclose()


async def test_every_part_of_the_store_works_on_a_cluster_node(cluster: str) -> None:
    async with Store(cluster, RING) as store:
        market = store.market("metro")
        keys = market.keys
        await market.vendors.put(vendor(), 0)
        await market.capacity.put("v1", DAY, pools(2))
        assert (await market.lease.acquire("matcher", 10_000) or "").startswith("1-")
        writers = Writers(market, seed=3)
        await writers.run(8, "w", 10)
        await store.streams.ensure_group(keys.events, "g")
        entries = await store.streams.read_group(keys.events, "g", "c")
        await market.dead_letters.bury(entries[0], "g", "a test")
        assert len((await market.requests.page(None, None, 200)).records) == len(writers.acknowledged)
        assert await market.requests.records.due(NOW_MS * 2, 10)
        assert list(await market.vendors.get_all()) == ["v1"]
        await market.retention.trim_streams()
        await market.retention.forget_days(DAY + timedelta(days=1))
        report = await audit(store.reader, market.name, writers.acknowledged, streams=True)
        assert report["findings"] == []
