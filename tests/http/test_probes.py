"""Who asks whether we are ready, and for metrics, costs next to nothing, however many they are."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest

from contracts.codes import RequestState
from dispatcher.http.health import PROBES
from dispatcher.http.shared import Shared
from dispatcher.security.rings import Ring
from dispatcher.store.health import Health
from dispatcher.store.requests import RequestPart
from tests.http.conftest import Api, trip

CALLERS = 1_000
GAUGES = (
    "matcher_held",
    "matcher_held_seconds",
    "matcher_batch_age_seconds",
    "waiting_requests",
    "waiting_oldest_seconds",
)


async def _all(api: Api, path: str) -> set[int]:
    async def one() -> int:
        async with api.client.get(path) as answer:
            await answer.read()
            return answer.status

    return set(await asyncio.gather(*(one() for _ in range(CALLERS))))


@pytest.mark.parametrize(("durable", "status"), [(True, 200), (False, 503)])
async def test_a_thousand_who_ask_whether_we_are_ready_are_one_question(
    api: Api, monkeypatch: pytest.MonkeyPatch, durable: bool, status: int
) -> None:
    asked = []

    async def found() -> Health:
        asked.append(1)
        await asyncio.sleep(0)
        return Health("9", () if durable else ("it forgets",))

    monkeypatch.setattr(api.store, "health", found)
    app: Any = api.client.app
    app[PROBES].health._keep_s = 3_600.0
    assert await _all(api, "/readyz") == {status}
    assert len(asked) == 1


@pytest.mark.parametrize("served", [True, False])
async def test_a_server_of_a_cluster_that_is_away_keeps_nobody_from_the_markets_of_others(
    api: Api, monkeypatch: pytest.MonkeyPatch, served: bool
) -> None:
    """What stands before us sends us no work at all once we are not ready."""

    async def found() -> Health:
        ours = (api.market,) if served else ()
        return Health("9", ("10.0.0.1:6379: it does not answer",), well=("10.0.0.2:6379",), served=ours)

    monkeypatch.setattr(api.store, "health", found)
    async with api.client.get("/readyz") as answer:
        told = await answer.json()
    assert (answer.status, told["ready"], told["durable"]) == (200 if served else 503, served, False)
    assert told["reasons"] == ["10.0.0.1:6379: it does not answer"]
    assert list(told["matching"]) == ([api.market] if served else [])


async def test_a_thousand_scrapes_are_few(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, most, under_way = [], 0, 0
    counts = RequestPart.counts

    async def slow(self: RequestPart) -> Any:
        nonlocal most, under_way
        asked.append(1)
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.005)
        under_way -= 1
        return await counts(self)

    monkeypatch.setattr(RequestPart, "counts", slow)
    told = await _all(api, "/metrics")
    assert 200 in told
    assert told <= {200, 503}  # on a slow machine who waits for long is told to come again
    assert most == 1
    assert len(asked) < CALLERS / 5


async def test_what_is_shared_is_made_again_when_it_is_old_or_failed() -> None:
    made: list[int] = []

    async def make() -> int:
        made.append(len(made))
        await asyncio.sleep(0)
        if made[-1] == 1:
            raise RuntimeError("the second")
        return made[-1]

    shared = Shared(make)
    assert await asyncio.gather(shared.get(), shared.get()) == [0, 0]
    failed = await asyncio.gather(shared.get(), shared.get(), return_exceptions=True)
    assert [type(each) for each in failed] == [RuntimeError, RuntimeError]
    kept = Shared(make, keep_s=3_600.0)
    assert [await kept.get(), await kept.get()] == [2, 2]


async def test_who_goes_away_takes_it_from_nobody() -> None:
    release = asyncio.Event()

    async def make() -> RequestState:
        await release.wait()
        return RequestState.MATCHING

    shared = Shared(make)
    first, second = asyncio.create_task(shared.get()), asyncio.create_task(shared.get())
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    release.set()
    assert await second is RequestState.MATCHING


async def test_what_fails_once_all_have_gone_away_is_no_defect() -> None:
    unseen, release = list[object](), asyncio.Event()
    asyncio.get_running_loop().set_exception_handler(lambda _, context: unseen.append(context["message"]))

    async def make() -> None:
        await release.wait()
        raise RuntimeError("nobody is there")

    asked = asyncio.create_task(Shared(make).get())
    await asyncio.sleep(0)
    asked.cancel()
    await asyncio.gather(asked, return_exceptions=True)
    release.set()
    for _ in range(3):
        await asyncio.sleep(0)
    del asked
    gc.collect()
    assert unseen == []


async def _matching(api: Api) -> Any:
    async with api.client.get("/readyz") as answer:
        return (await answer.json())["matching"][api.market]


async def test_readiness_and_metrics_tell_how_the_matching_goes(api: Api) -> None:
    app: Any = api.client.app
    app[PROBES].health._keep_s = 0.0
    idle = {"held_s": None, "batch_age_s": None, "waiting": 0, "oldest_s": 0.0, "workers": None}
    no_workers = {"workers_busy": None, "tasks_waiting": None, "oldest_task_s": None}
    assert await _matching(api) == idle | no_workers
    stored = api.store.market(api.market)
    await api.call("POST", "/requests", trip("r1"))
    await stored.lease.acquire("a", 60_000)
    await stored.pulse.taken()
    api.clock.ms += 90_000
    found = await _matching(api)
    assert (found["waiting"], found["oldest_s"]) == (1, 90.0)
    assert 0 <= found["held_s"] == found["batch_age_s"] < 60
    await api.store.reader.ask("HINCRBY", stored.keys.pulse, "since_ms", -100_000)
    await stored.pulse.batched()
    async with api.client.get("/metrics") as answer:
        lines = dict(line.rsplit(" ", 1) for line in (await answer.text()).splitlines() if api.market in line)
    told = {name: float(lines[f'dispatcher_{name}{{market="{api.market}"}}']) for name in GAUGES}
    assert (told["matcher_held"], told["waiting_requests"], told["waiting_oldest_seconds"]) == (1, 1, 90)
    assert told["matcher_batch_age_seconds"] < 60 <= 100 <= told["matcher_held_seconds"] < 160
    await stored.lease.release("a")
    assert (await _matching(api))["held_s"] is None


async def test_a_key_of_a_wrong_type_leaves_the_service_ready_and_the_market_out(api: Api) -> None:
    stored = api.store.market(api.market)
    await api.store.reader.ask("SET", stored.keys.pulse, "no hash")
    await stored.pulse.batched()
    assert await stored.pulse.taken() == 0
    async with api.client.get("/readyz") as answer:
        assert (answer.status, (await answer.json())["matching"]) == (200, {})


async def test_a_clock_that_is_not_the_stores_is_counted(api: Api) -> None:
    said = [Ring("web here:1", "dev", {}), Ring("matcher there:2", "dev", {}, ahead_s=-3_600)]
    for ring in said:
        await api.store.market(api.market).rings.announce(ring, 60_000)
    api.store.agreement.process = "web here:1"
    await api.store.agreement.reach(api.market, api.store.market(api.market).rings)
    async with api.client.get("/metrics") as answer:
        assert f'dispatcher_wrong_clocks{{market="{api.market}"}} 1.0' in await answer.text()
