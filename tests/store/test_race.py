"""Thirty-two writers over several processes: nothing is over-booked, the counters are what the offers say."""

import asyncio
import sys

from dispatcher.embedded import EmbeddedRedis
from dispatcher.store.auditor import audit
from dispatcher.store.store import Store
from tests.store.conftest import RING
from tests.store.made import DAY, pools
from tests.store.work import Writers

WRITERS, PROCESSES, STEPS = 16, 2, 20


async def work(url: str, market: str, seed: int) -> None:
    """One process's share: half of the writers, on few units in few buckets."""
    async with Store(url, RING) as store:
        writers = Writers(store, market, seed, last_bucket=24)
        await writers.run(WRITERS, f"p{seed}", STEPS)
        assert writers.tally.get("full"), f"the race was no race: {writers.tally}"
        sys.stdout.write("\n".join(writers.acknowledged))


async def test_thirty_two_writers_never_over_book_and_the_counters_equal_the_offers(
    server: EmbeddedRedis, store: Store, market: str
) -> None:
    await store.put_capacity(market, "v1", DAY, pools(3))
    code = "import asyncio, sys; from tests.store.test_race import work; "
    code += "asyncio.run(work(sys.argv[1], sys.argv[2], int(sys.argv[3])))"
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", code, server.url, market, str(seed), stdout=asyncio.subprocess.PIPE
        )
        for seed in range(PROCESSES)
    ]
    outputs = await asyncio.gather(*(process.communicate() for process in processes))
    assert [process.returncode for process in processes] == [0] * PROCESSES
    acknowledged = [line for output, _ in outputs for line in output.decode().split()]
    report = await audit(store.reader, market, acknowledged, streams=True)
    assert report["findings"] == []
    assert report["requests"] == len(acknowledged) > WRITERS * PROCESSES


async def test_only_one_of_many_takes_the_last_unit(store: Store, market: str) -> None:
    await store.put_capacity(market, "v1", DAY, pools(1))
    writers = Writers(store, market, seed=5, last_bucket=7)
    await writers.run(32, "one", 3)
    report = await audit(store.reader, market, writers.acknowledged, streams=True)
    assert report["findings"] == []
    assert writers.tally["full"] > 0
