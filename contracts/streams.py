"""The Redis streams of a market: the key of each, and the field of an entry that holds its event.

The braces are part of a key. Redis Cluster hashes only what stands between them, so that one slot holds all
of a market. `market` and `vendor_id` are an `Id`: they hold no brace and no colon.
"""

from __future__ import annotations

from enum import StrEnum

PREFIX = "dispatch:"
FIELD = "ce"  # one CloudEvent in MessagePack; an entry has no other field
WAKE = "wake"
EXHAUSTED = "exhausted"  # set aside: a stream whose ids were used up


class To(StrEnum):
    """The stream that an event is on; each type of event is on one (`contracts.event_types`)."""

    EVENTS = "events"
    MATCHES = "matches"
    VENDOR = "vendor"
    REPLIES = "replies"


def prefix(market: str) -> str:
    """What every key of the market starts with."""
    return f"{PREFIX}{{{market}}}:"


def events(market: str) -> str:
    """Every change of a request; from the service."""
    return prefix(market) + To.EVENTS


def matches(market: str) -> str:
    """Requests that found a vendor, and those that did not; from the service."""
    return prefix(market) + To.MATCHES


def vendor(market: str, vendor_id: str) -> str:
    """What one vendor reads: its offers and what became of them; from the service."""
    return f"{prefix(market)}{To.VENDOR}:{vendor_id}"


def replies(market: str, vendor_id: str) -> str:
    """What one vendor answers and reports, if not over HTTP; to the service. It alone may write it."""
    return f"{prefix(market)}{To.REPLIES}:{vendor_id}"


def shared_replies(market: str) -> str:
    """Where all vendors replied before each had a stream of its own; read until nobody writes there."""
    return prefix(market) + To.REPLIES


def wake(market: str) -> str:
    """No stream but a Pub/Sub channel: a hint to look, which may be lost."""
    return prefix(market) + WAKE
