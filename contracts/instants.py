"""Between instants on the wire (RFC 3339) and milliseconds since the epoch; units of time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS  # of 24 hours: not every calendar day is one

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def to_ms(at: datetime) -> int:
    """Milliseconds since the epoch, rounded down."""
    return (at - _EPOCH) // _MILLISECOND


def to_instant(at_ms: int) -> datetime:
    """The same moment in UTC."""
    return _EPOCH + timedelta(milliseconds=at_ms)
