"""The whole web application on a real durable server, in a market of its own, with a clock the test holds."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from contracts.codes import Role
from dispatcher.delivery.hub import Hub
from dispatcher.http.app import build_app
from dispatcher.http.concurrency import ConcurrencyLimit, Limits
from dispatcher.http.entry import GATE, Gate
from dispatcher.http.parts import Parts
from dispatcher.http.routing import Routes, subjects
from dispatcher.http.server import Runner
from dispatcher.matching.quotes import Quoter
from dispatcher.security.key_files import PatientKeyFile
from dispatcher.security.tokens import claims, mint
from dispatcher.serve.embedded import EmbeddedRedis
from dispatcher.service.service import Service
from dispatcher.store.store import Store
from dispatcher.travel.engine import Engine
from dispatcher.tuning.registry import Registry
from tests.clock import ManualClock

KEYS = {
    "keys": [{"kty": "oct", "kid": "t", "alg": "HS256", "k": "c2VjcmV0LW9mLXRoZS10ZXN0cy1vZi10aGlydHktdHdv"}]
}
RING = PatientKeyFile("dev", {"dev": bytes(range(32))})
NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)  # a Monday, 10:00 in New York
NOW_MS = int(NOW.timestamp() * 1000)
REGISTRY = Registry.found()
OPERATIONS = tuple(route.operation for subject in subjects() for route in subject)
GUARDED = tuple(each for each in OPERATIONS if each.roles)
OPEN = tuple(each for each in OPERATIONS if not each.roles)
FACILITY = "clinic-3"
_numbers = itertools.count()


class Server(TestServer):
    """aiohttp's test server always cancels handlers; `serve` does not."""

    def __init__(self, app: web.Application, cancelling: bool) -> None:
        super().__init__(app)
        self.cancelling = cancelling

    async def _make_runner(self, **settings: Any) -> Runner:
        return Runner(self.app, **settings | {"handler_cancellation": self.cancelling, "lingering_time": 0.2})


class Api:
    """A client with tokens, and what stands behind it."""

    hub: Hub
    gate: Gate
    limit: ConcurrencyLimit
    service: Service
    quoter: Quoter

    def __init__(self, client: TestClient[Any, Any], store: Store, clock: ManualClock, market: str) -> None:
        self.client, self.store, self.clock, self.market = client, store, clock, market
        self.base = f"/v1/markets/{market}"

    def token(self, *roles: Role, vendor: str = "", markets: list[str] | None = None, **more: Any) -> str:
        """A token for an hour; `more`: hours, subject, facility_id."""
        now_ms, known = self.clock.now_ms(), markets or [self.market]
        more = ({"facility_id": FACILITY} if Role.FACILITY in roles else {}) | more
        made = claims(*roles, markets=known, vendor_id=vendor, now_ms=now_ms, **{"hours": 1.0} | more)
        return mint(KEYS, made)

    def headers(self, role: Role = Role.PLATFORM, vendor: str = "", **more: str) -> dict[str, str]:
        """Authorization, a fresh Idempotency-Key, and more (underscores become dashes)."""
        named = {name.replace("_", "-"): value for name, value in more.items()}
        token = self.token(role, vendor=vendor)
        return {"Authorization": f"Bearer {token}", "Idempotency-Key": f"k{next(_numbers)}"} | named

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        role: Role = Role.PLATFORM,
        vendor: str = "",
        **headers: str,
    ) -> tuple[int, Any]:
        """Status and decoded answer of a JSON call under the market."""
        sent = self.headers(role, vendor, **headers)
        async with self.client.request(method, self.base + path, json=body, headers=sent) as response:
            return response.status, await response.json(content_type=None)


def trip(request_id: str, **changes: Any) -> dict[str, Any]:
    """A ride tomorrow, as a platform sends it."""
    at = NOW + timedelta(days=1)
    return {
        "kind": "trip",
        "id": request_id,
        "pickup": {"position": [-73.97, 40.78]},
        "dropoff": {"position": [-73.95, 40.76]},
        "level_of_service": "wheelchair",
        "pickup_window": {"earliest": at.isoformat(), "latest": (at + timedelta(minutes=30)).isoformat()},
    } | changes


@pytest.fixture
def market() -> str:
    """A market no other test uses."""
    return f"h{next(_numbers)}"


@pytest.fixture
async def store(redis_server: EmbeddedRedis) -> AsyncIterator[Store]:
    async with Store(redis_server.url, RING) as opened:
        yield opened


@pytest.fixture
def limits() -> Limits:
    return Limits()


@pytest.fixture
def cancelling() -> bool:
    """Whether a handler is cancelled when its caller goes: as aiohttp's test server has it, not `serve`."""
    return False


@pytest.fixture
def more_routes() -> tuple[Routes, ...]:
    """Routes beside the service's own."""
    return ()


@pytest.fixture
def registry() -> Registry:
    """Every parameter of the service."""
    return REGISTRY


@pytest.fixture
def engine() -> Engine | None:
    """What asks a routing server, if there is one."""
    return None


@pytest.fixture
async def api(
    store: Store,
    market: str,
    limits: Limits,
    cancelling: bool,
    more_routes: tuple[Routes, ...],
    registry: Registry,
    engine: Engine | None,
) -> AsyncIterator[Api]:
    clock = ManualClock(NOW_MS)
    service = Service(store, clock, {market: ZoneInfo("America/New_York")}, registry)
    quoter = Quoter(store, clock, service.markets.zones)
    parts = Parts(
        service=service,
        hub=Hub(store),
        quoter=quoter,
        clock=clock,
        token_keys=KEYS,
        limits=limits,
        engine=engine,
    )
    app = build_app(parts, more_routes)
    async with TestClient(Server(app, cancelling)) as client:
        made = Api(client, store, clock, market)
        made.hub, made.gate, made.service, made.quoter = parts.hub, app[GATE], service, quoter
        made.limit = made.gate.calls
        yield made
