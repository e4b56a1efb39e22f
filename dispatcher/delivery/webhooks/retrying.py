"""When an event that was not taken is tried again: after pauses that grow, each its own. Pure."""

from __future__ import annotations

import hashlib

from contracts.instants import HOUR_MS, MINUTE_MS
from contracts.tuning import Parameter

RETRY = Parameter(
    name="webhook_retry_hours",
    default=24,
    minimum=1,
    maximum=168,
    unit="hours",
    summary="An event that a webhook does not take is tried again for so long; then it is a dead letter.",
    scope="delivery.webhooks.retrying",
)
PARAMETERS = (RETRY,)
PAUSES_MS = (
    5_000,
    30_000,
    2 * MINUTE_MS,
    10 * MINUTE_MS,
    30 * MINUTE_MS,
    HOUR_MS,
    2 * HOUR_MS,
    4 * HOUR_MS,
)  # after the last one, the last one again
SHARE = 0.2  # of a pause, by which it is longer or shorter


def pause_ms(attempts: int, key: str) -> int:
    """How long to wait after so many attempts; `key`: what is tried, by which pauses differ."""
    usual_ms = PAUSES_MS[min(max(attempts, 1), len(PAUSES_MS)) - 1]
    return round(usual_ms * (1 + SHARE * _spread(f"{key}/{attempts}")))


def next_ms(
    now_ms: int, first_ms: int, attempts: int, key: str, *, last_ms: int, asked_ms: int = 0
) -> int | None:
    """When it is tried next; None: its time is over. The last time is at the end of it.

    `first_ms`: since when it is tried, `last_ms`: for how long; `asked_ms`: the receiver asks for so much.
    """
    end_ms = first_ms + last_ms
    if now_ms >= end_ms:
        return None
    return min(now_ms + max(pause_ms(attempts, key), asked_ms), end_ms)


def _spread(text: str) -> float:
    """From -1 to 1, as evenly as a digest, and the same for the same text."""
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**63 - 1
