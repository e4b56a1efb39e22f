"""Makes one call of a webhook: the event in its form, signed, sent; and says what that came to."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import msgspec
import structlog

from contracts.webhooks import WebhookForm
from dispatcher.delivery.webhooks.content import GAP, Event, event_of, gap_event, webhook_id
from dispatcher.delivery.webhooks.forms import Form
from dispatcher.delivery.webhooks.kept import Kept
from dispatcher.delivery.webhooks.sending import Poster, Undelivered, signed
from dispatcher.delivery.webhooks.test_calls import event_of_test
from dispatcher.delivery.webhooks.trial import Trial
from dispatcher.domain.commands.webhooks import GONE
from dispatcher.domain.refusals import Unavailable, Unreadable
from dispatcher.domain.webhooks import TEST
from dispatcher.runtime.clock import unix_s
from dispatcher.runtime.logs import outline
from dispatcher.store.webhooks import Sent

LOST, UNREADABLE = "lost", "unreadable"
NO_WORDS = "no_words"  # its form has none for this event: nothing is sent
log = structlog.get_logger()


class Making:
    """Of one webhook, in the form that it is set to."""

    def __init__(self, poster: Poster, kept: Kept, forms: Mapping[WebhookForm, Form]) -> None:
        self.poster, self.kept, self.forms = poster, kept, forms

    async def call(self, sent: Sent, event: bytes) -> Trial:
        """What it came to. `event` is empty where it has to be read anew. Raises Unavailable."""
        began_s = time.monotonic()

        def trial(code: str, **more: Any) -> Trial:
            return Trial(sent, code, round(1_000 * (time.monotonic() - began_s)), **more)

        form = self.forms[self.kept.hook.form]
        try:
            told = await self._told(sent, event)
            if told is None:
                return trial(LOST, final=True)
            body = await form.body(self.kept.market, self.kept.hook, told)
        except (msgspec.MsgspecError, TypeError, ValueError):
            return trial(UNREADABLE, final=True)
        except Unreadable:
            return trial(UNREADABLE)
        except Unavailable:
            raise
        except Exception as error:  # its text may hold what was to be sent; the other events go on
            log.error("webhook_event_failed", market=self.kept.market, id=self.kept.hook.id, **outline(error))
            return trial(UNREADABLE)
        if body is None:
            return trial(NO_WORDS)
        try:
            await self._post(sent, body, form.media)
        except Unreadable:
            return trial(UNREADABLE)
        except Undelivered as error:
            asked_ms = round(1_000 * error.retry_after_s)
            return trial(GONE if error.final else error.code, asked_ms=asked_ms)
        return trial("")

    async def _post(self, sent: Sent, body: bytes, media: str) -> None:
        kept, hook = self.kept, self.kept.hook
        secrets = kept.part.secrets(hook, kept.now_ms)
        headers = signed(webhook_id(kept.market, sent), unix_s(), body, secrets, media)
        await self.poster.post(hook.address, body, headers)

    async def _told(self, sent: Sent, event: bytes) -> Event | None:
        """None: it is kept no more."""
        if sent.stream == GAP:
            return gap_event(self.kept.market, sent)
        if sent.stream == TEST:
            return event_of_test(self.kept.market, sent)
        if not event:
            entries = await self.kept.part.streams.entries(sent.stream, [sent.entry_id])
            event = entries[0].event if entries else b""
        return event_of(event) if event else None
