"""Webhooks, their calls and their dead letters, as their owners read them."""

from __future__ import annotations

from contracts.instants import to_instant
from contracts.webhooks import DeadDelivery, Delivery, WebhookView
from dispatcher.domain.webhooks import WebhookRecord
from dispatcher.store.webhooks import Beside, Buried, Called


def webhook_view(hook: WebhookRecord, beside: Beside) -> WebhookView:
    """One webhook with what is kept beside it."""
    progress = beside.progress
    delivered_ms = progress.delivered_ms if progress else 0
    return WebhookView(
        id=hook.id,
        vendor_id=hook.vendor_id,
        url=hook.address,
        events=hook.events,
        description=hook.description,
        form=hook.form,
        state=hook.state,
        code=hook.code,
        created_at=to_instant(hook.created_ms),
        position=progress.position if progress else hook.begin,
        waiting=beside.waiting,
        dead=beside.dead,
        delivered=progress.delivered if progress else 0,
        delivered_at=to_instant(delivered_ms) if delivered_ms else None,
    )


def delivery(name: str, called: Called) -> Delivery:
    """One call that was made."""
    return Delivery(
        id=name,
        at=to_instant(called.at_ms),
        event_id=called.sent.event_id,
        webhook_id=called.webhook_id,
        type=called.sent.type,
        subject=called.sent.subject,
        attempt=called.sent.attempts,
        outcome=called.outcome,
        code=called.sent.code,
        took_ms=called.took_ms,
        next_at=to_instant(called.sent.next_ms) if called.sent.next_ms else None,
    )


def dead_delivery(name: str, buried: Buried) -> DeadDelivery:
    """One that is tried no more."""
    return DeadDelivery(
        id=name,
        at=to_instant(buried.at_ms),
        event_id=buried.sent.event_id,
        type=buried.sent.type,
        subject=buried.sent.subject,
        attempts=buried.sent.attempts,
        code=buried.sent.code,
    )
