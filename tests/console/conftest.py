"""The console over the whole application, in one real browser for all of its tests.

Tests of this folder run in the session's loop (`pytestmark = SHARED`): the browser and the server are made
once, each test has a market and a page of its own.
"""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio
from aiohttp import ClientSession
from playwright.async_api import Browser, Page, ViewportSize, async_playwright, expect

from contracts.codes import Role
from dispatcher.console import links
from dispatcher.console.pages import with_console
from dispatcher.delivery.hub import Hub
from dispatcher.http import sessions
from dispatcher.http.entry import GATE, Gate
from dispatcher.http.parts import Parts
from dispatcher.http.server import Runner, listen
from dispatcher.matching.quotes import Quoter
from dispatcher.runtime.places import Place
from dispatcher.security.tokens import claims, mint
from dispatcher.serve.embedded import EmbeddedRedis
from dispatcher.serve.supervisor import listening
from dispatcher.service.service import Service
from dispatcher.settings import Settings
from dispatcher.store.store import Store
from tests.clock import ManualClock
from tests.console.pages import PATIENCE_MS, Pages
from tests.http.conftest import KEYS, NOW_MS, REGISTRY, RING

SHARED = pytest.mark.asyncio(loop_scope="session")
MARKETS = 200  # as many as tests that need one of their own
TZ = "America/New_York"
PLACES = (Place("Upper West Side", -73.97, 40.79), Place("Sutton Place", -73.96, 40.757))
DESK: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
expect.set_options(timeout=PATIENCE_MS)
STAFF = (Role.OPS, Role.COORDINATOR, Role.CASE_MANAGER)
_numbers = itertools.count()


class Desk:
    """A console that is served: markets of one's own, and pages that are signed in."""

    gate: Gate

    def __init__(self, browser: Browser, url: str, parts: Parts, zones: dict[str, ZoneInfo]) -> None:
        self.browser, self.url, self.parts, self.zones = browser, url, parts, zones
        self.markets = iter(zones)
        self.pages = Pages(browser)
        self.failures = self.pages.failures

    def new_market(self) -> str:
        """A market that no other test uses."""
        return next(self.markets)

    async def call(
        self, market: str, method: str, path: str, body: Any = None, *roles: Role, **more: str
    ) -> Any:
        """What the API answers to staff, or to these roles: whatever a test puts into its market."""
        token = self.token(*roles, market=market)
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": f"c{next(_numbers)}"}
        headers |= {name.replace("_", "-"): value for name, value in more.items()}
        async with (
            ClientSession() as session,
            session.request(
                method, f"{self.url}/v1/markets/{market}{path}", json=body, headers=headers
            ) as answer,
        ):
            told = await answer.json(content_type=None)
            assert answer.status < 400, told
            return told

    def token(self, *roles: Role, market: str) -> str:
        """A bearer token for an hour; a vendor is v1."""
        now_ms, roles = self.parts.clock.now_ms(), roles or STAFF
        own = {"vendor_id": "v1"} if Role.VENDOR in roles else {}
        made = claims(*roles, markets=[market], now_ms=now_ms, hours=1, subject="Dana", **own)
        return mint(KEYS, made)

    def link(self, *roles: Role, market: str) -> str:
        """A one-time link."""
        now_ms = self.parts.clock.now_ms()
        session = claims(*(roles or STAFF), markets=[market], now_ms=now_ms, hours=12, subject="Dana")
        return links.link(self.url, links.code(KEYS, session, now_ms))

    async def open(
        self, path: str, *roles: Role, market: str, viewport: ViewportSize = DESK, **context: Any
    ) -> Page:
        """A page of the console, signed in; what it throws, or what its policy stops, fails the test."""
        page = await self.pages.take(("console",), viewport, **context)
        code = self.link(*roles, market=market).partition("#")[2]  # as its page does, without that page
        headers = {sessions.HEADER: sessions.WORD}
        entered = await page.context.request.post(
            f"{self.url}/console/session", data={"code": code}, headers=headers
        )
        assert entered.ok, await entered.text()
        await page.goto(f"{self.url}/console/{market}/{path or 'today'}")
        await page.wait_for_selector("main h1")
        return page


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def served(redis_server: EmbeddedRedis, browser_program: str) -> AsyncIterator[Desk]:
    zones = {f"con{number}": ZoneInfo(TZ) for number in range(MARKETS)}
    clock = ManualClock(NOW_MS)
    async with Store(redis_server.url, RING) as store, async_playwright() as tools:
        service = Service(store, clock, zones, REGISTRY)
        hub, quoter = Hub(store), Quoter(store, clock, zones)
        parts = Parts(
            service=service,
            hub=hub,
            quoter=quoter,
            clock=clock,
            token_keys=KEYS,
            places=dict.fromkeys(zones, PLACES),
        )
        app = with_console(parts)
        runner = Runner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        with listening(Settings(port=0)) as bound:
            await listen(runner, bound)
            browser = await tools.chromium.launch(executable_path=browser_program, args=["--no-sandbox"])
            desk = Desk(browser, f"http://127.0.0.1:{bound.getsockname()[1]}", parts, zones)
            desk.gate = app[GATE]
            yield desk
            await browser.close()
        await runner.cleanup()
        await hub.aclose()


@pytest_asyncio.fixture(loop_scope="session")
async def desk(served: Desk) -> AsyncIterator[Desk]:
    """The console; at the end nothing must have gone wrong in any page, and all pages are closed."""
    served.failures.clear()
    yield served
    await served.pages.give_back()
    assert served.failures == []
