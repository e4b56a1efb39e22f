"""A webhook amid kills: what became of each request is told to the end, in order, signed, however often."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection

from contracts.codes import RequestState
from dispatcher.domain.states import TERMINAL
from simulation.cast import Cast
from simulation.webhooks import HOST, Inbox, WebhookServer

NETWORK, PLATFORM = f"{HOST}/32", "platform"
CHANGED = "dispatch.request.changed"
END_S = 300.0  # real: a pause between two tries passes as fast as the day does


class Hooked:
    """The platform's webhook, and the server that is called; now and then it takes nothing."""

    def __init__(self, cast: Cast, seed: int) -> None:
        self.cast, self.server = cast, WebhookServer(cast.tally, seed)
        self.told = dict[str, list[tuple[int, RequestState]]]()  # by request, in the order in which it came

    async def __aenter__(self) -> Hooked:
        """It is told of what becomes of requests from now on."""
        await self.server.start()
        hook = await self.cast.client.make_webhook(self.server.url(PLATFORM), [CHANGED], key="chaos")
        self.server.inboxes[PLATFORM] = Inbox((await self.cast.client.webhook_secret(hook.id)).secret)
        return self

    async def __aexit__(self, *ended: object) -> None:
        await self.server.close()

    async def amiss(self, ids: Collection[str]) -> list[str]:
        """Of these, which have all ended: those whose end was not told, or not in order."""
        deadline_s = time.monotonic() + END_S
        while (left := [each for each in ids if not self._has_ended(each)]) and time.monotonic() < deadline_s:
            await asyncio.sleep(0.1)
        turned = [name for name, told in self.told.items() if told != sorted(told)]
        return [f"a webhook was not told of the end of {name}" for name in left] + [
            f"a webhook was told of {name} out of order" for name in turned
        ]

    def _has_ended(self, name: str) -> bool:
        inbox = self.server.inboxes[PLATFORM]
        while not inbox.events.empty():
            said = inbox.events.get_nowait().data
            self.told.setdefault(said["request_id"], []).append(
                (said["version"], RequestState(said["state"]))
            )
        return any(state in TERMINAL for _, state in self.told.get(name, []))
