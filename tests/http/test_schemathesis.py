"""Schemathesis against the served OpenAPI, every operation, good and bad data: it finds nothing.

The examples are derived from the schema alone, the same in each run, four for each operation.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
import schemathesis
from aiohttp import web
from hypothesis import HealthCheck, Phase, given, reject, settings
from schemathesis import GenerationMode
from schemathesis.config import SchemathesisConfig
from schemathesis.core.parameters import ParameterLocation

from contracts.codes import Role
from dispatcher.delivery.hub import Hub
from dispatcher.http.app import build_app
from dispatcher.http.parts import Parts
from dispatcher.http.server import Runner
from dispatcher.matching.quotes import Quoter
from dispatcher.runtime.clock import SystemClock
from dispatcher.security.tokens import claims, mint
from dispatcher.serve.embedded import EmbeddedRedis
from dispatcher.service.service import Service
from dispatcher.store.store import Store
from dispatcher.tuning.registry import Registry
from tests.examples import examples
from tests.http.conftest import GUARDED, KEYS, OPEN, RING

MARKET = "fuzz"
START_S = 20.0


async def _serve(
    redis_url: str, started: threading.Event, ending: asyncio.Event, found: dict[str, Any]
) -> None:
    clock, markets = SystemClock(), {MARKET: ZoneInfo("America/New_York")}
    async with Store(redis_url, RING) as store:
        parts = Parts(
            service=Service(store, clock, markets, Registry.found()),
            hub=Hub(store),
            quoter=Quoter(store, clock, markets),
            clock=clock,
            token_keys=KEYS,
        )
        runner = Runner(build_app(parts), access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        found.update(port=runner.addresses[0][1], loop=asyncio.get_running_loop(), ending=ending)
        started.set()
        await ending.wait()
        await runner.cleanup()


@pytest.fixture(scope="module")
def url(redis_server: EmbeddedRedis) -> Iterator[str]:
    """The application, served from a thread of its own: schemathesis calls and waits."""
    started, found = threading.Event(), dict[str, Any]()
    thread = threading.Thread(
        target=lambda: asyncio.run(_serve(redis_server.url, started, asyncio.Event(), found))
    )
    thread.start()
    assert started.wait(START_S)
    yield f"http://127.0.0.1:{found['port']}"
    found["loop"].call_soon_threadsafe(found["ending"].set)
    thread.join(START_S)


@schemathesis.serializer("application/msgpack")
def as_msgpack(context: schemathesis.SerializationContext, value: Any) -> bytes:
    """What schemathesis cannot send it draws, throws away and draws again: a quarter of all."""
    try:
        return msgspec.msgpack.encode(value, enc_hook=str)
    except OverflowError:
        reject()  # a whole number that MessagePack has no form for


def _token(role: Role) -> str:
    now_ms = SystemClock().now_ms()
    vendor = "v1" if role is Role.VENDOR else ""
    return mint(KEYS, claims(role, markets=[MARKET], vendor_id=vendor, now_ms=now_ms, hours=1))


@pytest.fixture(scope="module")
def served(url: str) -> Any:
    config = SchemathesisConfig.from_path(Path(__file__).parents[2] / "schemathesis.toml")
    return schemathesis.openapi.from_url(f"{url}/openapi.json", config=config, timeout=60)


# Event streams do not end: see test_events.
IDS = [each.id for each in GUARDED + OPEN if not each.stream]
BOUNDS = settings(
    max_examples=examples(4),
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize("operation_id", IDS)
def test_every_operation_keeps_its_word(served: Any, operation_id: str, mode: GenerationMode) -> None:
    operation = served.find_operation_by_id(operation_id)
    roles = operation.definition.raw.get("security", [{}])[0].get("bearer", [])
    if mode is GenerationMode.NEGATIVE and not (operation.body or operation.query or operation.headers):
        pytest.skip("it takes nothing that could be wrong but its path")

    @BOUNDS
    @given(case=operation.as_strategy(mode))
    def keeps_its_word(case: Any) -> None:
        if roles and not _is_wrong(case, ParameterLocation.HEADER):
            case.headers["Authorization"] = f"Bearer {_token(Role(roles[0]))}"
        if "market" in case.path_parameters and not _is_wrong(case, ParameterLocation.PATH):
            case.path_parameters["market"] = MARKET
        case.call_and_validate()

    keeps_its_word()


def _is_wrong(case: Any, where: ParameterLocation) -> bool:
    """Whether what is wrong with this case stands there: then it stays as it is."""
    component = case.meta.components.get(where)
    return component is not None and component.mode is GenerationMode.NEGATIVE
