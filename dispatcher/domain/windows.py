"""When the service of a request may start: `[earliest, latest]` in ms, both ends inclusive."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from contracts.instants import MINUTE_MS, to_ms
from contracts.requests import Request
from contracts.tuning import Number
from solvers.arrival import arrival

if TYPE_CHECKING:
    from dispatcher.domain.requests import RequestRecord

Leaves = Callable[[int], int]  #: when a ride leaves, in ms, to arrive at an instant


class StartWindow(NamedTuple):
    """The window on the start of service, in ms since the epoch."""

    earliest_ms: int
    latest_ms: int


def at_once(arrive_ms: int) -> int:
    """No ride at all."""
    return arrive_ms


def start_window(request: Request, values: Mapping[str, Number], leaves: Leaves = at_once) -> StartWindow:
    """The window on the pick-up or delivery.

    A trip to an appointment is picked up, for `service_minutes`, before it `leaves` for its arrival; in whole
    minutes: nobody is told to come at 22.4 seconds past. Without a ride both ends are the latest there are.
    A will-call has none: see `in_force`.
    """
    if request.wished_window is not None:
        return StartWindow(to_ms(request.wished_window.earliest), to_ms(request.wished_window.latest))
    assert request.arrive_by is not None  # noqa: S101  (the contract has one of the two)
    at_door_min = request.onsite_minutes // 2
    first_ms, last_ms = arrival(to_ms(request.arrive_by), at_door_min, values)
    latest_ms = _minute(leaves(_minute(last_ms))) - at_door_min * MINUTE_MS
    earliest_ms = -_minute(-leaves(-_minute(-first_ms))) - at_door_min * MINUTE_MS
    return StartWindow(min(earliest_ms, latest_ms), latest_ms)


def in_force(
    record: RequestRecord, request: Request, values: Mapping[str, Number], leaves: Leaves = at_once
) -> StartWindow:
    """The window that a stored request has now, or would have as amended.

    That of a will-call is its record's; it has no other. An appointment's ride is timed anew, by the roads as
    they are known.
    """
    if request.on_call is not None:
        return StartWindow(record.earliest_ms, record.latest_ms)
    return start_window(request, values, leaves)


def _minute(at_ms: int) -> int:
    """The whole minute before."""
    return at_ms // MINUTE_MS * MINUTE_MS
