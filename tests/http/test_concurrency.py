"""Overload degrades honestly: refused with Retry-After before anything is stored, and only for a while."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from aiohttp.test_utils import TestClient

from contracts.codec import MAX_BYTES
from contracts.codes import Role
from dispatcher.delivery.hub import Hub
from dispatcher.domain.refusals import Unavailable
from dispatcher.http.app import build_app
from dispatcher.http.concurrency import Limits
from dispatcher.http.health import KEEP_S
from dispatcher.http.parts import Parts
from dispatcher.matching.quotes import Quoter
from dispatcher.security.tokens import claims, mint
from dispatcher.serve.embedded import EmbeddedRedis
from dispatcher.service.service import Service
from dispatcher.store.store import Store
from dispatcher.tuning.registry import Registry
from tests.clock import ManualClock
from tests.http.conftest import KEYS, NOW_MS, RING, Api, Server, trip


@pytest.fixture
def held(api: Api, monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Commits wait until the event is set."""
    release, commit = asyncio.Event(), api.store.market(api.market).commit

    async def slow(*args: Any, **more: Any) -> Any:
        await release.wait()
        return await commit(*args, **more)

    monkeypatch.setattr(api.store.market(api.market), "commit", slow)
    return release


async def _submit(api: Api, number: int, subject: str) -> tuple[int, str, str]:
    headers = api.headers()
    token = api.token(Role.PLATFORM, subject=subject)
    headers["Authorization"] = f"Bearer {token}"
    async with api.client.post(f"{api.base}/requests", json=trip(f"r{number}"), headers=headers) as answer:
        problem = await answer.json(content_type=None)
        return answer.status, problem.get("type", ""), answer.headers.get("Retry-After", "")


