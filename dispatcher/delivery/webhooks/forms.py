"""What events are said in: CloudEvents as JSON; other forms are given by whoever starts the callers."""

from __future__ import annotations

from typing import Protocol

from contracts.webhooks import as_json
from dispatcher.delivery.webhooks.content import Event
from dispatcher.domain.webhooks import WebhookRecord

MOST_BODY = 65_536  # bytes


class Form(Protocol):
    """One of them."""

    media: str  # the Content-Type

    async def body(self, market: str, hook: WebhookRecord, event: Event) -> bytes | None:
        """What is sent; None: it has no words for this event. Raises Unreadable, Unavailable."""


class CloudEvents:
    """The event as JSON; without its data where that would be too much: then it is read over HTTP."""

    media = "application/json"

    async def body(self, market: str, hook: WebhookRecord, event: Event) -> bytes | None:
        """See `Form`."""
        whole = as_json(event)
        return whole if len(whole) <= MOST_BODY else as_json(event | {"data": {}}, datatoolarge=True)
