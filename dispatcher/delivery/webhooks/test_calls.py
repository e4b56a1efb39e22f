"""Test calls of a webhook: made at once, once, beside all order; the log says what became of each."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from contracts.events import CloudEvent
from contracts.instants import to_instant
from contracts.webhooks import DeliveryOutcome, WebhookTest
from dispatcher.delivery.webhooks.content import Event
from dispatcher.delivery.webhooks.kept import Kept
from dispatcher.delivery.webhooks.queues import Queues
from dispatcher.domain.commands.webhooks import Tried
from dispatcher.domain.webhooks import TEST
from dispatcher.store.webhooks import Sent

TYPE = "dispatch.webhook.test"


class TestCalls:
    """Those that are asked for, until the log has them. Whoever dies in between makes them again."""

    __test__ = False

    def __init__(self, kept: Kept) -> None:
        self.kept, self._at_work = kept, set[str]()

    def due(self, most: int) -> Iterator[Sent]:
        """Up to `most` that are to be made now, also while nothing is taken: somebody wants to see that."""
        asked = [each for each in self.kept.hook.tests if each not in self._at_work]
        for name in asked[: max(0, most)]:
            self._at_work.add(name)
            yield Sent(
                stream=TEST,
                entry_id=name,
                queue="",
                type=TYPE,
                subject=self.kept.hook.id,
                event_id=name,
                first_ms=self.kept.now_ms,
            )

    async def made(self, sent: Sent, code: str, took_ms: int, queues: Queues) -> None:
        """One of them was: else it changes nothing. Raises Superseded."""
        self.kept.called(sent, DeliveryOutcome.FAILED if code else DeliveryOutcome.DELIVERED, code, took_ms)
        await self.kept.keep(queues)
        await self.kept.do(Tried(webhook_id=self.kept.hook.id, events=(sent.event_id,)))
        self._at_work.discard(sent.event_id)


def event_of_test(market: str, sent: Sent) -> Event:
    """What is said of it: no news."""
    event = CloudEvent(
        id=sent.event_id,
        source=f"/markets/{market}",
        type=TYPE,
        time=to_instant(sent.first_ms),
        subject=sent.subject,
        data=msgspec.to_builtins(WebhookTest(webhook_id=sent.subject)),
    )
    found: Event = msgspec.to_builtins(event)
    return found
