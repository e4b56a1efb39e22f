"""A webhook, signed as Standard Webhooks has it: `webhook-id`, `webhook-timestamp`, `webhook-signature`.

Only the URL of the settings is called: no redirect is followed, no proxy of the environment used.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

import aiohttp
import msgspec
from yarl import URL

from client.pauses import retry_after_s
from contracts.instants import to_instant
from dispatcher.delivery.notify.notifier import LIMIT_S, Note, Undelivered
from dispatcher.runtime.clock import Clock
from dispatcher.runtime.urls import WebhookUrl

LONGEST_RETRY_AFTER_S = 3_600.0
GONE = 410  # the receiver wants nothing any more


class Webhook:
    """See `Notifier`. The receiver drops doubles by `webhook-id`, and calls or mails people itself."""

    def __init__(self, url: WebhookUrl, secret: bytes, clock: Clock) -> None:
        self._url, self._secret, self._clock = URL(url, encoded=True), secret, clock
        self._session: aiohttp.ClientSession | None = None

    def reaches(self, note: Note) -> bool:
        """It knows coordinators itself; a patient by phone or mail."""
        return note.audience != "patient" or bool(note.phone or note.email)

    async def send(self, note: Note) -> None:
        """Any 2xx is taken. Raises Undelivered."""
        body = payload(note, self._clock.now_ms())
        headers = signed(note.id, self._clock.now_ms() // 1000, body, self._secret)
        try:
            async with self._opened().post(
                self._url, data=body, headers=headers, allow_redirects=False
            ) as answer:
                _refuse(answer)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Undelivered(type(error).__name__) from None  # its text may hold the URL

    async def aclose(self) -> None:
        """Close the connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=LIMIT_S)
            self._session = aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar())
        return self._session


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


def signed(message_id: str, at_s: int, body: bytes, secret: bytes) -> dict[str, str]:
    """The headers that say who sent it: HMAC-SHA256 over id, time and body, with a dot between."""
    content = b"%b.%d.%b" % (message_id.encode(), at_s, body)
    signature = base64.b64encode(hmac.digest(secret, content, hashlib.sha256)).decode()
    return {
        "Content-Type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(at_s),
        "webhook-signature": f"v1,{signature}",
    }


def _refuse(answer: aiohttp.ClientResponse) -> None:
    if 200 <= answer.status < 300:
        return
    asked_s = min(retry_after_s(answer.headers), LONGEST_RETRY_AFTER_S)
    raise Undelivered(f"http_{answer.status}", final=answer.status == GONE, retry_after_s=asked_s)
