"""A broker under a sentinel: its primary dies; batches are solved all the while, soon by workers again."""

from __future__ import annotations

import asyncio
from pathlib import Path

from dispatcher.matching.solvers import Whose
from dispatcher.matching.solving import SolverPool
from dispatcher.workers.shared import SharedSolvers
from solvers.saved import pack_plan
from tests.workers.conftest import LIMIT_S, clustered, until_living
from tests.workers.sentinel import watched
from tests.workers.test_solves import batch

WHOSE = Whose("metro", "7-abc")


async def test_after_a_fail_over_of_the_broker_a_batch_is_solved_at_once_and_soon_by_the_worker_again(
    tmp_path: Path, pool: SolverPool
) -> None:
    async with watched(tmp_path / "sentinel") as broker:
        with clustered(tmp_path, broker.url) as cluster:
            cluster.start()
            desk = cluster.desk()
            shared = SharedSolvers(pool, desk)
            await until_living(desk)
            there = await shared.plan(batch(5), whose=WHOSE)
            assert shared.elsewhere == 1
            await broker.fail_over()
            assert pack_plan(await shared.plan(batch(5), whose=WHOSE)) == pack_plan(there)
            async with asyncio.timeout(LIMIT_S):
                while shared.elsewhere < 2:
                    await desk.living.look()
                    await shared.plan(batch(6), whose=WHOSE)
