"""When the service of a request may start: `[earliest, latest]` in ms, both ends inclusive."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

from contracts.instants import MINUTE_MS, to_ms
from contracts.requests import Request
from contracts.tuning import Number, Parameter

ARRIVE_BY = Parameter(
    name="arrive_by_minutes",
    default=30,
    minimum=0,
    maximum=120,
    unit="minutes",
    summary="How long before an appointment a passenger may arrive.",
    scope="domain.windows",
)
PARAMETERS = (ARRIVE_BY,)


class StartWindow(NamedTuple):
    """The window on the start of service, in ms since the epoch."""

    earliest_ms: int
    latest_ms: int


def start_window(request: Request, values: Mapping[str, Number], *, travel_s: float = 0.0) -> StartWindow:
    """The window on the pick-up or delivery.

    A trip to an appointment arrives at most `arrive_by_minutes` before it and never after: the pick-up is
    earlier by the ride (`travel_s`, an estimate, in whole minutes) and by `service_minutes` at each door.
    With `travel_s` 0 both ends are the latest that any ride could have.
    """
    if request.wished_window is not None:
        return StartWindow(to_ms(request.wished_window.earliest), to_ms(request.wished_window.latest))
    return _before_appointment(request, values, travel_s)


def _before_appointment(request: Request, values: Mapping[str, Number], travel_s: float) -> StartWindow:
    assert request.arrive_by is not None  # noqa: S101  (the contract has one of the two)
    ride_minutes = math.ceil(travel_s / 60)  # an estimate: nobody is told to come at 22.4 seconds past
    ride_ms = (ride_minutes + request.onsite_minutes) * MINUTE_MS
    latest = to_ms(request.arrive_by) - ride_ms
    return StartWindow(latest - ARRIVE_BY.whole(values) * MINUTE_MS, latest)
