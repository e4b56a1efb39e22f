"""A webhook for notifications: signed and sent as every other is (`delivery.webhooks.sending`).

Only the URL of the settings is called: no redirect is followed, no proxy of the environment used.
"""

from __future__ import annotations

import msgspec

from contracts.instants import to_instant
from dispatcher.delivery.notify.notifier import Note
from dispatcher.delivery.webhooks.sending import Poster, signed
from dispatcher.runtime.clock import Clock, unix_s
from dispatcher.runtime.urls import WebhookUrl


class Webhook:
    """See `Notifier`. The receiver drops doubles by `webhook-id`, and calls or mails people itself."""

    def __init__(self, url: WebhookUrl, secret: bytes, clock: Clock) -> None:
        self._url, self._secret, self._clock = url, secret, clock
        self._poster = Poster()

    def reaches(self, note: Note) -> bool:
        """It knows coordinators itself; a patient by phone or mail."""
        return note.audience != "patient" or bool(note.phone or note.email)

    async def send(self, note: Note) -> None:
        """Any 2xx is taken. Raises Undelivered."""
        body = payload(note, self._clock.now_ms())
        headers = signed(note.id, unix_s(), body, [self._secret])
        await self._poster.post(self._url, body, headers)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._poster.aclose()


def payload(note: Note, now_ms: int) -> bytes:
    """The call's body."""
    to = {name: value for name, value in (("phone", note.phone), ("email", note.email)) if value}
    data = {
        "notification_id": note.id,
        "audience": note.audience,
        "template": note.template,
        "language": note.language,
        "subject": note.subject,
        "text": note.text,
        "to": to,
        "request_id": note.request_id,
        **({"offer_id": note.offer_id} if note.offer_id else {}),
    }
    return msgspec.json.encode(
        {"type": "dispatch.notification.due", "timestamp": to_instant(now_ms), "data": data}
    )
