"""What a platform does: submit, look, hold, cancel, quote, listen. And ops: vendors, capacity."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import date

import msgspec

from client import sse
from client.errors import Problem
from client.http import Connection
from contracts.capacity import Capacity
from contracts.codes import Requirement
from contracts.quotes import Quotes
from contracts.request_views import PutOnHold, RequestPage, RequestView, Resume
from contracts.requests import MAX_BATCH, Request, RequestBatch
from contracts.tuning import Number, TuningUpdate, TuningView
from contracts.vendors import Vendor

CHANGED_MEANWHILE = frozenset({412, 428})


class PlatformClient(Connection):
    """Calls with a `platform` token (or `ops`, for vendors and capacity)."""

    async def submit(self, requests: Request | Sequence[Request], *, key: str | None = None) -> list[str]:
        """Store one request or up to 1,000 in one commit; returns their ids once they are durable.

        After Unreachable, call again with the same `key` (make one with `new_key`): one effect.
        """
        if isinstance(requests, Request):
            await self.exchange("POST", "/requests", body=requests, key=key)
            return [requests.id]
        if len(requests) > MAX_BATCH:
            raise ValueError(f"{len(requests)} requests in one call; the limit is {MAX_BATCH}")
        await self.exchange("POST", "/requests", body=RequestBatch(requests=tuple(requests)), key=key)
        return [request.id for request in requests]

    async def view(self, request_id: str) -> RequestView:
        """A request's state, history, match or reasons. Raises Problem 404."""
        return await self.call("GET", f"/requests/{request_id}", RequestView)

    async def views(self, state: str = "") -> AsyncIterator[RequestView]:
        """All requests (of one state), page by page."""
        cursor = ""
        while True:
            params = {"limit": "200"} | ({"state": state} if state else {})
            page = await self.call(
                "GET", "/requests", RequestPage, params=params | ({"cursor": cursor} if cursor else {})
            )
            for view in page.requests:
                yield view
            if not (cursor := page.cursor):
                return

    async def cancel(self, request_id: str) -> None:
        """Cancel: capacity is released and the vendor is told."""
        await self.exchange("POST", f"/requests/{request_id}/cancel")

    async def hold(self, request_id: str, reason: Requirement = Requirement.AUTHORIZATION) -> None:
        """Seek no vendor until it is resumed. Raises Problem 409 when one has it already."""
        await self.exchange("POST", f"/requests/{request_id}/hold", body=PutOnHold(reason=reason))

    async def resume(self, request_id: str, requirement: Requirement | None = None) -> None:
        """What it waited for is there (None: all of it): a vendor is sought once nothing is missing."""
        await self.exchange("POST", f"/requests/{request_id}/resume", body=Resume(requirement=requirement))

    async def quotes(self, request: Request) -> Quotes:
        """Ranked vendors and start times with price, for a request that is not stored; books nothing."""
        return await self.call("POST", "/quotes", Quotes, body=request)

    def events(self, after: str = "") -> AsyncIterator[sse.Received]:
        """The market's events from now on, or after a position, resumed when the connection breaks."""
        return sse.follow(self, after)

    async def put_vendor(self, vendor: Vendor, *, version: str | None = None) -> str:
        """Register or change a vendor; `version` is the ETag of what is replaced. Returns the new ETag."""
        return await self._put(f"/vendors/{vendor.id}", vendor, version)

    async def put_capacity(
        self, vendor_id: str, day: date, capacity: Capacity, *, version: str | None = None
    ) -> str:
        """Post a vendor's capacity of one day; refused when it falls below what is booked."""
        return await self._put(f"/vendors/{vendor_id}/capacity/{day.isoformat()}", capacity, version)

    async def put_tuning(self, values: Mapping[str, Number], *, reason: str) -> TuningView:
        """Replace all overrides of the market's tuning, whatever version is current."""
        headers, _ = await self.exchange("GET", "/tuning")
        update = TuningUpdate(values=dict(values), reason=reason)
        condition = {"If-Match": headers["ETag"]}
        return await self.call("PUT", "/tuning", TuningView, body=update, headers=condition)

    async def _put(self, path: str, body: Vendor | Capacity, version: str | None) -> str:
        """Put until it is there: after a lost answer the repetition finds its own body, and is content."""
        condition = {"If-Match": version} if version else {}
        try:
            headers, _ = await self.exchange("PUT", path, body=body, headers=condition)
        except Problem as problem:
            if problem.status not in CHANGED_MEANWHILE:
                raise
            headers, content = await self.exchange("GET", path)
            if msgspec.json.decode(content, type=type(body)) != body:
                raise
        return headers.get("ETag", "")


def new_key() -> str:
    """An Idempotency-Key for one intention, however often it is sent."""
    return uuid.uuid4().hex
