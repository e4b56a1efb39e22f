"""What-ifs compared by a worker: it is told which one, reads the rest, and only for whom it runs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from functools import partial

import msgspec
import pytest

from contracts.what_if import WhatIfChange, WhatIfRequest, WhatIfState
from dispatcher.serve.embedded import EmbeddedRedis
from dispatcher.settings import Markets
from dispatcher.store.store import Store
from dispatcher.store.what_ifs import Asked, Standing, WhatIf
from dispatcher.what_if.runner import Runner
from dispatcher.workers.broker import Ref
from dispatcher.workers.comparing import compare
from dispatcher.workers.errands import NotDone
from dispatcher.workers.kinds import Kind
from dispatcher.workers.tasks import done
from dispatcher.workers.what_ifs import Comparing
from solvers.travel import DetourTravel
from tests.matching.conftest import Town, new_town
from tests.solvers.town import NOW_MS, TZ, trip, vendor
from tests.workers.conftest import LIMIT_S, RING, Cluster
from tests.workers.fakes import Words, message, words_of


@dataclass
class Place:
    """A market with rides that wait, its runner, and workers of whom the test plays one."""

    town: Town
    runner: Runner
    comparing: Comparing
    cluster: Cluster
    redis_url: str

    async def asked(self) -> str:
        request = WhatIfRequest(against="now", change=WhatIfChange(pause=("v1",)))
        await self.runner.stored.what_ifs.add(Asked(id="wi-1", request=request, by="ops", at_ms=1), most=9)
        return "wi-1"

    async def words(self) -> Words:
        return words_of(await message(self.comparing.desk))

    async def work(self, words: Words) -> None:
        """As the child of a worker does."""
        settings = msgspec.structs.replace(
            self.cluster.settings, redis_url=self.redis_url, markets=Markets({self.town.name: TZ}),
            clock_start_ms=NOW_MS, clock_anchor_s=time.time(), clock_speed=0.001,
        )  # fmt: skip
        await asyncio.to_thread(done, self.comparing.desk.broker, settings, "w1", compare, words)

    async def found(self) -> WhatIf:
        one = await self.runner.stored.what_ifs.get("wi-1")
        assert one is not None
        return one


@pytest.fixture
async def place(redis_server: EmbeddedRedis, cluster: Cluster) -> AsyncIterator[Place]:
    async with Store(redis_server.url, RING) as store:
        town = new_town(store)
        for each in ("v1", "v2"):
            await town.add_vendor(vendor(each))
        await town.submit(*(trip(f"r{n}") for n in range(3)))
        stored = store.market(town.name)
        await stored.lease.acquire("me", 600_000)
        desk = cluster.desk(Kind(f"what-ifs-of-{town.name}", 60.0), start_s=500.0)
        desk.broker.live("w1")
        desk.living.workers = frozenset({"w1"})
        comparing = Comparing(desk)
        runner = Runner(
            stored, TZ, town.clock, DetourTravel.of, "me", lambda: False,
            partial(town.service.decisions.saved, town.name),
            elsewhere=comparing,
        )  # fmt: skip
        yield Place(town, runner, comparing, cluster, redis_server.url)


async def test_a_worker_compares_what_waits_now_and_the_answer_is_kept_by_who_asked(place: Place) -> None:
    await place.asked()
    running = asyncio.create_task(place.runner._look())
    words = await place.words()
    assert words[:3] == (place.town.name, "wi-1", place.runner.name)
    await place.work(words)
    await running
    answer = await place.runner.stored.what_ifs.answer("wi-1")
    assert (await place.found()).standing.state is WhatIfState.DONE
    assert answer is not None
    assert answer.requests == 3


async def test_a_worker_compares_nothing_for_a_runner_that_another_has_followed(place: Place) -> None:
    name, desk = await place.asked(), place.comparing.desk
    await place.runner.stored.what_ifs.note(name, Standing(state=WhatIfState.RUNNING, runner="another"))
    ref = Ref(place.town.name, name, place.runner.name)
    asking = asyncio.create_task(desk.asked(ref, b"x", 60.0, until_s=time.monotonic() + LIMIT_S))
    await place.work(await place.words())
    with pytest.raises(NotDone, match="Unwanted"):
        await asking


async def test_one_that_is_cancelled_is_withdrawn_from_its_worker(place: Place) -> None:
    await place.asked()
    running = asyncio.create_task(place.runner._look())
    words = await place.words()
    await place.runner.stored.what_ifs.cancel("wi-1")
    await running
    assert (await place.found()).standing.state is WhatIfState.CANCELLED
    async with asyncio.timeout(LIMIT_S):
        while place.comparing.desk.broker.is_wanted(words[3]):
            await asyncio.sleep(0.01)
    await place.work(words)
    assert await place.runner.stored.what_ifs.answer("wi-1") is None


async def test_what_no_worker_takes_is_left_to_the_matchers_own_process(place: Place) -> None:
    await place.asked()
    place.runner.elsewhere = Comparing(replace(place.comparing.desk, start_s=0.1))
    place.runner.began_s = time.monotonic()
    assert not await place.runner._by_worker(await place.found())
    place.comparing.desk.living.workers = frozenset()
    assert not await place.runner._by_worker(await place.found())
    assert (await place.found()).standing.state is not WhatIfState.DONE
