"""How long the work of a request takes."""

from __future__ import annotations

from contracts.instants import MINUTE_MS
from contracts.requests import Request
from solvers.rides import by_hour
from solvers.travel import TravelTimes


def length_ms(request: Request, travel: TravelTimes) -> tuple[int, int]:
    """How long the work takes at the least and at the most, by the hour at which it begins."""
    onsite_ms = request.onsite_minutes * MINUTE_MS
    start, end = request.doors
    if end is None:
        return onsite_ms, onsite_ms
    hourly_s = by_hour(travel, start, end)
    return onsite_ms + int(min(hourly_s) * 1000), onsite_ms + MINUTE_MS + int(max(hourly_s) * 1000)
