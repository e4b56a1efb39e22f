"""A ride over the hours of a day: each hour's stretch of road at that hour's speed.

So who leaves later never arrives earlier, and for every time of arrival there is one time to leave. A ride
timed by one hour alone would be minutes shorter or longer at the stroke of another.
"""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

import numpy as np

from contracts.geo import Position
from contracts.instants import MINUTE_MS, to_instant
from contracts.local_day import LocalDay
from solvers.arrays import Floats, Ints
from solvers.horizon import Horizon
from solvers.travel import Travel, TravelTimes

HOURS = 24
_HOUR_MIN = 60
_ARRIVED = 1e-9  # of the way: the rest is rounding


def rides(
    travel: TravelTimes, origins: Floats, destinations: Floats, leave_ms: Ints, horizon: Horizon
) -> Travel:
    """Seconds and metres of n rides between positions (n, 2), leaving at n instants."""
    hour = horizon.minute_of_day(leave_ms) // _HOUR_MIN
    seconds, metres = travel.between(origins, destinations, hour)
    room_s = (horizon.hour_end(leave_ms) - leave_ms) / 1000
    on_way = np.flatnonzero(seconds > room_s)
    if not len(on_way):
        return Travel(seconds, metres)
    took, left = seconds.copy(), 1 - room_s[on_way] / seconds[on_way]
    took[on_way] = room_s[on_way]
    while len(on_way):
        at_ms = leave_ms[on_way] + np.rint(took[on_way] * 1000).astype(np.int64)
        hour = horizon.minute_of_day(at_ms) // _HOUR_MIN
        whole_s = travel.between(origins[on_way], destinations[on_way], hour).seconds
        step_s = np.minimum(left * whole_s, (horizon.hour_end(at_ms) - at_ms) / 1000)
        took[on_way] += step_s
        left -= step_s / whole_s
        going = left > _ARRIVED
        on_way, left = on_way[going], left[going]
    return Travel(took, metres)


def by_hour(travel: TravelTimes, origin: Position, destination: Position) -> list[float]:
    """Seconds from door to door at the speed of each hour of the day."""
    start, end = (np.tile(np.array([each]), (HOURS, 1)) for each in (origin, destination))
    found: list[float] = travel.between(start, end, np.arange(HOURS)).seconds.tolist()
    return found


def leave_by_ms(arrive_ms: int, hourly_s: Sequence[float], tz: ZoneInfo) -> int:
    """When to leave to arrive at an instant: the ride of `rides`, followed from its end to its beginning."""
    at_ms, left = float(arrive_ms), 1.0
    while True:
        hour, began_ms = _hour_before(int(np.ceil(at_ms)), tz)
        whole_ms = hourly_s[hour] * 1000
        if left * whole_ms <= at_ms - began_ms:
            return int(at_ms - left * whole_ms)
        left -= (at_ms - began_ms) / whole_ms
        at_ms = began_ms


def _hour_before(at_ms: int, tz: ZoneInfo) -> tuple[int, int]:
    """The clock's hour that ends at an instant or goes on over it, and when it began."""
    day = LocalDay.of(to_instant(at_ms - 1).astimezone(tz).date(), tz)
    stretch = next(each for each in reversed(day.stretches) if each.start_ms < at_ms)
    minute = stretch.minute + (at_ms - 1 - stretch.start_ms) // MINUTE_MS
    hour = minute // _HOUR_MIN
    return hour, max(stretch.start_ms, stretch.start_ms + (hour * _HOUR_MIN - stretch.minute) * MINUTE_MS)