async def _until(holds_true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds_true():
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("limits", [Limits(in_flight=8, per_caller=8, retry_after_s=1.1)])
async def test_a_full_service_says_so_and_stores_nothing(api: Api, held: asyncio.Event) -> None:
    waiting = [asyncio.create_task(_submit(api, n, f"caller-{n}")) for n in range(8)]
    await _until(lambda: api.limit.taken == 8)
    async with api.client.get("/metrics") as answer:
        assert "dispatcher_http_in_flight 8.0" in await answer.text()
    assert await _submit(api, 99, "one-more") == (503, "/problems/unavailable", "2")
    held.set()
    assert {answer[0] for answer in await asyncio.gather(*waiting)} == {202}
    assert await api.store.market(api.market).requests.records.get("r99") is None
    assert (await _submit(api, 99, "one-more"))[0] == 202


@pytest.mark.parametrize("limits", [Limits(in_flight=8, per_caller=3)])
async def test_one_caller_with_more_than_its_share_is_told_and_others_go_on(
    api: Api, held: asyncio.Event
) -> None:
    waiting = [asyncio.create_task(_submit(api, n, "greedy")) for n in range(3)]
    await _until(lambda: api.limit.taken == 3)
    assert await _submit(api, 98, "greedy") == (429, "/problems/too-many", "1")
    modest = asyncio.create_task(_submit(api, 50, "modest"))
    await _until(lambda: api.limit.taken == 4)
    held.set()
    assert {answer[0] for answer in await asyncio.gather(*waiting, modest)} == {202}


@pytest.mark.parametrize("limits", [Limits(in_flight=2, per_caller=2)])
async def test_slots_are_given_back_whatever_became_of_the_call(api: Api) -> None:
    for _ in range(5):
        await api.call("POST", "/requests", {"bad": "body"})
        await api.call("GET", "/requests/unknown")
    assert api.limit.taken == 0
    assert (await api.call("POST", "/requests", trip("r1")))[0] == 202


async def test_a_store_that_does_not_answer_is_a_503_with_retry_after(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*args: Any, **more: Any) -> Any:
        raise Unavailable("the store does not answer\nMaybe ask again.", retry_after_s=0.2)

    monkeypatch.setattr(api.store.market(api.market), "commit", away)
    assert await _submit(api, 1, "p") == (503, "/problems/unavailable", "1")


@pytest.mark.parametrize("limits", [Limits(streams=1, streams_per_caller=1)])
async def test_streams_have_slots_of_their_own(api: Api) -> None:
    async with api.client.get(f"{api.base}/events", headers=api.headers()) as first:
        assert first.status == 200
        assert (await api.call("GET", "/events"))[0] == 429
        assert (await api.call("POST", "/requests", trip("r1")))[0] == 202


async def test_a_redis_that_may_lose_what_it_acknowledges_gets_no_202_and_readiness_says_why(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    async with EmbeddedRedis(tmp_path_factory.mktemp("careless")) as server, Store(server.url, RING) as store:
        clock, markets = ManualClock(NOW_MS), {"m": ZoneInfo("UTC")}
        parts = Parts(
            service=Service(store, clock, markets, Registry.found()),
            hub=Hub(store),
            quoter=Quoter(store, clock, markets),
            clock=clock,
            token_keys=KEYS,
        )
        async with TestClient(Server(build_app(parts), False)) as client:
            async with client.get("/readyz") as answer:
                told = await answer.json()
                del told["matching"], told["routing"]
                assert answer.status == 200
                assert told == {"ready": True, "durable": True, "reasons": [], "markets": {}}
            await store.reader.ask("CONFIG", "SET", "appendfsync", "everysec")
            await asyncio.sleep(KEEP_S)
            async with client.get("/readyz") as answer:
                assert answer.status == 503
                (reason,) = (await answer.json())["reasons"]
            assert "appendfsync is everysec" in reason
            token = mint(KEYS, claims(Role.PLATFORM, markets=["m"], vendor_id="", now_ms=clock.ms, hours=1))
            headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "k"}
            path = "/v1/markets/m/requests"
            async with client.post(path, json=trip("r1"), headers=headers) as answer:
                assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
                assert "appendfsync is everysec" in (await answer.json(content_type=None))["detail"]
            assert await store.market("m").requests.records.get("r1") is None
            server.kill()
            await asyncio.sleep(KEEP_S)
            async with client.get("/readyz") as answer:
                assert answer.status == 503
            async with client.get("/livez") as answer:
                assert answer.status == 200


@pytest.mark.parametrize("limits", [Limits(body_s=0.05)])
async def test_a_body_that_does_not_arrive_gives_its_slot_back(api: Api) -> None:
    never = asyncio.Event()

    async def stalled() -> Any:
        yield b'{"kind": '
        await never.wait()

    headers = api.headers() | {"Content-Type": "application/json"}
    async with api.client.post(f"{api.base}/requests", data=stalled(), headers=headers) as answer:
        assert (answer.status, (await answer.json(content_type=None))["type"]) == (408, "/problems/too-slow")
    assert api.limit.taken == 0


async def test_the_size_limit_is_exact(api: Api) -> None:
    body = json.dumps(trip("r1")).encode()
    for size, status in ((MAX_BYTES + 1, 413), (MAX_BYTES, 202)):
        headers = api.headers() | {"Content-Type": "application/json"}
        padded = body + b" " * (size - len(body))
        async with api.client.post(f"{api.base}/requests", data=padded, headers=headers) as answer:
            assert answer.status == status


async def test_metrics_count_calls_and_requests_by_state_and_name_nobody(api: Api) -> None:
    await api.call("POST", "/requests", {"requests": [trip(f"r-secret-{n}") for n in range(3)]})
    await api.call("POST", "/requests/r-secret-1/cancel")
    async with api.client.get("/metrics") as answer:
        text = await answer.text()
    assert f'dispatcher_requests{{market="{api.market}",state="received"}} 2.0' in text
    assert f'dispatcher_requests{{market="{api.market}",state="cancelled"}} 1.0' in text
    assert 'dispatcher_http_calls_total{operation="submitRequests",status="202"} 1.0' in text
    assert "dispatcher_requests_accepted_total 3.0" in text
    assert "r-secret" not in text


@pytest.mark.parametrize("cancelling", [False, True])
async def test_a_caller_who_hung_up_may_ask_again_and_there_was_one_effect(
    api: Api, held: asyncio.Event
) -> None:
    sent = api.headers()
    hasty = asyncio.create_task(api.client.post(f"{api.base}/requests", json=trip("r1"), headers=sent))
    await _until(lambda: api.limit.taken == 1)
    hasty.cancel()
    await asyncio.gather(hasty, return_exceptions=True)
    held.set()
    async with api.client.post(f"{api.base}/requests", json=trip("r1"), headers=sent) as answer:
        assert answer.status == 202
    record = await api.store.market(api.market).requests.records.get("r1")
    assert record is not None
    assert record.version == 1
    await _until(lambda: api.limit.taken == 0)
