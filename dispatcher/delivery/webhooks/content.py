"""What a webhook is called with: an event of a stream, under an id that tells doubles."""

from __future__ import annotations

from typing import Any

import msgspec
import structlog

from contracts.events import CloudEvent, FeedGap, GapReason
from contracts.instants import to_instant
from dispatcher.domain.webhooks import message_id
from dispatcher.store.events import Entry
from dispatcher.store.webhooks import Sent

Event = dict[str, Any]  # a CloudEvent as plain values
GAP, GAP_TYPE = "gap", "dispatch.feed.gap"  # in place of a stream
log = structlog.get_logger()


def sent_of(entry: Entry, now_ms: int) -> Sent | None:
    """An event that was just read; None for one that cannot be read."""
    try:
        event = msgspec.msgpack.decode(entry.event)
        kind, subject, name = str(event["type"]), str(event.get("subject", "")), str(event["id"])
    except (msgspec.MsgspecError, AttributeError, LookupError, TypeError, ValueError):
        log.error("unreadable", kind="event", stream=entry.stream, id=entry.id)
        return None
    return Sent(
        stream=entry.stream,
        entry_id=entry.id,
        queue=subject.partition(".")[0],  # a request, with its offers and its tasks
        type=kind,
        subject=subject,
        event_id=name,
        first_ms=now_ms,
    )


def gap_before(reason: GapReason, after: str, now_ms: int) -> Sent:
    """Something may be missing before what follows: who is called reads anew what it keeps a copy of."""
    return Sent(
        stream=GAP,
        entry_id=after.partition("~")[0],
        queue="",
        type=GAP_TYPE,
        subject=reason.value,
        event_id=f"gap.{after}",
        first_ms=now_ms,
    )


def gap_event(market: str, sent: Sent) -> Event:
    """What is said of it."""
    reason, after = GapReason(sent.subject), sent.event_id.removeprefix("gap.")
    event = CloudEvent(
        id=sent.event_id,
        source=f"/markets/{market}",
        type=GAP_TYPE,
        time=to_instant(sent.first_ms),
        data=msgspec.to_builtins(FeedGap(reason=reason, after=after)),
    )
    found: Event = msgspec.to_builtins(event)
    return found


def event_of(entry: bytes) -> Event:
    """An event of a stream. Raises what decoding raises: it is none."""
    found: Event = msgspec.msgpack.decode(entry)
    return found


def webhook_id(market: str, sent: Sent) -> str:
    """What doubles are told by: the same at each attempt, and at a replay."""
    return message_id(market, sent.stream, sent.event_id)
