"""When to leave for an appointment, before any vendor is known."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from contracts.requests import Request
from dispatcher.domain.windows import Leaves, at_once
from solvers.rides import by_hour, leave_by_ms
from solvers.travel import TravelTimes


def leaves(request: Request, tz: ZoneInfo, travel: TravelTimes) -> Leaves:
    """When the ride leaves that arrives at an instant, as the matcher times it; at once if nobody rides."""
    pickup, dropoff = request.doors
    if request.arrive_by is None or dropoff is None:
        return at_once
    hourly_s = by_hour(travel, pickup, dropoff)
    return lambda arrive_ms: leave_by_ms(arrive_ms, hourly_s, tz)
