"""The platform's routes: submit, list, read, cancel, hold, resume, quote."""

from __future__ import annotations

from typing import Protocol, cast

import msgspec

from contracts.quotes import Quotes
from contracts.request_views import Receipt, Receipts, RequestPage
from contracts.requests import Request, RequestBatch
from dispatcher.domain.commands.cancel import CancelRequest
from dispatcher.domain.commands.on_hold import HoldRequest, ResumeRequest
from dispatcher.domain.commands.subjects import OnRequest
from dispatcher.domain.views import request_view
from dispatcher.http.call import Call, Reply, etag
from dispatcher.http.metrics import Metrics
from dispatcher.service.service import Service
from dispatcher.store.idempotency import IdempotencyRecord


class Quoter(Protocol):
    """Who answers quotes: `dispatcher.matching.quotes.Quoter`."""

    async def quote(self, market: str, request: Request) -> Quotes:
        """Ranked vendors and start times, or why there are none."""


class Requests:
    """Handlers over the service; `quoter` answers quotes."""

    def __init__(self, service: Service, quoter: Quoter, metrics: Metrics) -> None:
        self.service, self.quoter, self.metrics = service, quoter, metrics

    async def submit(self, call: Call) -> Reply:
        """202 once all of them are durable; a repeat under the same key answers the same."""
        batch = isinstance(call.body, RequestBatch)
        requests = call.body.requests if batch else (call.body,)
        content = msgspec.msgpack.encode(requests)
        idempotency = cast(IdempotencyRecord, call.idempotency("submit", content))
        ids = await self.service.requests.submit(call.principal, call.market, requests, idempotency)
        self.metrics.accepted.inc(len(ids))
        base = f"/v1/markets/{call.market}/requests"
        receipts = tuple(Receipt(id=each, href=f"{base}/{each}") for each in ids)
        return Reply(Receipts(requests=receipts), 202, {"Location": base if batch else receipts[0].href})

    async def list(self, call: Call) -> Reply:
        """A page by time received."""
        asked = call.query
        views, cursor = await self.service.requests.page(
            call.principal, call.market, asked.state, asked.cursor or None, asked.limit
        )
        return Reply(RequestPage(requests=tuple(views), cursor=cursor or ""))

    async def get(self, call: Call) -> Reply:
        """State, history, match or reasons."""
        view = await self.service.requests.view(call.principal, call.market, call.path["request_id"])
        return Reply(view, headers=etag(view.version))

    async def cancel(self, call: Call) -> Reply:
        """Cancelled, or cancelled before: the same answer."""
        code = call.body.code.value if call.body.code else ""
        return await self._changed(
            call, "cancel", CancelRequest(request_id=call.path["request_id"], code=code)
        )

    async def hold(self, call: Call) -> Reply:
        """On hold, or on hold before: the same answer."""
        command = HoldRequest(request_id=call.path["request_id"], requirement=call.body.reason)
        return await self._changed(call, "hold", command)

    async def resume(self, call: Call) -> Reply:
        """A vendor is sought once nothing is missing; the same answer when that was said before."""
        command = ResumeRequest(request_id=call.path["request_id"], requirement=call.body.requirement)
        return await self._changed(call, "resume", command)

    async def _changed(self, call: Call, scope: str, command: OnRequest) -> Reply:
        idempotency = call.idempotency(f"{scope}/{command.request_id}")
        record = await self.service.execute(call.principal, call.market, command, idempotency)
        return Reply(request_view(record), headers=etag(record.version))

    async def quote(self, call: Call) -> Reply:
        """Ranked vendors and start times, or why there are none."""
        request: Request = call.body
        return Reply(await self.quoter.quote(call.market, request))
