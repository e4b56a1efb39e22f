"""Webhooks: set, changed, rotated, replayed; how calls went, and what is sent again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from client.answers import about
from client.http import Connection, segment
from client.pages import pages
from contracts.base import Wire
from contracts.webhooks import (
    DeadDelivery,
    DeadDeliveryPage,
    Delivery,
    DeliveryPage,
    ForgetDeadDeliveries,
    NewWebhook,
    ReplayWebhook,
    RotateSecret,
    SendWebhookAgain,
    TestCall,
    WebhookForm,
    WebhookPage,
    WebhookSecret,
    WebhookSettings,
    WebhookView,
)

WEBHOOKS = "/webhooks"


class WebhookClient(Connection):
    """Calls with a token of a vendor, for its own; of the platform, for the platform's; of ops, for all."""

    async def make_webhook(
        self,
        url: str,
        events: Sequence[str] = (),
        *,
        key: str,
        description: str = "",
        vendor_id: str | None = None,
        form: WebhookForm | None = None,
    ) -> WebhookView:
        """Have this URL called with these types of event (none: all) from now on; under one key once.

        Raises Problem 422 for a URL that may not be called, 409 when there are as many as may be.
        """
        body = NewWebhook(
            url=url, events=tuple(events), description=description, vendor_id=vendor_id, form=form
        )
        return await self.call("POST", WEBHOOKS, WebhookView, statuses={201}, body=body, key=key)

    async def webhooks(self) -> AsyncIterator[WebhookView]:
        """The oldest first."""
        async for page in pages(self, WEBHOOKS, WebhookPage, {}):
            for one in page.webhooks:
                yield one

    async def webhook(self, webhook_id: str) -> WebhookView:
        """How it does. Raises Problem 404."""
        found = await self.call("GET", _path(webhook_id), WebhookView)
        return about(found, found.id, webhook_id, f"GET {_path(webhook_id)}")

    async def change_webhook(
        self,
        webhook_id: str,
        url: str,
        events: Sequence[str] = (),
        *,
        description: str = "",
        form: WebhookForm | None = None,
    ) -> WebhookView:
        """Another URL, or other types of event; the form stays, unless another is named."""
        body = WebhookSettings(url=url, events=tuple(events), description=description, form=form)
        found = await self.call("PUT", _path(webhook_id), WebhookView, body=body)
        return about(found, found.id, webhook_id, f"PUT {_path(webhook_id)}")

    async def remove_webhook(self, webhook_id: str) -> None:
        """With what waits for it, its log and its dead letters."""
        await self.call("DELETE", _path(webhook_id), WebhookPage)

    async def webhook_secret(self, webhook_id: str) -> WebhookSecret:
        """What to verify calls with."""
        return await self.call("GET", f"{_path(webhook_id)}/secret", WebhookSecret)

    async def rotate_webhook_secret(
        self, webhook_id: str, *, overlap_hours: int = 24, key: str | None = None
    ) -> WebhookView:
        """Another secret; meanwhile calls are signed with both."""
        return await self._do(webhook_id, "rotate-secret", RotateSecret(overlap_hours=overlap_hours), key)

    async def enable_webhook(self, webhook_id: str, *, key: str | None = None) -> WebhookView:
        """It hears what was told meanwhile."""
        return await self._do(webhook_id, "enable", None, key)

    async def disable_webhook(self, webhook_id: str, *, key: str | None = None) -> WebhookView:
        """Nothing is sent until it is enabled."""
        return await self._do(webhook_id, "disable", None, key)

    async def replay_webhook(
        self,
        webhook_id: str,
        *,
        after: str | None = None,
        since: datetime | None = None,
        key: str | None = None,
    ) -> WebhookView:
        """Once more what followed a position, or was told since an instant by the store's clock."""
        return await self._do(webhook_id, "replay", ReplayWebhook(after=after, since=since), key)

    async def send_webhook_again(
        self, webhook_id: str, letters: Sequence[str] = (), *, key: str | None = None
    ) -> WebhookView:
        """Its dead letters, these or all, once more. Raises Problem 409 while it is disabled."""
        return await self._do(webhook_id, "send-again", SendWebhookAgain(letters=tuple(letters)), key)

    async def test_webhook(self, webhook_id: str, *, key: str | None = None) -> TestCall:
        """Have it called once with an event that is no news; the log of deliveries says what became of it."""
        path = f"{_path(webhook_id)}/test"
        return await self.call("POST", path, TestCall, statuses={202}, key=key)

    async def deliveries(self, webhook_id: str) -> AsyncIterator[Delivery]:
        """Its last calls, the newest first."""
        async for page in pages(self, f"{_path(webhook_id)}/deliveries", DeliveryPage, {}):
            for one in page.deliveries:
                yield one

    async def dead_deliveries(self, webhook_id: str) -> AsyncIterator[DeadDelivery]:
        """What it did not take for as long as it is tried, the newest first."""
        async for page in pages(self, f"{_path(webhook_id)}/dead-letters", DeadDeliveryPage, {}):
            for one in page.letters:
                yield one

    async def forget_dead_deliveries(self, webhook_id: str, letters: Sequence[str] = ()) -> None:
        """They are listed no more: these, or all."""
        body = ForgetDeadDeliveries(letters=tuple(letters))
        await self.call("POST", f"{_path(webhook_id)}/dead-letters/forget", DeadDeliveryPage, body=body)

    async def _do(self, webhook_id: str, step: str, body: Wire | None, key: str | None) -> WebhookView:
        path = f"{_path(webhook_id)}/{step}"
        found = await self.call("POST", path, WebhookView, body=body, key=key)
        return about(found, found.id, webhook_id, f"POST {path}")


def _path(webhook_id: str) -> str:
    return f"{WEBHOOKS}/{segment(webhook_id)}"
