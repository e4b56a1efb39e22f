"""How long to wait before the same is tried again: what the service asks for, and longer each time."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime


def pauses(first_s: float, longest_s: float) -> Iterator[float]:
    """Seconds, without end: doubled up to `longest_s`, and drawn, so that callers do not come together."""
    pause_s = first_s
    while True:
        yield pause_s * random.uniform(0.5, 1.0)
        pause_s = min(2 * pause_s, longest_s)


def retry_after_s(headers: Mapping[str, str]) -> float:
    """What `Retry-After` asks for, in seconds (RFC 9110: a number or a date); nonsense counts as none."""
    text = headers.get("Retry-After", "")
    if text.isascii() and text.isdecimal():
        return float(text)
    try:
        return max(0.0, (parsedate_to_datetime(text) - dt.datetime.now(dt.UTC)).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return 0.0
