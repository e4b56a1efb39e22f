"""Each role is a process of its own, as often as one likes; together they are the whole service."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import socket
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import aiohttp
import pytest
from msgspec.structs import replace

from client.ops import OpsClient
from client.platform import PlatformClient
from client.streams import VendorStream
from contracts.codes import OfferState, RequestState, Role, ServiceClass
from contracts.pools import Pool, Pools
from contracts.request_views import RequestView
from contracts.vendors import ExplicitAnswer
from dispatcher import cli
from dispatcher.app import jobs, matcher, replies, web
from dispatcher.app.pressing import Pressing
from dispatcher.http.health import undone
from dispatcher.matching.solving import SolverPool
from dispatcher.security.key_files import (
    PatientKeyFile,
    ensure_token_keys,
    read_patient_keys,
    read_token_keys,
    write_patient_keys,
)
from dispatcher.security.reply_keys import ReplyKeys
from dispatcher.security.tokens import Authenticator, claims, mint
from dispatcher.security.vault import Vault
from dispatcher.serve.embedded import EmbeddedRedis
from dispatcher.settings import Markets, Settings
from tests.e2e.made import ZONE, trip, vendor

MARKET = "roles"
LIMIT_S = 120.0  # for what must come, on a machine that has much else to do: nothing here is judged by it
SPEED = 20.0
VANS = Pools(pools=(Pool(id="vans", serves=(ServiceClass.WHEELCHAIR,), units=(2,)),))
RING = PatientKeyFile("dev", {"dev": bytes(range(32))})
pytestmark = pytest.mark.timeout(4 * LIMIT_S)


@contextlib.asynccontextmanager
async def roles_apart(settings: Settings) -> AsyncIterator[str]:
    """Each of the four with all that its process has, but for the process; the URL of the web role."""
    keys, pressing = read_token_keys(settings.token_keys_file), Pressing(None)
    with socket.create_server(("127.0.0.1", 0)) as bound:
        works = (
            web._web(settings, bound, "web", apart=True),
            matcher._matcher(settings, "matcher", pressing, apart=True),
            replies._replies(settings, "replies", Authenticator(keys).verify),
            jobs._jobs(settings, "jobs", pressing),
        )
        tasks = [asyncio.create_task(each) for each in works]
        try:
            yield f"http://127.0.0.1:{bound.getsockname()[1]}"
        finally:
            for each in tasks:
                each.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert [each for each in ended if not isinstance(each, asyncio.CancelledError)] == []


@pytest.fixture
def settings(redis_server: EmbeddedRedis, tmp_path: Path) -> Settings:
    """By a clock that begins now and runs fast."""
    made = Settings(
        data_dir=tmp_path,
        redis_url=redis_server.url,
        markets=Markets.parse(f"{MARKET}={ZONE.key}"),
        clock_start_ms=int(time.time() * 1000),
        clock_anchor_s=time.time(),
        clock_speed=SPEED,
    )
    ensure_token_keys(made.token_keys_file)
    write_patient_keys(made.patient_keys_file, RING)
    return made


def token(settings: Settings, role: Role) -> str:
    now_ms = int(time.time() * 1000)
    made = claims(role, markets=[MARKET], vendor_id="", now_ms=now_ms, hours=999)
    return mint(read_token_keys(settings.token_keys_file), made)


async def _at_once(pool: SolverPool) -> None:
    """It is not waited for."""


async def markets(url: str) -> dict[str, dict[str, str]]:
    """What `/readyz` says of them."""
    async with aiohttp.ClientSession() as session, session.get(f"{url}/readyz") as answer:
        return (await answer.json()).get("markets", {})


async def begun_what_if(url: str, ops: str) -> bool:
    """It is asked, somebody takes it up, and it is called off."""
    asked, headers = f"{url}/v1/markets/{MARKET}/what-if", {"Authorization": f"Bearer {ops}"}
    async with aiohttp.ClientSession(headers=headers) as session, asyncio.timeout(LIMIT_S):
        body, key = {"change": {"pause": ["quick"]}, "against": "now"}, {"Idempotency-Key": "w"}
        async with session.post(asked, json=body, headers=key) as answer:
            one = f"{asked}/{(await answer.json())['id']}"
        state = "queued"
        while state == "queued":
            await asyncio.sleep(0.05)
            async with session.get(one) as answer:
                state = (await answer.json())["state"]
        async with session.post(f"{one}/cancel", headers={"Idempotency-Key": "c"}) as answer:
            assert answer.status in (200, 202, 409)
    return True


async def until(client: PlatformClient, request_id: str, holds: Callable[[RequestView], bool]) -> None:
    async with asyncio.timeout(LIMIT_S):
        while not holds(await client.view(request_id)):
            await asyncio.sleep(0.05)


def was_left(view: RequestView, vendor_id: str) -> bool:
    """Whether an offer to this vendor has ended in silence."""
    return any((each.vendor_id, each.state) == (vendor_id, OfferState.EXPIRED) for each in view.attempts)


async def test_four_roles_apart_match_hear_replies_and_fire_timers(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SolverPool, "warm", _at_once)  # imminent rides need none
    monkeypatch.setattr(matcher, "collect_rarely", lambda: None)  # this process has other tests
    async with roles_apart(settings) as url:
        ops = OpsClient(url, token(settings, Role.OPS), MARKET)
        platform = PlatformClient(url, token(settings, Role.PLATFORM), MARKET)
        key = ReplyKeys(Vault(read_patient_keys(settings.patient_keys_file))).current(MARKET, "quick")
        async with ops, platform, VendorStream(settings.redis_url, MARKET, "quick", reply_key=key) as quick:
            for name, limit_s in (("quick", 1_800), ("silent", 60)):  # a stalled machine answers late, too
                await ops.put_vendor(replace(vendor(name), answer=ExplicitAnswer(time_limit_s=limit_s)))
                for day in range(2):
                    on = dt.datetime.now(ZONE).date() + dt.timedelta(days=day)
                    await ops.put_capacity(name, on, VANS)
            await ops.put_tuning({"offer_share": 0.0}, reason="silence is over sooner")
            await platform.submit(trip("taken", "silent"))
            await platform.submit(trip("left", "quick"))
            async with asyncio.timeout(LIMIT_S):
                async for entry in quick.entries():  # pragma: no branch
                    if entry.event is not None and entry.event.type == "dispatch.offer.made":
                        await quick.accept(entry.event.subject, entry.event.time)
                        break
            await until(platform, "taken", lambda view: view.state is RequestState.ACCEPTED)
            await until(platform, "left", lambda view: was_left(view, "silent"))
            assert (await markets(url)).get(MARKET, {}).keys().isdisjoint({"replies", "jobs"})
            assert await begun_what_if(url, token(settings, Role.OPS))


@pytest.mark.parametrize(
    ("roles", "missing"),
    [
        ({"web", "matcher"}, set()),
        ({"web-apart", "matcher-apart"}, {"replies", "jobs"}),
        ({"web-apart", "replies", "matcher"}, set()),
        ({"web-apart", "web", "matcher-apart", "replies"}, {"jobs"}),
        ({"web-apart"}, {"replies"}),
        (set(), set()),
    ],
)
def test_work_that_was_given_away_and_nobody_does_is_told(roles: set[str], missing: set[str]) -> None:
    assert set(undone(roles)) == missing


def test_a_role_that_does_one_thing_is_not_apart(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["serve", "--role", "jobs", "--apart", "--redis-url", "redis://127.0.0.1:1"]
    assert cli.main(words) == 2
    assert "--apart goes with --role web or matcher" in capsys.readouterr().err
