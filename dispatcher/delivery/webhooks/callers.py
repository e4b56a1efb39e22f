"""The webhooks of a market, each called by itself; of several processes one calls, by a lease."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping, Sequence

import structlog

from contracts.webhooks import WebhookForm, WebhookState
from dispatcher.delivery.hub import Hub
from dispatcher.delivery.webhooks.caller import Caller
from dispatcher.delivery.webhooks.forms import CloudEvents, Form
from dispatcher.delivery.webhooks.kept import BY, Kept, Superseded, sealed_anew
from dispatcher.delivery.webhooks.sending import Poster
from dispatcher.domain.refusals import Refusal, Unavailable
from dispatcher.domain.webhooks import WebhookRecord
from dispatcher.runtime.cancellation import cancel_requested
from dispatcher.service.loops import WEBHOOKS
from dispatcher.service.service import Service
from dispatcher.store.webhooks import WebhookPart

LOOK_EVERY_S = 1.0  # real: which webhooks there are, and how they are set
LEASE_MS = 10_000  # real
RENEW_EVERY_S = 3.0
AGAIN_S = 5.0  # after a fault in one's own caller
log = structlog.get_logger()


class Callers:
    """`owner`: who we are, in leases; `forms`: what events may be said in, beside CloudEvents."""

    def __init__(
        self,
        service: Service,
        hub: Hub,
        poster: Poster,
        owner: str,
        forms: Mapping[WebhookForm, Form] = {},
    ) -> None:
        self.service, self.hub, self.poster, self.owner = service, hub, poster, owner
        self.forms = {WebhookForm.CLOUD_EVENTS: CloudEvents(), **forms}

    async def run(self, market: str) -> None:
        """Call the market's webhooks until cancelled. A store that is away is waited for."""
        one, waits = _Market(self, market), self.service.store.waits
        try:
            while not cancel_requested():
                try:
                    await one.look()
                    waits.end(market, WEBHOOKS)
                except Unavailable as refusal:
                    waits.begin(market, WEBHOOKS, refusal)
                await asyncio.sleep(LOOK_EVERY_S)
        finally:
            await one.end()


class _Market:
    """Who is called now, and under which fence."""

    def __init__(self, callers: Callers, market: str) -> None:
        self.of, self.market = callers, market
        self.part: WebhookPart = callers.service.store.market(market).webhooks
        self.fence = ""
        self._renewed_s = 0.0
        self._calling: dict[str, tuple[Caller, asyncio.Task[None]]] = {}
        self._not_before: dict[str, float] = {}

    async def look(self) -> None:
        """Begin what is new, end what is gone, begin anew what was changed."""
        hooks = await self.part.all()
        if not hooks:
            await self.end()
        elif await self._is_ours():
            await self._reconcile(hooks)

    async def end(self) -> None:
        """Call nobody; whoever else may takes the lease at once."""
        await self._stop(list(self._calling))
        if self.fence:
            self.fence = ""
            with contextlib.suppress(Unavailable):
                await self.part.lease.release(self.of.owner)

    async def _is_ours(self) -> bool:
        now_s = time.monotonic()
        if self.fence and now_s - self._renewed_s < RENEW_EVERY_S:
            return True
        if self.fence and await self.part.lease.renew(self.of.owner, LEASE_MS):
            self._renewed_s = now_s
            return True
        await self._stop(list(self._calling))
        self.fence = await self.part.lease.acquire(self.of.owner, LEASE_MS) or ""
        self._renewed_s = now_s
        return bool(self.fence)

    async def _reconcile(self, hooks: Sequence[WebhookRecord]) -> None:
        wanted = {each.id: each for each in hooks if each.state is not WebhookState.DISABLED}
        changed = [
            name
            for name, (caller, task) in self._calling.items()
            if task.done() or name not in wanted or not caller.kept.goes_on_with(wanted[name])
        ]
        await self._stop(changed)
        gone = set(changed) - {each.id for each in hooks}
        for name in gone:
            await self.part.forget(name)
        for hook in hooks:
            await self._seal_anew(hook)
        for name, hook in wanted.items():
            if name not in self._calling and self._not_before.get(name, 0.0) <= time.monotonic():
                self._begin(hook)

    def _begin(self, hook: WebhookRecord) -> None:
        of = self.of
        caller = Caller(of.hub, of.poster, Kept(of.service, self.market, hook, self.fence), of.forms)
        self._calling[hook.id] = caller, asyncio.create_task(caller.run())

    async def _stop(self, names: Sequence[str]) -> None:
        tasks = {name: self._calling.pop(name)[1] for name in names}
        for task in tasks.values():
            task.cancel()
        for name, result in zip(
            tasks, await asyncio.gather(*tasks.values(), return_exceptions=True), strict=True
        ):
            if isinstance(result, Exception) and not isinstance(result, Superseded | Unavailable):
                self._not_before[name] = time.monotonic() + AGAIN_S  # it holds up no other
                log.error("webhook_failed", market=self.market, id=name, error=type(result).__name__)

    async def _seal_anew(self, hook: WebhookRecord) -> None:
        """Secrets lie under the patient key that is in use: the one before may go some day."""
        if not self.part.is_under_another_key(hook):
            return
        try:
            command = sealed_anew(self.of.service, self.market, hook)
            await self.of.service.executor.attempt(BY, self.market, command, hook)
        except Unavailable:
            raise
        except Refusal:  # its key is not here: that is told of elsewhere
            return
