"""A webhook of one market and who receives it, both real; and what sends to it."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
from aiohttp import web

from contracts.codes import RequestState, Role
from contracts.events import RequestChanged
from contracts.webhooks import NewWebhook
from dispatcher.delivery.hub import Hub
from dispatcher.delivery.webhooks.callers import Callers
from dispatcher.delivery.webhooks.sending import Poster
from dispatcher.domain.decision import Message
from dispatcher.domain.webhooks import WebhookRecord
from dispatcher.runtime.addresses import Networks
from dispatcher.store.idempotency import IdempotencyRecord
from tests.delivery.receivers import Receiver
from tests.service.world import World

LOOPBACK = Networks("127.0.0.0/8")
_numbers = itertools.count()


class Hooks:
    """What a test does with webhooks of a world."""

    def __init__(self, world: World) -> None:
        self.world, self.service = world, world.service
        self.service.webhooks.networks = LOOPBACK
        self.part = world.store.market(world.market).webhooks
        self.platform = world.someone(Role.PLATFORM)

    async def made(self, url: str, **more: Any) -> WebhookRecord:
        """One of the platform's; it hears of requests alone."""
        more = {"events": ("dispatch.request.changed",)} | more
        key = IdempotencyRecord.of("webhooks", f"k{next(_numbers)}", b"")
        return await self.service.webhooks.make(
            self.platform, self.world.market, NewWebhook(url=url, **more), key
        )

    async def tell(self, *names: str, **more: Any) -> None:
        """One event on each of these requests; each time a later version."""
        for name in names:
            number = next(_numbers) + 1
            news = RequestChanged(request_id=name, state=RequestState.RECEIVED, version=number, **more)
            message = Message(type="dispatch.request.changed", subject=name, data=news)
            await self.world.store.market(self.world.market).announce(
                message, event_id=f"{name}.{number}.0", at_ms=self.world.clock.now_ms()
            )

    @contextlib.asynccontextmanager
    async def sending(self, owner: str = "one", poster: Poster | None = None) -> AsyncIterator[None]:
        """The part of a matcher process that calls them, until the block ends."""
        hub, own = Hub(self.world.store), poster or Poster(LOOPBACK)
        task = asyncio.create_task(Callers(self.service, hub, own, owner).run(self.world.market))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await own.aclose()
            await hub.aclose()

    async def now(self, hook: WebhookRecord) -> WebhookRecord:
        """As it stands."""
        found = await self.part.records.get(hook.id)
        assert found is not None
        return found

    async def until(self, holds: Callable[[], Any]) -> None:
        """Until it holds; what is waited for may be asked of the store."""
        async with asyncio.timeout(30):  # so long only where it never comes
            while True:
                found = holds()
                if await found if asyncio.iscoroutine(found) else found:
                    return
                await asyncio.sleep(0.005)

    async def waits(self, hook: WebhookRecord, number: int) -> bool:
        """Whether so many events wait to be tried again, as it is stored."""
        return len(await self.part.waiting(hook.id)) == number

    async def later(self, hours: float) -> None:
        """So much time goes by."""
        self.world.clock.ms += round(hours * 3_600_000)


def told(receiver: Receiver) -> list[tuple[str, int]]:
    """What it heard: of which request, which version; in its order."""
    found = [msgspec.json.decode(body) for _, body in receiver.calls]
    return [(each["subject"], each["data"].get("version", 0)) for each in found]


def ids(receiver: Receiver) -> list[str]:
    """The ids of the calls."""
    return [headers["webhook-id"] for headers, _ in receiver.calls]


def says(status: int, **headers: str) -> Callable[[int], web.Response]:
    """Answers so, always."""
    return lambda number: web.Response(
        status=status, headers={k.replace("_", "-"): v for k, v in headers.items()}
    )
