"""What a platform does: submit, look, hold, activate, cancel, quote, listen. And ops: vendors, capacity."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime

from client import sse
from client.answers import about
from client.barriers import Barriers
from client.episodes import EpisodeClient
from client.errors import Problem, UnexpectedAnswer
from client.http import segment
from client.pages import pages
from client.posting import CHANGED_MEANWHILE, Posting, etag
from client.prices import Prices
from client.proofs import Proofs
from client.statements import StatementReader
from client.threads import Threads
from client.webhooks import WebhookClient
from contracts.amendments import Amend
from contracts.base import Wire
from contracts.codes import Requirement
from contracts.counters import AnswerCounter
from contracts.patient_reads import ReadReason
from contracts.patients import Patient
from contracts.quotes import Quotes
from contracts.request_batch import RequestBatch
from contracts.request_views import AmendedRequest, PutOnHold, Receipts, RequestPage, RequestView, Resume
from contracts.requests import MAX_BATCH, Request
from contracts.tuning import TuningUpdate, TuningView, Value
from contracts.will_call import Activate

REQUESTS, TUNING = "/requests", "/tuning"
ACCEPTED = frozenset({202})
TRIES = 5  # somebody else may change the tuning between our look and our change, now and then


class PlatformClient(
    EpisodeClient, Posting, Threads, Barriers, Prices, StatementReader, Proofs, WebhookClient
):
    """Calls with a `platform` token (or `ops`, for vendors and capacity)."""

    async def submit(self, requests: Request | Sequence[Request], *, key: str | None = None) -> list[str]:
        """Store one request or up to 1,000 in one commit; returns their ids once they are durable.

        After Unreachable, call again with the same `key` (make one with `new_key`): one effect.
        """
        single = isinstance(requests, Request)
        batch: tuple[Request, ...] = (requests,) if isinstance(requests, Request) else tuple(requests)
        if len(batch) > MAX_BATCH:
            raise ValueError(f"{len(batch)} requests in one call; the limit is {MAX_BATCH}")
        body = batch[0] if single else RequestBatch(requests=batch)
        receipts = await self.call("POST", REQUESTS, Receipts, statuses=ACCEPTED, body=body, key=key)
        told, sent = [each.id for each in receipts.requests], [each.id for each in batch]
        if told != sent:
            raise UnexpectedAnswer(
                f"POST {REQUESTS}", 202, f"{len(told)} receipts, not those of {len(sent)} sent"
            )
        return sent

    async def view(self, request_id: str) -> RequestView:
        """All that was asked, state, history, match or reasons. Raises Problem 404."""
        return await self._request("GET", request_id)

    async def patient(self, request_id: str, reason: ReadReason | None = None) -> Patient:
        """The patient block of a request; that it was read, and by whom, is kept. Raises Problem 404."""
        said = {"reason": reason.value} if reason else {}
        return await self.call("GET", f"{REQUESTS}/{segment(request_id)}/patient", Patient, params=said)

    async def views(self, state: str = "", **wanted: str) -> AsyncIterator[RequestView]:
        """All requests (of one state), page by page; `wanted` as `RequestQuery` has it: `id="ride"`."""
        asked = ({"state": state} if state else {}) | wanted
        async for page in pages(self, REQUESTS, RequestPage, asked):
            for view in page.requests:
                yield view

    async def cancel(self, request_id: str) -> None:
        """Cancel: capacity is released and the vendor is told."""
        await self._request("POST", request_id, "/cancel")

    async def amend(self, request_id: str, patch: Amend, *, key: str | None = None) -> AmendedRequest:
        """Change what is asked; a vendor that has the work is asked to agree. With `requote` only its price.

        Raises Problem 409 when the request has ended, or is on board and more than its destination changes.
        """
        path = f"{REQUESTS}/{segment(request_id)}/amend"
        answer = await self.call("POST", path, AmendedRequest, body=patch, key=key)
        return about(answer, answer.request.id, request_id, f"POST {path}")

    async def take_counter(self, offer_id: str, number: int, *, key: str | None = None) -> RequestView:
        """Take a vendor's counter-offer: it has the work so, the window widened where need be.

        Raises Problem 409 when the offer is not open any more, or its vendor made another counter-offer.
        """
        return await self._counter("take", offer_id, number, key)

    async def refuse_counter(self, offer_id: str, number: int, *, key: str | None = None) -> RequestView:
        """The offer stays open as it was made. Raises Problem as `take_counter`."""
        return await self._counter("refuse", offer_id, number, key)

    async def hold(self, request_id: str, reason: Requirement = Requirement.AUTHORIZATION) -> None:
        """Seek no vendor until it is resumed. Raises Problem 409 when one has it already."""
        await self._request("POST", request_id, "/hold", PutOnHold(reason=reason))

    async def resume(self, request_id: str, requirement: Requirement | None = None) -> None:
        """What it waited for is there (None: all of it): a vendor is sought once nothing is missing."""
        await self._request("POST", request_id, "/resume", Resume(requirement=requirement))

    async def activate(
        self, request_id: str, ready_at: datetime | None = None, *, key: str | None = None
    ) -> RequestView:
        """The passenger of a will-call is ready, now or at `ready_at`: a vendor is sought at once.

        Raises Problem 409 when it has ended or is no will-call, 422 for a time that it cannot have.
        """
        return await self._request("POST", request_id, "/activate", Activate(ready_at=ready_at), key)

    async def quotes(self, request: Request) -> Quotes:
        """Ranked vendors and start times with price, for a request that is not stored; books nothing."""
        return await self.call("POST", "/quotes", Quotes, body=request)

    def events(self, after: str = "") -> AsyncIterator[sse.Received]:
        """The market's events from now on, or after a position, resumed when the connection breaks."""
        return sse.follow(self, after)

    async def put_tuning(self, values: Mapping[str, Value], *, reason: str) -> TuningView:
        """Replace all overrides of the market's tuning, whatever version is current."""
        update = TuningUpdate(values=dict(values), reason=reason)
        for left in reversed(range(TRIES)):
            condition = {"If-Match": etag(await self.exchange("GET", TUNING, TuningView), TUNING)}
            try:
                return await self.call("PUT", TUNING, TuningView, body=update, headers=condition)
            except Problem as problem:
                if problem.status not in CHANGED_MEANWHILE or not left:
                    raise
        raise AssertionError("the last try returns or raises")

    async def _counter(self, step: str, offer_id: str, number: int, key: str | None) -> RequestView:
        path, said = f"/offers/{segment(offer_id)}/counter/{step}", AnswerCounter(number=number)
        view = await self.call("POST", path, RequestView, body=said, key=key)
        return about(view, view.id, offer_id.rpartition(".")[0], f"POST {path}")

    async def _request(
        self,
        method: str,
        request_id: str,
        step: str = "",
        body: Wire | None = None,
        key: str | None = None,
    ) -> RequestView:
        """One request as it stands after a call about it."""
        path = f"{REQUESTS}/{segment(request_id)}{step}"
        view = await self.call(method, path, RequestView, body=body, key=key)
        return about(view, view.id, request_id, f"{method} {path}")


def new_key() -> str:
    """An Idempotency-Key for one intention, however often it is sent."""
    return uuid.uuid4().hex
