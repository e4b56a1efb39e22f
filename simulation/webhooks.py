"""The server of vendors that are called: it verifies each call, and now and then takes none."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Mapping

import msgspec
from aiohttp import web
from standardwebhooks import Webhook, WebhookVerificationError

from client.errors import ClientError
from client.vendor import VendorClient
from contracts.events import CloudEvent
from simulation.links import HttpLink
from simulation.tally import Tally

HOST = "127.0.0.1"
LEAVES_WITHIN_S = 2.0
BUSY = 0.03  # of calls: it cannot take them at their first attempt


class WebhookServer:
    """One server for all vendors of the day that are called, each at a path of its own."""

    def __init__(self, tally: Tally, seed: int) -> None:
        self.tally, self.seed = tally, seed
        self.inboxes: dict[str, Inbox] = {}
        self._runner: web.AppRunner | None = None
        self._url = ""

    async def start(self) -> None:
        """Listen, on any free port."""
        app = web.Application()
        app.router.add_post("/{vendor}", self._called)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, HOST, 0).start()
        self._url = f"http://{HOST}:{self._runner.addresses[0][1]}"

    def url(self, vendor_id: str) -> str:
        """Where that vendor is called."""
        return f"{self._url}/{vendor_id}"

    async def close(self) -> None:
        """Take no more calls."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _called(self, request: web.Request) -> web.Response:
        inbox = self.inboxes.get(request.match_info["vendor"])
        if inbox is None:
            return web.Response(status=404)
        name = request.headers.get("webhook-id", "")
        if name not in inbox.tried and random.Random(f"{self.seed}/busy/{name}").random() < BUSY:
            inbox.tried.add(name)
            self.tally.vendors["webhook calls put off"] += 1
            return web.Response(status=503)
        return web.Response(status=204 if inbox.takes(await request.read(), request.headers) else 400)


class Inbox:
    """What one vendor was called with, each event once."""

    def __init__(self, secret: str) -> None:
        self.verifier = Webhook(secret)
        self.tried, self.taken = set[str](), set[str]()
        self.events: asyncio.Queue[CloudEvent] = asyncio.Queue()

    def takes(self, body: bytes, headers: Mapping[str, str]) -> bool:
        """Whether it is signed as it should be; a repeated one changes nothing."""
        try:
            self.verifier.verify(body, dict(headers), json_parse=False)
        except (WebhookVerificationError, ValueError):  # what is no base64, too
            return False
        name = headers["webhook-id"]
        if name not in self.taken:
            self.taken.add(name)
            self.events.put_nowait(msgspec.json.decode(body, type=CloudEvent))
        return True


class WebhookLink(HttpLink):
    """A vendor whose server is called; it answers over HTTP."""

    def __init__(self, client: VendorClient, vendor_id: str, server: WebhookServer) -> None:
        super().__init__(client)
        self.vendor_id, self.server, self.hook_id = vendor_id, server, ""

    async def open(self) -> None:
        """It says where it is called."""
        hook = await self.client.make_webhook(self.server.url(self.vendor_id), key=f"{self.vendor_id}-1")
        self.hook_id = hook.id
        secret = (await self.client.webhook_secret(hook.id)).secret
        self.server.inboxes[self.vendor_id] = Inbox(secret)

    async def events(self) -> AsyncIterator[CloudEvent]:
        """What it is called with."""
        inbox = self.server.inboxes[self.vendor_id]
        while True:
            yield await inbox.events.get()

    async def close(self) -> None:
        """Its server goes: it wants no calls, for whoever looks at the service afterwards."""
        if self.hook_id:
            with contextlib.suppress(ClientError, TimeoutError):
                async with asyncio.timeout(LEAVES_WITHIN_S):
                    await self.client.disable_webhook(self.hook_id)
        await super().close()
