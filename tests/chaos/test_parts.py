"""What scenarios ask of the parts that they play with."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from chaos.parts import owner, pid_in
from dispatcher.serve.embedded import EmbeddedRedis
from dispatcher.store.connection import Reader, connect
from dispatcher.store.keys import Keys
from dispatcher.workers.kinds import SOLVES
from dispatcher.workers.worker import name_of
from simulation import small


async def test_who_waits_for_an_owner_asks_over_one_connection(tmp_path: Path) -> None:
    """A pool has a hundred: a new one for each look ended a scenario after two seconds without an owner."""
    async with EmbeddedRedis(tmp_path) as redis:
        client = connect(redis.url)
        reader, parts = Reader(client), SimpleNamespace(redis_url=redis.url, matchers={"x": "matcher"})
        try:
            waiting = asyncio.create_task(owner(parts))  # type: ignore[arg-type]
            async with asyncio.timeout(30):
                while (await _told(reader, "commandstats")).get("cmdstat_mget", {}).get("calls", 0) < 5:
                    await asyncio.sleep(0.01)
            assert (await _told(reader, "clients"))["connected_clients"] == 2, "its own, and ours"
            await reader.ask("SET", Keys(small.MARKET).lease, "x")
            assert await waiting == "matcher"
        finally:
            await client.aclose()


def test_a_worker_is_found_by_its_name() -> None:
    assert pid_in(name_of(SOLVES)) == str(os.getpid())


async def _told(reader: Reader, section: str) -> dict[str, Any]:
    return dict(await reader.ask("INFO", section))
