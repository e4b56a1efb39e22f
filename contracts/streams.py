"""The Redis streams of a market: the key of each, and the field of an entry that holds its event.

The braces are part of a key. Redis Cluster hashes only what stands between them, so that one slot holds all
of a market. `market` and `vendor_id` are an `Id`: they hold no brace and no colon.
"""

from __future__ import annotations

PREFIX = "dispatch:"
FIELD = "ce"  # one CloudEvent in MessagePack; an entry has no other field
EVENTS, MATCHES, REPLIES, VENDOR, WAKE = "events", "matches", "replies", "vendor", "wake"
EXHAUSTED = "exhausted"  # set aside: a stream whose ids were used up


def prefix(market: str) -> str:
    """What every key of the market starts with."""
    return f"{PREFIX}{{{market}}}:"


def events(market: str) -> str:
    """Every change of a request; from the service."""
    return prefix(market) + EVENTS


def matches(market: str) -> str:
    """Requests that found a vendor, and those that did not; from the service."""
    return prefix(market) + MATCHES


def vendor(market: str, vendor_id: str) -> str:
    """What one vendor reads: its offers and what became of them; from the service."""
    return f"{prefix(market)}{VENDOR}:{vendor_id}"


def replies(market: str) -> str:
    """What vendors that do not use HTTP answer and report; to the service."""
    return prefix(market) + REPLIES


def wake(market: str) -> str:
    """No stream but a Pub/Sub channel: a hint to look, which may be lost."""
    return prefix(market) + WAKE
