"""Thirty-two writers over several processes: nothing is over-booked, the counters are what the offers say."""

import asyncio
import random
import sys

from msgspec.structs import replace

from dispatcher.audit.auditor import audit
from dispatcher.domain.proposal import Precondition
from dispatcher.serve.embedded import EmbeddedRedis
from dispatcher.store.market import MarketStore
from dispatcher.store.outcome import Status
from dispatcher.store.store import Store
from tests.store.conftest import RING
from tests.store.made import DAY, booking, offered, pools, received, record, trip, vendor
from tests.store.work import Writers

WRITERS, PROCESSES, STEPS = 16, 2, 20


async def work(url: str, name: str, seed: int) -> None:
    """One process's share: half of the writers, on few units in few buckets."""
    async with Store(url, RING) as store:
        writers = Writers(store.market(name), seed, last_bucket=24)
        await writers.run(WRITERS, f"p{seed}", STEPS)
        assert writers.tally.get("full"), f"the race was no race: {writers.tally}"
        sys.stdout.write("\n".join(writers.acknowledged))


async def test_thirty_two_writers_never_over_book_and_the_counters_equal_the_offers(
    server: EmbeddedRedis, store: Store, market: MarketStore
) -> None:
    await market.capacity.put("v1", DAY, pools(3))
    code = "import asyncio, sys; from tests.store.test_race import work; "
    code += "asyncio.run(work(sys.argv[1], sys.argv[2], int(sys.argv[3])))"
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", code, server.url, market.name, str(seed), stdout=asyncio.subprocess.PIPE
        )
        for seed in range(PROCESSES)
    ]
    outputs = await asyncio.gather(*(process.communicate() for process in processes))
    assert [process.returncode for process in processes] == [0] * PROCESSES
    acknowledged = [line for output, _ in outputs for line in output.decode().split()]
    report = await audit(store.reader, market.name, acknowledged, streams=True)
    assert report["findings"] == []
    assert report["requests"] == len(acknowledged) > WRITERS * PROCESSES


async def test_no_offer_is_stored_on_a_vendor_as_it_was_before_its_last_change(
    store: Store, market: MarketStore
) -> None:
    await market.capacity.put("v1", DAY, pools(500))
    current = await market.vendors.put(vendor())
    outcomes: list[tuple[int, int, Status]] = []  # the version known to be current before, the one relied on

    async def offers(writer: int) -> None:
        for number in range(10):
            name = f"r{writer}-{number}"
            await market.commit([received(name)], requests=[trip(name)])
            seen = await market.vendors.get("v1")
            assert seen is not None
            await asyncio.sleep(random.random() / 100)
            ground, known = Precondition("v1", "", seen.version), current
            decision = replace(offered(record(name), booking()), preconditions=(ground,))
            outcomes.append((known, seen.version, (await market.commit([decision])).status))

    async def changes() -> None:
        nonlocal current
        while True:
            current = await market.vendors.put(vendor())
            await asyncio.sleep(random.random() / 100)

    changing = asyncio.create_task(changes())
    await asyncio.gather(*(offers(writer) for writer in range(32)))
    changing.cancel()
    assert all(seen >= known for known, seen, status in outcomes if status is Status.OK)
    assert {status for *_, status in outcomes} == {Status.OK, Status.OUTDATED}
    assert (await audit(store.reader, market.name))["findings"] == []


async def test_only_one_of_many_takes_the_last_unit(store: Store, market: MarketStore) -> None:
    await market.capacity.put("v1", DAY, pools(1))
    writers = Writers(market, seed=5, last_bucket=7)
    await writers.run(32, "one", 3)
    report = await audit(store.reader, market.name, writers.acknowledged, streams=True)
    assert report["findings"] == []
    assert writers.tally["full"] > 0
